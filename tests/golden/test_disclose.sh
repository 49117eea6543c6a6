#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check, release and verify as a user runs them: what is hidden, that nothing hidden is anywhere in what is written,
# that a changed document is refused, and that bad input is told apart.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
fail() { echo "test_disclose: $*" >&2; exit 1; }
says() { # status, text, command...
  local want=$1 text=$2 got=0 out; shift 2
  out=$("$@" 2>&1) || got=$?
  [ "$got" = "$want" ] && grep -qF -- "$text" <<< "$out" || fail "wanted status $want and '$text', got $got: $out"
}

cat > "$here/result.json" << 'JSON'
{"format":"accord-result-1","title":"COPD in adults","tables":[{"name":"by_sex_age","title":"Adults with COPD",
"unit":"persons","type":"count","dimensions":[
{"name":"sex","levels":[{"label":"total"},{"label":"female","parent":0},{"label":"male","parent":0}]},
{"name":"age","levels":[{"label":"total"},{"label":"18-39","parent":0},{"label":"40-64","parent":0},{"label":"65+","parent":0}]}],
"cells":[{"at":[0,0],"persons":330},{"at":[0,1],"persons":16},{"at":[0,2],"persons":110},{"at":[0,3],"persons":204},
{"at":[1,0],"persons":157},{"at":[1,1],"persons":3},{"at":[1,2],"persons":51},{"at":[1,3],"persons":103},
{"at":[2,0],"persons":173},{"at":[2,1],"persons":13},{"at":[2,2],"persons":59},{"at":[2,3],"persons":101}]}]}
JSON
cat > "$here/policy.yaml" << 'YAML'
name: site-exact
version: 1
inherits: gel-5
minimum: 10
YAML
says 0 'female, 18-39        3  primary    minimum count' "$ACCORD" disclose check "$here/result.json"
"$ACCORD" disclose check "$here/result.json" --format json > "$here/view.json"
jq -e '.format == "accord-checks-1" and .primary == 1 and .primary + .secondary + .safe == (.cells | length) and
  (.cells | map(.verdict) == (map(.verdict) | sort_by({"primary": 0, "secondary": 1, "safe": 2}[.]))) and
  (.cells[0] | .place == "female, 18-39" and .persons == 3 and .rule == "minimum" and .limit == 10 and .done == "hidden" and
    .seen == "[c]" and .attacker_low <= 1 and .attacker_high >= 9) and (.cells[-1] | .value == 101 and .seen == "100" and .done == "rounded")' \
  "$here/view.json" > /dev/null || fail "the checker's view is not what docs/formats/checks.md says"
says 0 'secondary  complementary' "$ACCORD" disclose check "$here/result.json" --policy "$here/policy.yaml"
says 0 '[c]' "$ACCORD" disclose release "$here/result.json"
"$ACCORD" disclose release "$here/result.json" --policy "$here/policy.yaml" -o "$here/out"
for file in released.json by_sex_age.csv by_sex_age.svg; do [ -s "$here/out/$file" ] || fail "no $file"; done
jq -e '[.tables[0].cells[] | select(.hidden)] | length >= 4 and all(.[]; has("value") | not)' "$here/out/released.json" > /dev/null ||
  fail "hidden cells are not hidden, or alone"
grep -q '^female,18-39,,,,suppressed$' "$here/out/by_sex_age.csv" || fail "the CSV does not mark the hidden cell"
grep -qF '[c]' "$here/out/by_sex_age.svg" || fail "the picture does not mark the hidden cell"
grep -qE '<desc id="desc">A pyramid of persons .* of 12 values are suppressed' "$here/out/by_sex_age.svg" || fail "the picture does not describe itself"
jq '.tables[0] |= (.name = "attrition" | .dimensions = [{name: "rule", nested: true, levels: [{label: "any <record>"}, {label: "adult"}, {label: "observed"}]}] |
  .cells = [{at: [0], persons: 5000}, {at: [1], persons: 4996}, {at: [2], persons: 330}])' "$here/result.json" > "$here/nested.json"
"$ACCORD" disclose release "$here/nested.json" -o "$here/flow"
grep -qF 'any &lt;record&gt;' "$here/flow/attrition.svg" && [ "$(grep -oF 'left out' "$here/flow/attrition.svg" | wc -l)" = 1 ] ||
  fail "the flow shows a small difference, or not the large one"
hash=$("$ACCORD" disclose verify "$here/out/released.json")
[ "$hash" = "$(sha256sum < "$here/out/released.json" | cut -d' ' -f1)" ] || fail "verify prints another hash"

# Changed tables, and tables that give a hidden cell away although their hash was made to fit.
sed 's/"value":330/"value":335/' "$here/out/released.json" > "$here/changed.json"
says 8 'are not those of this record' "$ACCORD" disclose verify "$here/changed.json"
says 3 "did you mean 'minimum'" "$ACCORD" disclose check "$here/result.json" --policy <(sed 's/minimum/minimun/' "$here/policy.yaml")
says 5 "'minimum' is looser" "$ACCORD" disclose check "$here/result.json" --policy <(sed 's/minimum: 10/minimum: 3/' "$here/policy.yaml")
sed 's/"persons":330/"persons":331/' "$here/result.json" > "$here/wrong.json"
says 3 'do not add up' "$ACCORD" disclose check "$here/wrong.json"
says 4 '' "$ACCORD" disclose check "$here/absent.json"

# A model that is too small stays in with its rule, and the rest leaves; one that has no estimate is [x], not [c].
jq '.tables += [{"name": "small_ratios", "title": "A small model", "unit": "odds ratio", "type": "regression", "degrees_of_freedom": 4, "persons": 12,
  "parameters": 8, "dimensions": [{"name": "term", "levels": [{"label": "sex: male"}]}], "cells": [{"at": [0], "persons": 12, "value": 1.357}]},
  {"name": "ratios", "title": "A model", "unit": "odds ratio", "type": "regression", "degrees_of_freedom": 400, "persons": 404, "parameters": 4,
  "dimensions": [{"name": "term", "levels": [{"label": "sex: male"}, {"label": "age"}]}],
  "cells": [{"at": [0], "persons": 404, "value": 2.468}, {"at": [1], "persons": 404, "value": null}]}]' "$here/result.json" > "$here/models.json"
says 0 "withheld: small_ratios (too few degrees of freedom)" "$ACCORD" disclose release "$here/models.json"
says 0 "table 'small_ratios' is withheld" "$ACCORD" disclose check "$here/models.json"
"$ACCORD" disclose release "$here/models.json" -o "$here/models"
[ ! -e "$here/models/small_ratios.csv" ] && ! grep -rq '1\.357' "$here/models" || fail "what is withheld is in a file"
jq -e '[.tables[].name] == ["by_sex_age", "ratios"] and (.record.tables | map(.withheld // .name)) ==
  ["by_sex_age", "too few degrees of freedom", "ratios"] and .tables[1].cells[1] == {at: [1], not_estimated: true}' "$here/models/released.json" > /dev/null || fail "the record does not say what is withheld"
grep -q '^age,,,,not estimated$' "$here/models/ratios.csv" || fail "the CSV does not tell what has no estimate"
"$ACCORD" disclose verify "$here/models/released.json" > /dev/null
sed 's/"hidden":4,"interval/"hidden":3,"interval/' "$here/models/released.json" > "$here/miscounted.json"
cmp -s "$here/models/released.json" "$here/miscounted.json" || says 16 'does not count the table' "$ACCORD" disclose verify "$here/miscounted.json"
