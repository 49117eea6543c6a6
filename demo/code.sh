#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The six digits of now (RFC 6238) for an account of the demo: bash demo/code.sh ACCOUNT. A code counts once; the next comes within 30 s.
set -euo pipefail
run=${RUN_DIR:-$(dirname "$0")/run}
accounts=("$run/accounts.tsv" "$run/node-accounts.tsv")
[ -f "${accounts[0]}" ] || { echo "there is no demo running here ('make demo KEEP=1')" >&2; exit 1; }
secret=$(awk -F '\t' -v who="${1:-}" '$1 == who { print $3 }' "${accounts[@]}")
[ -n "$secret" ] || { echo "usage: $0 ACCOUNT, one of: $(awk -F '\t' 'FNR > 1 { printf "%s ", $1 }' "${accounts[@]}")" >&2; exit 2; }
key=$(base32 -d <<< "$secret" | od -An -tx1 | tr -d ' \n')
mac=$(printf '%016x' $(($(date +%s) / 30)) | sed 's/../\\x&/g' | xargs -0 printf '%b' | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" | sed 's/.* //')
at=$((16#${mac:39:1} * 2))
printf '%06d\n' $(((16#${mac:at:8} & 0x7fffffff) % 1000000))
