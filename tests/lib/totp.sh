# SPDX-License-Identifier: Apache-2.0
# One-time codes for tests, as an authenticator app makes them.
one_time_code() { # BASE32 [STEPS LATER]: RFC 6238
  local mac offset
  mac=$(printf '%016x' $(($(date +%s) / 30 + ${2:-0})) | xxd -r -p | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$(base32 -d <<< "$1" | xxd -p)" | sed 's/.* //')
  offset=$((16#${mac:39:1} * 2))
  printf '%06d' $(((16#${mac:offset:8} & 0x7fffffff) % 1000000))
}
