#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signing in through an OpenID provider: with a real one (npm oidc-provider, where the registry can be reached), and with one
# whose tokens are wrong in one way each. No account comes to be by signing in.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
command -v node > /dev/null || { echo "node is not here"; exit 77; }
mkdir -p "$GRID/keys" "$GRID/hub"
a key new "$GRID/keys/steward" --quiet > /dev/null
a register found "$GRID/hub/register.db" --hub-identity "$GRID/hub/hub.key" --origin test.example/register --steward stella \
  --steward-key "$(key steward)" --quiet
cp -r "$GRID/hub" "$GRID/second" # for a hub that must not start
grid_hub # takes a free port, which it keeps
api=$ACCORD_HUB/api/v1
get() { jq -r "$1" "$GRID/body"; }
ask() { local want=$1 code; shift; code=$(curl -s --max-time 20 -o "$GRID/body" -D "$GRID/head" -w '%{http_code}' "$@")
  [ "$code" = "$want" ] || fail "$*: $code instead of $want: $(head -c 400 "$GRID/body")"; }
says() { grep -qi -- "$1" "$GRID/body" || fail "expected '$1' in: $(head -c 400 "$GRID/body")"; }
cookie() { sed -n "s/^[Ss]et-[Cc]ookie: \($1=[^;]*\);.*/\1/p" "$GRID/head" | tr -d '\r'; }
again() { grid_stop; grid_hub; grep -q '"url"' "$GRID/hub.log" || fail "no hub"; }
settings() { # ISSUER ALGORITHM [more lines]
  printf 'issuer: %s\nclient_id: accord\npublic_url: %s\nalgorithm: %s\nname: The test\n%s' "$1" "$ACCORD_HUB" "$2" "${3:-}" > "$GRID/sign-in.yaml"
  GRID_HUB_OPTIONS=(--sign-in "$GRID/sign-in.yaml")
  again
}

# --- without a provider, and with settings that cannot be ---------------------------------------------------------
ask 200 "$api/sign-in"; [ "$(get 'length')" = 0 ] || fail "a provider that was not set"
ask 404 "$ACCORD_HUB/sign-in"
ask 404 "$ACCORD_HUB/sign-in/callback?state=a&code=b"
refused() { printf '%s\n' "$1" > "$GRID/bad.yaml"; a hub --data "$GRID/second" --listen 127.0.0.1:0 --sign-in "$GRID/bad.yaml" 2> "$GRID/said" && fail "taken: $1"
  grep -q "$2" "$GRID/said" || fail "$1: $(cat "$GRID/said")"; }
refused 'issuer: https://id.example' client_id
refused $'issuer: http://id.example\nclient_id: a\npublic_url: https://hub.example' issuer
refused $'issuer: https://id.example\nclient_id: a\npublic_url: https://hub.example\nalgorithm: none' algorithm
refused $'issuer: https://id.example\nclient_id: a\npublic_url: https://hub.example\nsecret: x' secret

# --- an account with a session, which links the identity -------------------------------------------------------------
one_time_code() { # BASE32 [STEPS LATER]
  local mac offset
  mac=$(printf '%016x' $(($(date +%s) / 30 + ${2:-0})) | xxd -r -p | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$(base32 -d <<< "$1" | xxd -p)" | sed 's/.* //')
  offset=$((16#${mac:39:1} * 2))
  printf '%06d' $(((16#${mac:offset:8} & 0x7fffffff) % 1000000))
}
password='correct horse battery'
ask 201 -H 'Content-Type: application/json' -d '{"person":"ada","password":"'"$password"'"}' "$api/accounts"
secret=$(get .totp_secret)
ask 201 -H 'Content-Type: application/json' -d '{"person":"ada","password":"'"$password"'","code":"'"$(one_time_code "$secret")"'"}' "$api/session"
session=$(cookie accord_session); csrf=$(get .csrf_token)

# --- a provider whose tokens are wrong ---------------------------------------------------------------------------------
hostile() { # ALGORITHM
  [ -z "${liar:-}" ] || kill "$liar"
  rm -f "$GRID/liar"
  node "$SOURCE/tests/api/oidc/hostile.mjs" "$1" > "$GRID/liar" & liar=$!
  local n; for ((n = 0; n < 100; n++)); do [ -s "$GRID/liar" ] && break; sleep 0.05; done
  settings "$(cat "$GRID/liar")" "$1"
}
trap 'kill ${liar:-} ${real:-} 2> /dev/null; grid_end' EXIT
begin() { ask 303 "$ACCORD_HUB/sign-in"; attempt=$(cookie accord_sign_in); location=$(sed -n 's/^[Ll]ocation: //p' "$GRID/head" | tr -d '\r')
  state=$(grep -oE '[?&]state=[^&]*' <<< "$location" | cut -d= -f2); nonce=$(grep -oE '[?&]nonce=[^&]*' <<< "$location" | cut -d= -f2); }
back() { ask "$1" -H "Cookie: $attempt" "$ACCORD_HUB/sign-in/callback?state=$state&code=$2"; } # CODE of the answer, code of the flow
lie() { begin; back 401 "$1.$nonce"; says "$2"; [ -z "$(cookie accord_session)" ] || fail "$1: a session all the same"; }

hostile RS256
begin
grep -q 'code_challenge_method=S256' <<< "$location" && grep -q 'response_type=code' <<< "$location" || fail "no PKCE: $location"
grep -qi '^set-cookie: accord_sign_in=.*Path=/sign-in; HttpOnly; SameSite=Lax' "$GRID/head" || fail "the cookie: $(cat "$GRID/head")"
back 403 "right.$nonce"; says 'not linked'
ask 401 "$api/session"
# the attempt: another state, no cookie, another's cookie, a damaged one
begin; state=${state:0:10}AAAA; back 401 "right.$nonce"; says 'not to a sign-in'
begin; attempt=x=y; back 401 "right.$nonce"; says 'began no sign-in'
begin; old=$attempt; begin; attempt=$old; back 401 "right.$nonce"; says 'not to a sign-in'
begin; attempt=${attempt%????}AAAA; back 401 "right.$nonce"; says 'began no sign-in'
begin; ask 401 -H "Cookie: $attempt" "$ACCORD_HUB/sign-in/callback?state=$state&error=access_denied"; says access_denied
begin; ask 401 -H "Cookie: $attempt" "$ACCORD_HUB/sign-in/callback?state=$state&error=%3Cb%3E"; says 'no reason given'
begin; ask 401 -H "Cookie: $attempt" "$ACCORD_HUB/sign-in/callback?state=$state"; says lacks
again # the limit on tries begins anew
lie nonce nonce; lie expired expired; lie old 'issued just now'; lie audience 'another client'; lie audiences 'another client'; lie party 'another client'
lie issuer issuer; lie subject nobody; lie none "signed with 'none'"; lie hmac "signed with 'HS256'"; lie kid 'published keys'; lie key 'signature'
lie embedded signature; lie flipped signature; lie swapped signature; lie crit extension; lie parts 'no signed token'; lie missing 'no ID token'; lie refused 'code 400'
begin; back 502 "broken.$nonce"; begin; back 401 "redirect.$nonce"

for algorithm in PS256 ES256 EdDSA; do
  hostile "$algorithm"
  begin; back 403 "right.$nonce"; says 'not linked'
  lie key signature; lie flipped signature; lie none "signed with 'none'"
done
sed -i 's/^algorithm: .*/algorithm: RS256/' "$GRID/sign-in.yaml"; again
begin; back 401 "right.$nonce"; says "signed with 'EdDSA'"

# linking, signing in, ending the link
hostile ES256
ask 401 -X POST "$api/identity"
ask 403 -X POST -H "Cookie: $session" "$api/identity"
link() { ask 201 -X POST -H "Cookie: $session" -H "X-CSRF-Token: $csrf" "$api/identity"; attempt=$(cookie accord_sign_in); location=$(get .url)
  state=$(grep -oE '[?&]state=[^&]*' <<< "$location" | cut -d= -f2); nonce=$(grep -oE '[?&]nonce=[^&]*' <<< "$location" | cut -d= -f2); }
link; back 200 "right.$nonce"; says 'is linked'
[ -z "$(cookie accord_session)" ] || fail "linking opened a session"
ask 200 -H "Cookie: $session" "$api/identity"; [ "$(get .subject)" = alice ] || fail "$(cat "$GRID/body")"
link; back 409 "right.$nonce"
begin; back 200 "right.$nonce"; says 'signed in'
grep -qi '^refresh: 0; url=/work' "$GRID/head" || fail "no way on: $(cat "$GRID/head")"
grep -qi '^set-cookie: accord_session=.*HttpOnly; SameSite=Strict' "$GRID/head" || fail "the session: $(cat "$GRID/head")"
mine=$(cookie accord_session)
ask 200 -H "Cookie: $mine" "$api/session"; [ "$(get .person)" = ada ] || fail "signed in as $(get .person)"
mine_csrf=$(get .csrf_token)
ask 204 -X DELETE -H "Cookie: $mine" -H "X-CSRF-Token: $mine_csrf" "$api/session"
ask 401 -H "Cookie: $mine" "$api/session"
ask 204 -X DELETE -H "Cookie: $session" -H "X-CSRF-Token: $csrf" "$api/identity"
begin; back 403 "right.$nonce"; says 'not linked'
ask 404 -X DELETE -H "Cookie: $session" -H "X-CSRF-Token: $csrf" "$api/identity"

# --- a real provider ------------------------------------------------------------------------------------------------------
if ! modules=$(bash "$SOURCE/tests/api/oidc/install.sh" 2> "$GRID/npm"); then
  echo "sign-in: lies refused in four algorithms; the registry could not be reached for a real provider"; exit 0
fi
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
echo alice-2 > "$GRID/account"
node "$modules/provider.mjs" "$port" "$ACCORD_HUB/sign-in/callback" "$GRID/account" > "$GRID/real" 2> "$GRID/real.log" & real=$!
for ((n = 0; n < 100; n++)); do [ -s "$GRID/real" ] && break; sleep 0.1; done
(umask 077; echo "a client's +secret/ of some length" > "$GRID/secret")
settings "http://127.0.0.1:$port" RS256 "client_secret_file: $GRID/secret"
visit() { # the browser follows the provider's redirects back to the hub: CODE
  rm -f "$GRID/jar"; code=$(curl -s -L --max-time 30 -c "$GRID/jar" -b "$GRID/jar" -o "$GRID/body" -D "$GRID/head" -w '%{http_code}' "$2")
  [ "$code" = "$1" ] || fail "through the real provider: $code instead of $1: $(head -c 400 "$GRID/body") $(tail -n 3 "$GRID/real.log")"; }
visit 403 "$ACCORD_HUB/sign-in"; says 'not linked'
ask 201 -X POST -H "Cookie: $session" -H "X-CSRF-Token: $csrf" "$api/identity"
attempt=$(cookie accord_sign_in); url=$(get .url)
printf '127.0.0.1\tFALSE\t/sign-in\tFALSE\t0\taccord_sign_in\t%s\n' "${attempt#*=}" > "$GRID/jar2"
code=$(curl -s -L --max-time 30 -c "$GRID/jar2" -b "$GRID/jar2" -o "$GRID/body" -w '%{http_code}' "$url")
[ "$code" = 200 ] || fail "linking through the real provider: $code $(head -c 400 "$GRID/body")"
says 'is linked'
visit 200 "$ACCORD_HUB/sign-in"; says 'signed in'
ask 200 -b "$GRID/jar" "$api/session"; [ "$(get .person)" = ada ] || fail "signed in as $(get .person)"
ask 200 "$api/sign-in"; [ "$(get .name)" = 'The test' ] && get .logout | grep -q "127.0.0.1:$port" || fail "$(cat "$GRID/body")"
echo nobody > "$GRID/account"
visit 401 "$ACCORD_HUB/sign-in"; says access_denied

# --- ... that knows the hub by a key instead of a secret ------------------------------------------------------------------
for how in RS256:rsa RS512:rsa PS256:rsa ES256:ec EdDSA:ed; do
  kill "$real"; wait "$real" 2> /dev/null
  alg=${how%:*} key=$GRID/${how#*:}.pem
  [ -s "$key" ] || (umask 077; case $how in
    *:rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 ;; *:ec) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 ;; *:ed) openssl genpkey -algorithm ED25519 ;;
  esac > "$key" 2> /dev/null)
  rm -f "$GRID/real"; echo alice-2 > "$GRID/account"
  node "$modules/provider.mjs" "$port" "$ACCORD_HUB/sign-in/callback" "$GRID/account" 127.0.0.1 "$key" "$alg" > "$GRID/real" 2> "$GRID/real.log" & real=$!
  for ((n = 0; n < 100; n++)); do [ -s "$GRID/real" ] && break; sleep 0.1; done
  settings "http://127.0.0.1:$port" RS256 "$(printf 'client_key_file: %s\nclient_key_id: one\nclient_key_algorithm: %s\n' "$key" "$alg")"
  visit 200 "$ACCORD_HUB/sign-in"; says 'signed in'
done
(umask 077; openssl genpkey -algorithm ED25519 > "$GRID/other.pem" 2> /dev/null)
settings "http://127.0.0.1:$port" RS256 "$(printf 'client_key_file: %s\nclient_key_id: one\nclient_key_algorithm: EdDSA\n' "$GRID/other.pem")"
visit 401 "$ACCORD_HUB/sign-in"
bad=$'issuer: https://id.example\nclient_id: a\npublic_url: https://hub.example\nclient_key_file: '
refused "$bad$GRID/ec.pem" 'one private key for RS256'
refused "$bad$GRID/hub.log" 'client_key_file'
(umask 077; echo x > "$GRID/secret"); refused "$bad$GRID/rsa.pem"$'\nclient_secret_file: '"$GRID/secret" 'not both'
echo "sign-in: a real provider signs in who was linked, and knows the hub by its secret or its key; lies are refused in four algorithms"
