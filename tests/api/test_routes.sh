#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The API as a stranger meets it: the description fits the routes, every refusal is problem+json with a fitting code,
# signed requests are checked, commands are taken once.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
mkdir -p "$GRID/keys" "$GRID/hub"
a key new "$GRID/keys/steward" --quiet > /dev/null
a register found "$GRID/hub/register.db" --hub-identity "$GRID/hub/hub.key" --origin test.example/register --steward stella \
  --steward-key "$(key steward)" --quiet
grid_hub
api=$ACCORD_HUB/api/v1

# expect CODE CURL-ARGUMENTS...: the code, and problem+json for refusals; the body stays in $GRID/body
expect() {
  local want=$1 code type; shift
  read -r code type < <(curl -s -o "$GRID/body" -w '%{http_code} %{content_type}\n' --max-time 20 "$@")
  [ "$code" = "$want" ] || fail "$*: $code instead of $want: $(head -c 300 "$GRID/body")"
  [ "$want" -lt 400 ] && return 0
  [ "$type" = application/problem+json ] || fail "$*: an error of type '$type'"
  jq -e '.status == '"$want"' and (.detail | length > 5) and (.title | length > 5)' "$GRID/body" > /dev/null || fail "$*: $(cat "$GRID/body")"
}
says() { grep -q -- "$1" "$GRID/body" || fail "expected '$1' in: $(cat "$GRID/body")"; }

# --- the description and the routes ---------------------------------------------------------------------------
expect 200 "$api/openapi.json"
jq -e '.openapi == "3.1.0" and (.info.version | length > 0)' "$GRID/body" > /dev/null || fail "no OpenAPI 3.1 document"
cp "$GRID/body" "$GRID/openapi.json"
jq -r '.paths | to_entries[] | .key as $p | .value | keys[] | "\(.) \($p)"' "$GRID/openapi.json" > "$GRID/operations"
[ "$(wc -l < "$GRID/operations")" -ge 12 ] || fail "operations are missing"
while read -r method path; do
  url=$ACCORD_HUB$(sed -E 's/\{[a-z]+\}/zz/g' <<< "$path")
  # every described operation exists: no 404 "nothing here", no 405
  curl -s -X "${method^^}" "$url" -o "$GRID/body" -w '%{http_code}' $([ "$method" = get ] || echo '-H Content-Type:application/json -d {}') > "$GRID/code"
  grep -q 405 "$GRID/code" && fail "$method $path is described but has no such method"
  grep -q 'there is nothing here' "$GRID/body" && fail "$method $path is described but not served"
  grep -q '^5' "$GRID/code" && fail "$method $path: $(cat "$GRID/code") $(cat "$GRID/body")"
  # every named parameter of the path is described
  for name in $(grep -oE '\{[a-z]+\}' <<< "$path" | tr -d '{}'); do
    jq -e --arg p "$path" --arg m "$method" --arg n "$name" '.paths[$p][$m].parameters | any(.name == $n and .in == "path" and .required)' \
      "$GRID/openapi.json" > /dev/null || fail "$method $path does not describe {$name}"
  done
done < "$GRID/operations"

# --- refusals -------------------------------------------------------------------------------------------------
expect 404 "$api/nothing"
expect 405 -X DELETE "$api/hub"
expect 404 "$api/runs/none"
expect 404 "$api/register/body/none"
expect 404 "$api/log/entries/99/proof"
expect 400 "$api/runs?limit=0";           says limit
expect 400 "$api/runs?limt=5";           says "query member 'limt' is not known here"
expect 400 "$api/runs?limit=5&limit=6";   says twice
expect 400 "$api/runs?limit=%zz";         says percent-encoded
expect 400 -H 'Content-Type: text/plain' -d '{}' "$api/commands"; says application/json
expect 422 -H 'Content-Type: application/json' -d '{' "$api/commands"; says 'line 1'
expect 422 -H 'Content-Type: application/json' -d '[]' "$api/commands"; says object
expect 422 -H 'Content-Type: application/json' -d '{"a":1,"a":2}' "$api/commands"
expect 422 -H 'Content-Type: application/json' -d '{"verb":"body.add"}' "$api/commands"
expect 400 -X GET -d x "$api/hub"; says 'no body'
expect 401 "$api/node/work"; says Signature
expect 401 -H 'Signature-Input: sig1=x' -H 'Signature: sig1=:AA==:' "$api/hub"; says Content-Digest
expect 411 -H 'Transfer-Encoding: chunked' -H 'Content-Type: application/json' -d '{}' "$api/commands"; says Content-Length
printf '{"a":"%s"}' "$(head -c 20000 /dev/zero | tr '\0' '[')" > "$GRID/deep"
expect 422 -H 'Content-Type: application/json' -d @"$GRID/deep" "$api/commands"
head -c 30000 /dev/zero | tr '\0' '[' > "$GRID/deep"
expect 422 -H 'Content-Type: application/json' -d @"$GRID/deep" "$api/commands"

# --- hostile input to every operation: always a 4xx, never a fault or a silent close ---------------------------------
printf '{"a":"%s"}' "$(head -c 3000000 /dev/zero | tr '\0' x)" > "$GRID/long"
bodies=('[]' '"x"' '1' 'null' '{' '{"a":1,"a":2}' '{"verb":1,"subject":[],"body":{}}' '{"person":{},"password":[],"code":1}' '{"command":{},"sealed":"!"}'
  '{"a":1e999}' '{"a":99999999999999999999}' "{\"\\u0000\":1}" $'{"a":"\xff"}' '{"person":"\u202e","password":"\ud800"}' "@$GRID/long" "@$GRID/deep")
parts=('%00' '%2e%2e' '..%2f..' '%ff' "$(head -c 3000 /dev/zero | tr '\0' a)" "'%20or%201=1--" '%7b%7d' '-1' '18446744073709551616')
while read -r method path; do
  if [ "$method" = post ]; then
    for body in "${bodies[@]}"; do
      code=$(curl -s -o /dev/null -w '%{http_code}' -X POST -H 'Content-Type: application/json' -d "$body" "$ACCORD_HUB$(sed -E 's/\{[a-z]+\}/zz/g' <<< "$path")")
      [[ $code = 4?? ]] || fail "$method $path with ${body:0:40}: $code"
    done
  fi
  [[ $path = *{* ]] || continue
  for part in "${parts[@]}"; do
    code=$(curl -s --path-as-is -o "$GRID/body" -w '%{http_code}' -X "${method^^}" $([ "$method" = post ] && echo '-H Content-Type:application/json -d {}') \
      "$ACCORD_HUB$(sed -E "s/\{[a-z]+\}/${part//\//\\/}/g" <<< "$path")")
    [[ $code = 4?? || $code = 200 ]] || fail "$method $path with '${part:0:40}': $code $(head -c 200 "$GRID/body")"
    [ "$code" = 200 ] && ! jq -e 'has("items") and (.items | length == 0)' "$GRID/body" > /dev/null && fail "$method $path with '${part:0:40}' gave something"
  done
done < "$GRID/operations"

# --- a command is taken once ----------------------------------------------------------------------------------
a body add b1 --at "$GRID/hub/register.db" --identity "$GRID/keys/steward" --name 'A trust' --kind trust --dry-run > "$GRID/command"
for path in register/body 'register/body?brief=true' 'log/entries?brief=true'; do expect 200 "$api/$path"; done # kept answers, now old
expect 201 -H 'Content-Type: application/json' -d @"$GRID/command" "$api/commands"
cp "$GRID/body" "$GRID/first"
expect 200 -H 'Content-Type: application/json' -d @"$GRID/command" "$api/commands"
cmp <(jq -cS . "$GRID/body") <(jq -cS . "$GRID/first") || fail "the same command gave another entry"
jq -c '.body.name = "Another"' "$GRID/command" > "$GRID/forged"
expect 401 -H 'Content-Type: application/json' -d @"$GRID/forged" "$api/commands"
expect 200 "$api/register/body/b1"; says 'A trust'
expect 200 "$api/register/body"; says 'A trust'
expect 200 "$api/register/body?brief=true"; says 'A trust'
expect 200 "$api/log/entries?brief=true"; says body:b1
expect 400 "$api/register/body?brief=1"; says brief
expect 200 "$api/register/body?limit=1"; says next_after
expect 200 "$api/log/entries?from=1&limit=1"; says body.add
expect 200 "$api/log/entries/1/proof"
cp "$GRID/body" "$GRID/proof"
a ledger check "$GRID/proof" > /dev/null 2>&1 || fail "the served proof is not right"
expect 200 "$api/log/checkpoint"; says test.example/register
a body list --at "$ACCORD_HUB" --format csv | grep -q '^b1,' || fail "the command line does not list through the hub"

# --- headers, HEAD, keep-alive, a clean stop ------------------------------------------------------------------
curl -sI "$api/hub" | grep -qi '^x-content-type-options: nosniff' || fail "no nosniff"
curl -sI "$api/hub" | grep -qi "^content-security-policy: default-src 'none'" || fail "no policy"
curl -sv "$api/hub" "$api/hub" 2>&1 | grep -i 're-using existing connection' > /dev/null || fail "connections are not kept"
kill -TERM "${GRID_PID[hub]}"; wait "${GRID_PID[hub]}"; code=$?
[ "$code" = 0 ] || fail "the hub's end gave $code"
unset 'GRID_PID[hub]'
a hub --data "$GRID/hub" --listen 0.0.0.0:0 2> "$GRID/said" && fail "plain HTTP on every address"
grep -q loopback "$GRID/said" || fail "$(cat "$GRID/said")"
echo "the API: $(wc -l < "$GRID/operations") operations as described, refusals as problem+json"
