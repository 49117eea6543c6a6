#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Published examples of a release beside an earlier one (../shared/data/disclosure), over real rows: the guard of a node refuses the second of
# each pair, and lets it pass where the first was not released. Minimum 5, exact counts.
set -euo pipefail
data="${ACCORD_SHARED:-$SOURCE/../shared}/data/disclosure"
[ -d "$data/rules" ] || exit 77
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
fail() { echo "test_disclose_differencing: $*" >&2; exit 1; }

"$ACCORD" synth --out "$here/synth" --persons 20 --seed 1 --quiet > /dev/null
omop() { # folder, persons, of them men, with heart disease, of them men: the last persons are women
  mkdir "$here/$1"
  cp "$here/synth"/{concept,vocabulary,concept_ancestor,concept_relationship}.csv "$here/$1/"
  head -n 1 "$here/synth/person.csv" > "$here/$1/person.csv"
  head -n 1 "$here/synth/observation_period.csv" > "$here/$1/observation_period.csv"
  head -n 1 "$here/synth/condition_occurrence.csv" > "$here/$1/condition_occurrence.csv"
  for i in $(seq $(($2 + 30))); do # thirty others live there
    echo "$i,$((i <= $3 ? 8507 : 8532)),1995,1,1,,0,0,,,,$i,,0,,0,,0" >> "$here/$1/person.csv"
    echo "$i,$i,2018-01-01,2025-12-31,32817" >> "$here/$1/observation_period.csv"
    [ "$i" -le "$2" ] || continue
    echo "$i,$i,133834,2019-01-01,,,,32817,,,,,,,," >> "$here/$1/condition_occurrence.csv"
    if [ "$i" -le "$5" ] || [ "$i" -gt $(($2 - $4 + $5)) ]; then echo "1$i,$i,255573,2019-01-01,,,,32817,,,,,,,," >> "$here/$1/condition_occurrence.csv"; fi
  done
  "$ACCORD" node import "$here/$1" --store "$here/$1.store" --key "$here/key" --quiet > /dev/null 2>&1 || fail "import of $1"
}
study() { # name, primary criterion
  jq -n --argjson event "$2" --arg name "$1" '{title: $name, cohorts: [{name: "target", definition: {
    ConceptSets: ([133834, 255573] | to_entries | map({id: .key, name: "set \(.key)", expression: {items: [{concept: {CONCEPT_ID: .value}}]}})),
    PrimaryCriteria: {CriteriaList: [$event], ObservationWindow: {PriorDays: 0, PostDays: 0}, PrimaryCriteriaLimit: {Type: "First"}},
    QualifiedLimit: {Type: "First"}, ExpressionLimit: {Type: "First"}, InclusionRules: [], CensoringCriteria: [],
    CollapseSettings: {CollapseType: "ERA", EraPad: 0}}}], analyses: [{kind: "count", name: "persons", cohort: "target"}]}' > "$here/$1.json"
}
run() { # node, study, store: the printed count of the cohort, or "refused"
  [ -d "$here/$1" ] || "$ACCORD" node init --data "$here/$1" --quiet > /dev/null
  "$ACCORD" study run "$here/$2.json" --store "$here/$3.store" --node "$here/$1" --project p --policy gel-5 --format json --quiet 2> "$here/talk" |
    jq -e '.tables[0].cells[-1].value' || { grep -q '^accord: the differencing rule' "$here/talk" && echo refused; }
}
men='"Gender": [{"CONCEPT_ID": 8507}]'
study all '{"ConditionOccurrence": {"CodesetId": 0}}' # the band: everybody else has neither
study men "{\"ConditionOccurrence\": {\"CodesetId\": 0, $men}}"
study ill '{"ConditionOccurrence": {"CodesetId": 1}}'
study ill_men "{\"ConditionOccurrence\": {\"CodesetId\": 1, $men}}"
pair() { jq -r ".issue_117_differencing.$1" "$data/rules/checks.json"; }
omop first "$(pair first)" "$(pair first)" 0 0
omop second "$(pair second)" "$(pair second)" 0 0
[ "$(run node117 all first)" = "$(pair first)" ] || fail "the first release of issue 117: $(cat "$here/talk")"
[ "$(run node117 all second)" = refused ] || fail "the second release of issue 117 is not refused"
band() { jq -r ".secondary_examples_opensafely[1].$1[\"21-30\"][$2]" "$data/rules/checks.json"; }
omop band "$(band total 1)" "$(band male 1)" "$(band total 0)" "$(band male 0)"
[ "$(run all all band) $(run ill ill band)" = "$(band total 1) $(band total 0)" ] || fail "the totals of both sexes: $(cat "$here/talk")"
[ "$(run all men band) $(run ill ill_men band)" = "refused refused" ] || fail "men beside both sexes: $(cat "$here/talk")"
[ "$(run alone men band) $(run alone_ill ill_men band)" = "$(band male 1) $(band male 0)" ] || fail "men alone: $(cat "$here/talk")"
