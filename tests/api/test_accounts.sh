#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# People without a key file: an account, a session with a one-time code, CSRF, API tokens with scopes, acting once per
# Idempotency-Key, If-Match, and the limit on logins.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
. "$SOURCE/tests/lib/totp.sh"
mkdir -p "$GRID/keys" "$GRID/hub"
a key new "$GRID/keys/steward" --quiet > /dev/null
a register found "$GRID/hub/register.db" --hub-identity "$GRID/hub/hub.key" --origin test.example/register --steward stella \
  --steward-key "$(key steward)" --quiet
act steward body add acme --name Acme --kind company
grid_hub
api=$ACCORD_HUB/api/v1

# call CODE METHOD PATH [curl options]: the body stays in $GRID/body
call() {
  local want=$1 method=$2 path=$3 code; shift 3
  code=$(curl -s -X "$method" -o "$GRID/body" -D "$GRID/head" -w '%{http_code}' -H 'Content-Type: application/json' "$@" "$api$path")
  [ "$code" = "$want" ] || fail "$method $path: $code instead of $want: $(cat "$GRID/body")"
}
bare() { local want=$1 method=$2 path=$3 code; shift 3; code=$(curl -s -X "$method" -o "$GRID/body" -D "$GRID/head" -w '%{http_code}' "$@" "$api$path")
  [ "$code" = "$want" ] || fail "$method $path: $code instead of $want: $(cat "$GRID/body")"; }
get() { jq -r "$1" "$GRID/body"; }
password='correct horse battery'

call 422 POST /accounts -d '{"person":"ada","password":"short"}'
call 422 POST /accounts -d '{"person":"ada","password":"correct horse battery","admin":true}'
call 201 POST /accounts -d '{"person":"ada","password":"'"$password"'"}'
secret=$(get .totp_secret); key=$(get .key)
call 409 POST /accounts -d '{"person":"ada","password":"'"$password"'"}'

call 401 POST /session -d '{"person":"ada","password":"'"$password"'","code":"000000"}'
call 201 POST /session -d '{"person":"ada","password":"'"$password"'","code":"'"$(one_time_code "$secret")"'"}'
csrf=$(get .csrf_token)
grep -qi '^set-cookie: accord_session=.*HttpOnly; SameSite=Strict' "$GRID/head" || fail "the cookie: $(grep -i cookie "$GRID/head")"
cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: \(accord_session=[0-9a-f]*\);.*/\1/p' "$GRID/head")
bare 401 GET /session
bare 200 GET /session -H "Cookie: $cookie"

register='{"verb":"person.register","subject":"person:ada","body":{"body":"acme"},"personal":{"name":"Ada Example"}}'
call 401 POST /act -d "$register"
call 403 POST /act -H "Cookie: $cookie" -d "$register"
call 403 POST /act -H "Cookie: $cookie" -H "X-CSRF-Token: ${csrf//[0-9]/0}" -d "$register"
call 201 POST /act -H "Cookie: $cookie" -H "X-CSRF-Token: $csrf" -H 'Idempotency-Key: once' -d "$register"
[ "$(get .actor)" = "$key" ] || fail "the hub signed with another key"
grep -q 'Ada Example' "$GRID/body" && fail "a personal text is in the entry"
seq=$(get .seq)
call 200 POST /act -H "Cookie: $cookie" -H "X-CSRF-Token: $csrf" -H 'Idempotency-Key: once' -d "$register"
[ "$(get .seq)" = "$seq" ] || fail "the same Idempotency-Key made another entry"
bare 200 GET "/keys/$key"
[ "$(get .id)" = ada ] || fail "the key is not known"

# --- API tokens -----------------------------------------------------------------------------------------------
call 422 POST /tokens -H "Cookie: $cookie" -H "X-CSRF-Token: $csrf" -d '{"name":"ci","scopes":"root","days":1}'
call 201 POST /tokens -H "Cookie: $cookie" -H "X-CSRF-Token: $csrf" -d '{"name":"ci","scopes":"read act:person","days":1}'
token=$(get .token)
bare 200 GET /tokens -H "Cookie: $cookie"
grep -q "$token" "$GRID/body" && fail "a token is shown again"
bare 403 GET /tokens -H "Authorization: Bearer $token"
declare='{"verb":"person.declare","subject":"person:ada","body":{"nil":true}}'
call 403 POST /act -H "Authorization: Bearer $token" -d '{"verb":"run.stop","subject":"run:x","body":{"reason":"x"}}'
grep -q act:run "$GRID/body" || fail "the refusal does not name the scope"

# --- versions -------------------------------------------------------------------------------------------------
bare 200 GET /register/person/ada
etag=$(sed -n 's/^[Ee][Tt]ag: \(.*\)\r/\1/p' "$GRID/head")
[ -n "$etag" ] || fail "no ETag"
bare 304 GET /register/person/ada -H "If-None-Match: $etag"
call 201 POST /act -H "Authorization: Bearer $token" -H "If-Match: $etag" -d "$declare"
call 412 POST /act -H "Authorization: Bearer $token" -H "If-Match: $etag" -d "$declare"
call 201 POST /act -H "Authorization: Bearer $token" -H 'If-Match: *' -d "$declare"
bare 200 GET /register/person/ada
etag=$(sed -n 's/^[Ee][Tt]ag: \(.*\)\r/\1/p' "$GRID/head")
call 201 POST /act -H "Authorization: Bearer $token" -H "If-Match: \"1\", $etag" -d "$declare"
call 412 POST /act -H "Authorization: Bearer $token" -H 'If-Match: "1", "2"' -d "$declare"
call 204 DELETE /tokens/ci -H "Cookie: $cookie" -H "X-CSRF-Token: $csrf" -H 'Content-Type:'
bare 401 GET /session -H "Authorization: Bearer $token"

# --- the end of a session, and the limit ----------------------------------------------------------------------
call 204 DELETE /session -H "Cookie: $cookie" -H "X-CSRF-Token: $csrf" -H 'Content-Type:'
bare 401 GET /session -H "Cookie: $cookie"
for n in 1 2 3 4 5 6; do
  curl -s -o "$GRID/body" -D "$GRID/head" -w '%{http_code}\n' -H 'Content-Type: application/json' -d '{"person":"eve","password":"guess number one","code":"123456"}' "$api/session"
done > "$GRID/codes"
[ "$(tail -n 1 "$GRID/codes")" = 429 ] || fail "six tries: $(tr '\n' ' ' < "$GRID/codes")"
grep -qi '^retry-after: [0-9]' "$GRID/head" || fail "no Retry-After"
hex=$(find "$GRID/hub" -type f -exec cat {} +| grep -c "$password")
[ "$hex" = 0 ] || fail "a password lies in the hub's files"
echo "accounts, sessions, tokens, versions, limits"
