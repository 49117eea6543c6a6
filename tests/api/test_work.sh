#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the pages for people at work are made from: verbs with their fields, codes, one's standing, what waits, and checks that keep
# nothing. An account for a key that is there already comes from `accord account new`.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
mkdir -p "$GRID/keys" "$GRID/hub"
a key new "$GRID/keys/steward" --quiet > /dev/null
a register found "$GRID/hub/register.db" --hub-identity "$GRID/hub/hub.key" --origin test.example/register --steward stella \
  --steward-key "$(key steward)" --quiet
act steward body add acme --name Acme --kind company
act steward body add kent --name Kent --kind icb
act steward vocabulary load prices-sde --version 1 --source test --rows '[{"code":"application","label":"New application","amount":143100}]'
grid_hub
api=$ACCORD_HUB/api/v1
ask() { # CODE METHOD PATH [curl options]: the body stays in $GRID/body
  local want=$1 method=$2 path=$3 code; shift 3
  code=$(curl -s -X "$method" -o "$GRID/body" -D "$GRID/head" -w '%{http_code}' "$@" "$api$path")
  [ "$code" = "$want" ] || fail "$method $path: $code instead of $want: $(cat "$GRID/body")"
}
is() { [ "$(jq -c "$1" "$GRID/body")" = "$2" ] || fail "$1 is $(jq -c "$1" "$GRID/body"), not $2"; }
json=(-H 'Content-Type: application/json')

ask 200 GET /verbs/agreement.draft
is '[.fields[] | select(.required) | .name] | index("template") != null' true
is '.fields[] | select(.name == "parties") | .fields[1].choices' '["site","lead_site","partner","sponsor","custodian"]'
ask 404 GET /verbs/agreement.eat
ask 200 GET /verbs
is '.items | length > 60' true
ask 200 GET /vocabularies/prices-sde
is '.items' '[{"code":"application","label":"New application","parent":"","amount":143100}]'
ask 404 GET /vocabularies/nothing

# --- one's standing: the steward comes to an account with the key that founded the register ------------------------
for path in /standing /waiting /register/body/acme/verbs; do ask 401 GET $path; done
password='a steward walks the bounds'
a account new stella --data "$GRID/hub" --key "$GRID/keys/steward" --format csv <<< "$password" > "$GRID/account" || fail "no account"
[ "$(sed -n 2p "$GRID/account" | cut -d, -f2)" = "$(key steward)" ] || fail "the account holds another key"
a account new stella --data "$GRID/hub" <<< "$password" > /dev/null 2>&1 && fail "the name was taken twice"
a account new robin --data "$GRID/hub" <<< "short" > /dev/null 2>&1 && fail "a short password"
secret=$(sed -n 2p "$GRID/account" | cut -d, -f3 | tr -d '\r')
mac=$(printf '%016x' $(($(date +%s) / 30)) | xxd -r -p | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$(base32 -d <<< "$secret" | xxd -p)" | sed 's/.* //')
at=$((16#${mac:39:1} * 2))
code=$(printf '%06d' $(((16#${mac:at:8} & 0x7fffffff) % 1000000)))
ask 201 POST /session "${json[@]}" -d '{"person":"stella","password":"'"$password"'","code":"'"$code"'"}'
csrf=$(jq -r .csrf_token "$GRID/body")
session=(-H "Cookie: $(sed -n 's/^[Ss]et-[Cc]ookie: \(accord_session=[0-9a-f]*\);.*/\1/p' "$GRID/head")")
ask 200 GET /session "${session[@]}"
is .csrf_token "\"$csrf\""
ask 200 GET /standing "${session[@]}"
is '[.person, .roles[0].role, .roles[0].counts]' '["stella","steward",true]'
ask 200 GET /waiting "${session[@]}"
is .items '[]'
apply='{"verb":"body.apply","subject":"body:hedge","body":{"name":"Hedge","kind":"charity"}}'
ask 201 POST /act "${session[@]}" "${json[@]}" -H "X-CSRF-Token: $csrf" -d "$apply"
ask 200 GET /waiting "${session[@]}"
is '[.items[] | [.verb, .id]]' '[["body.register","hedge"]]'
ask 200 GET /register/body/hedge/verbs "${session[@]}"
is '.items[] | select(.verb == "body.register") | .open' true
is '.items[] | select(.verb == "body.restore") | .why | test("^rule state: ")' true
ask 404 GET /register/body/nobody/verbs "${session[@]}"

# --- checks that keep nothing --------------------------------------------------------------------------------------
entries=$(curl -s "$api/hub" | jq .entries)
ask 200 POST /project/check "${json[@]}" -d '{"title":"A","cost_per_year":100,"substitutes":[{"line":"x","what":"y","owner":"kent","cost_per_year":40,"cash_releasing":true}]}'
is '[.substitution.class, .substitution.claimed, (.missing | length > 0)]' '["part",40,true]'
ask 422 POST /project/check "${json[@]}" -d '{"cost_per_year":"a lot"}'
is '.detail | test("cost_per_year")' true
terms='"parties":[{"body":"kent","role":"lead_site"},{"body":"acme","role":"partner"}],"from":"2027-01-01","to":"2027-12-31","quote":[{"code":"application","quantity":2}]'
ask 200 POST /agreement/check "${json[@]}" -d "{$terms,\"mechanisms\":[{\"kind\":\"subscription\",\"from\":\"acme\",\"to\":\"kent\",\"amount\":500,\"due\":\"2027-02-01\",\"period_months\":4}]}"
is '[.quote, [.transfers[] | [.mechanism, .amount]], [.transfers[1:][] | .due]]' \
  '[286200,[["quote",286200],["subscription",500],["subscription",500],["subscription",500]],["2027-02-01","2027-06-01","2027-10-01"]]'
ask 422 POST /agreement/check "${json[@]}" -d "{$terms,\"prices\":\"nothing\"}"
ask 200 POST /study/check "${json[@]}" -d @"$SOURCE/demo/study.json"
hash=$("$ACCORD" study check "$SOURCE/demo/study.json" 2>&1 > /dev/null | grep -oE '[0-9a-f]{64}')
is .hash "\"$hash\""
is '[.cohorts[0].name, (.analyses | length), (.cohorts[0].text | test("Malignant tumour of lung"))]' '["copd",7,true]'
jq '.analyses[0].cohort = "nobody"' "$SOURCE/demo/study.json" > "$GRID/bad.json"
ask 422 POST /study/check "${json[@]}" -d @"$GRID/bad.json"
is '.detail | startswith("$.analyses[0].cohort")' true
jq '{definition: .cohorts[0].definition}' "$SOURCE/demo/study.json" > "$GRID/cohort.json"
ask 200 POST /cohort/describe "${json[@]}" -d @"$GRID/cohort.json"
is '.text | test("Aged 18 or over")' true
ask 200 GET /study/kinds
while read -r kind; do
  jq -c --arg k "$kind" '.items[] | select(.kind == $k) | .example' "$GRID/body" > "$GRID/example.json"
  curl -sf -o /dev/null "${json[@]}" -d @"$GRID/example.json" "$api/study/check" || fail "the example of $kind is no study"
done < <(jq -r '.items[].kind' "$GRID/body")
[ "$(curl -s "$api/hub" | jq .entries)" = "$entries" ] || fail "a check left something in the log"
echo "verbs, codes, standing, waiting, checks that keep nothing"
