#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A differentially private release spends a budget before it answers and stays additive; a release can be opened in
# SACRO Viewer: the form of its results.json and the checksums.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
fail() { echo "test_disclose_noise: $*" >&2; exit 1; }
says() { # status, text, command...
  local want=$1 text=$2 got=0 out; shift 2
  out=$("$@" 2>&1) || got=$?
  [ "$got" = "$want" ] && grep -qF -- "$text" <<< "$out" || fail "wanted status $want and '$text', got $got: $out"
}
cd "$here"
cat > result.json << 'JSON'
{"format":"accord-result-1","title":"COPD in adults","tables":[{"name":"by_sex_age","title":"Adults with COPD",
"unit":"persons","type":"count","dimensions":[
{"name":"sex","levels":[{"label":"total"},{"label":"female","parent":0},{"label":"male","parent":0}]},
{"name":"age","levels":[{"label":"total"},{"label":"18-39","parent":0},{"label":"40-64","parent":0},{"label":"65+","parent":0}]}],
"cells":[{"at":[0,0],"persons":3330},{"at":[0,1],"persons":216},{"at":[0,2],"persons":1110},{"at":[0,3],"persons":2004},
{"at":[1,0],"persons":1657},{"at":[1,1],"persons":103},{"at":[1,2],"persons":551},{"at":[1,3],"persons":1003},
{"at":[2,0],"persons":1673},{"at":[2,1],"persons":113},{"at":[2,2],"persons":559},{"at":[2,3],"persons":1001}]}]}
JSON
release() { "$ACCORD" disclose release result.json --policy gel-5 --noise "$1" --rho "$2" --data . --data-set hes --project heart "${@:3}"; }
says 16 'has no budget' release gaussian 0.1
says 5 'who approved' "$ACCORD" disclose budget --data . --data-set hes --project heart --rho 0.25
says 0 'Dr A Caldicott' "$ACCORD" disclose budget --data . --data-set hes --project heart --rho 0.25 --approved-by 'Dr A Caldicott'
check() { "$ACCORD" disclose check result.json --policy gel-5 --noise "$1" --rho "$2" --data . --data-set hes --project heart "${@:3}"; }
# What it would cost is told without a charge, as often as one likes.
for again in 1 2 3; do
  says 0 'within 4.38 of its count in 95 of 100) this would cost rho 0.1 of 0.25 left' check gaussian 0.1
done
check laplace 0.1 --format json 2> /dev/null | jq -e '.context | .noise == "discrete laplace" and .left == 0.25 and .scale > 0' > /dev/null ||
  fail "the checker's view does not say what the noise would be"
says 16 'this answer costs 0.3' check gaussian 0.3
says 2 'expected gaussian or laplace' check uniform 0.1
"$ACCORD" disclose budget --data . --format json | jq -e '.[0] | to_entries | map(select(.key | test("spent$"))) | .[0].value | tonumber == 0' > /dev/null ||
  fail "checking was charged: $("$ACCORD" disclose budget --data .)"
release gaussian 0.1 --format json > a.json
release gaussian 0.1 --format json > b.json
jq -e '.record.context | .noise == "discrete gaussian" and .rho == 0.1 and .variance == 5' a.json > /dev/null || fail "the record: $(jq -c .record a.json)"
cmp -s <(jq -c .tables a.json) <(jq -c .tables b.json) && fail "two answers had the same noise"
for file in a b; do
  jq -e '[.tables[0].cells[] | {key: (.at | join(",")), value: .value}] | from_entries |
    .["0,0"] == .["1,0"] + .["2,0"] and .["1,0"] == .["1,1"] + .["1,2"] + .["1,3"] and (.["0,0"] - 3330 | fabs) < 60' $file.json > /dev/null ||
    fail "noisy tables must add up, near the truth: $(jq -c .tables[0].cells $file.json)"
  "$ACCORD" disclose verify $file.json > /dev/null || fail "verify refuses the noisy table"
done
says 16 'has 0.05 of 0.25 left' release laplace 0.1
release laplace 0.05 > /dev/null || fail "the rest could not be spent"
says 16 'left' release laplace 0.000001
says 2 'gaussian or laplace' release uniform 0.1
says 3 'of no use' release gaussian 1e-9
[ "$(stat -c %a privacy.db)" = 600 ] || fail "others can read the budgets"
jq '.tables[0].cells |= .[1:]' result.json > less.json
says 3 'cells out' "$ACCORD" disclose release less.json --noise gaussian --rho 0.01 --data . --data-set hes --project heart

# SACRO Viewer asks for version, results, files with names, checksums, and places of flagged cells as pairs.
jq '.tables[0].cells |= map(select(.at != [0,0] and .at[0] != 0) | if .at == [1,1] then .persons = 3 elif .at == [1,0] then .persons = 1557 else . end)
  + [{"at":[0,0],"persons":3230},{"at":[0,1],"persons":116},{"at":[0,2],"persons":1110},{"at":[0,3],"persons":2004}]' result.json > small.json
"$ACCORD" disclose release small.json -o out > /dev/null
jq -e '(.version | test("^[0-9]+\\.[0-9]+")) and (.results | length == 1) and (.results.by_sex_age |
  .status == "pass" and .uid == "by_sex_age" and (.files | map(.name)) == ["by_sex_age.csv", "by_sex_age.svg"] and
  .files[0].sdc.summary.suppressed and (.files[0].sdc | .summary.threshold as $n | .cells.threshold | length == $n and $n >= 1 and all(length == 2)))' \
  out/results.json > /dev/null || fail "results.json: $(cat out/results.json)"
row=$(jq '.results.by_sex_age.files[0].sdc.cells.threshold[0][0]' out/results.json)
sed -n "$((row + 2))p" out/by_sex_age.csv | grep -q suppressed || fail "the flagged row is not the hidden cell's"
for file in by_sex_age.csv by_sex_age.svg results.json; do
  [ "$(cat "out/checksums/$file.txt")" = "$(sha256sum < "out/$file" | cut -d' ' -f1)" ] || fail "checksum of $file"
done
