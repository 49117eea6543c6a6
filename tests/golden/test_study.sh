#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `accord study`: every kind's new study is a good one and fits the schema; mistakes are explained; a study runs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "test_study: $*" >&2; exit 1; }

kinds=$("$ACCORD" study list --format csv | tail -n +2 | cut -d, -f1)
[ "$(wc -w <<< "$kinds")" -ge 13 ] || fail "too few kinds: $kinds"
for kind in $kinds; do
  "$ACCORD" study new "$kind" > "$work/$kind.json" 2> "$work/talk"
  grep -q "docs/analyses/$kind.md" "$work/talk" || fail "new $kind does not name its page"
  [ -f "$SOURCE/docs/analyses/$kind.md" ] || fail "no page docs/analyses/$kind.md"
  "$ACCORD" study check "$work/$kind.json" > /dev/null 2> "$work/talk" || fail "new $kind is not a good study: $(cat "$work/talk")"
  jq -e --arg k "$kind" '.["$defs"][$k]' "$SOURCE/docs/study.schema.json" > /dev/null || fail "no schema of $kind"
  # Every member of the new study is one that the schema knows.
  unknown=$(jq -r --arg k "$kind" --slurpfile schema "$SOURCE/docs/study.schema.json" \
    '.analyses[0] | keys[] | select(. as $m | $schema[0]["$defs"][$k].properties | has($m) | not)' "$work/$kind.json")
  [ -z "$unknown" ] || fail "the schema of $kind does not know: $unknown"
done

explained() { # study, exit code, what the error says
  printf '%s' "$1" > "$work/bad.json"
  set +e; "$ACCORD" study check "$work/bad.json" > "$work/out" 2> "$work/talk"; code=$?; set -e
  [ "$code" = "$2" ] || fail "exit code $code, expected $2: $(cat "$work/talk")"
  grep -qF "$3" "$work/talk" || fail "expected '$3' in: $(cat "$work/talk")"
  [ ! -s "$work/out" ] || fail "an error printed data"
}
explained '{' 3 'bad.json'
explained '{"title": "x"}' 3 '$.cohorts'
explained '{"titel": "x"}' 3 "title"
good=$(jq -c .cohorts "$work/count.json")
explained "{\"title\": \"x\", \"cohorts\": $good, \"analyses\": [{\"kind\": \"cuont\", \"name\": \"a\"}]}" 3 "did you mean 'count'"
explained "{\"title\": \"x\", \"cohorts\": $good, \"analyses\": [{\"kind\": \"count\", \"name\": \"a\", \"cohort\": \"tarket\"}]}" 3 "did you mean 'target'"
# Every mistake is told with its path, also several of one analysis; a cohort at fault is known by its name all the same.
printf '{"titel": "x", "cohorts": %s, "analyses": [{"kind": "count", "name": "a", "cohort": "tarket", "by": 3, "bye": 4}, {"kind": "cuont", "name": "b"},
  {"kind": "count", "name": "b", "cohort": "worse"}]}' "$(jq -c '. + [{"name": "worse", "definition": {"PrimaryCriteria": 5}}]' <<< "$good")" > "$work/bad.json"
set +e; "$ACCORD" study check "$work/bad.json" > "$work/out" 2> "$work/talk"; code=$?; set -e
[ "$code" = 3 ] || fail "many mistakes: exit code $code"
for told in '$.titel: unknown field' '$.cohorts[1].definition: ' '$.analyses[0].cohort: ' '$.analyses[0].by: ' '$.analyses[0].bye: ' '$.analyses[1].kind: ' '$.analyses[2].name: ' '$.title: expected a string' 'has 8 mistakes'; do
  [ "$(grep -cF "$told" "$work/talk")" = 1 ] || fail "expected '$told' once in: $(cat "$work/talk")"
done
# Also several of one definition and of the objects inside an analysis; what lies inside a place at fault is not told again.
jq -n --argjson good "$good" '{title: "x", extra: 1, cohorts: ($good + [
    {name: "Bad", extra: 1, definition: {ConceptSets: [{id: 0, expression: {items: [{concept: {CONCEPT_ID: "x"}}]}}, {expression: {}}, {id: 0}],
     PrimaryCriteria: {CriteriaList: [{ConditionOccurence: {CodesetId: 0, Frist: true}}, {Death: {OccurrenceStartDate: {Op: "after", Value: "2010-13-01"}}}], ObservationWindow: []},
     InclusionRules: [{name: "r", expression: {Type: "SOME", CriteriaList: [{Criteria: {DrugExposur: {}}, StartWindow: {Start: {Days: 1, Coeff: 3}},
       Occurrence: {Type: 7, IsDistinct: true, CountColumn: "VISIT_ID"}}]}}, {name: 5}]}}]),
  analyses: [{kind: "pathways", name: "p", cohort: "target", treatments: [{name: "a", conzepts: [1]}, {concepts: [1, -2]}], era_gap_days: -1},
    {kind: "crosstab", name: "Q", cohort: "target", by: [{by: "age_band", cuts: [5, 4], extra: 1}, {by: "concept"}, {by: "seks"}]},
    {kind: "early_warning", name: "w", cohort: "target", outcome: "Bad", readings: {pulse: {}, spo3: 1, oxygen: {concepts: "x"}}}]}' > "$work/bad.json"
set +e; "$ACCORD" study check "$work/bad.json" > "$work/out" 2> "$work/talk"; code=$?; set -e
[ "$code" = 3 ] || fail "many nested mistakes: exit code $code"
d='$.cohorts[1].definition: $'
while read -r told; do
  grep -qF -- "$told" "$work/talk" || fail "expected '$told' in: $(cat "$work/talk")"
done <<EOF
$.extra: unknown field
$.cohorts[1].extra: unknown field
$.cohorts[1].name: expected
$d.ConceptSets[0].expression.items[0].concept.CONCEPT_ID: expected a number
$d.ConceptSets[1].id: expected a whole number
$d.ConceptSets[2]: another concept set has the id 0 already
$d.PrimaryCriteria.CriteriaList[0].ConditionOccurence: this type of criterion is not known
$d.PrimaryCriteria.CriteriaList[1].Death.OccurrenceStartDate.Op: expected
$d.PrimaryCriteria.CriteriaList[1].Death.OccurrenceStartDate.Value: expected a date
$d.InclusionRules[0].expression.CriteriaList[0].StartWindow.Start: expected Coeff
$d.InclusionRules[0].expression.CriteriaList[0].Occurrence.Type: expected
$d.InclusionRules[0].expression.Type: expected
$d.InclusionRules[1].name: expected
$.analyses[0].treatments[0].conzepts: unknown field
$.analyses[0].treatments[1].concepts: element 1
$.analyses[0].era_gap_days: expected
$.analyses[1].by[0].cuts: element 1
$.analyses[1].by[2].by: 'seks'
$.analyses[2].readings.spo3: unknown field
$.analyses[2].readings.pulse.concepts: required
the study has 30 mistakes
EOF
jq '.cohorts[1].definition' "$work/bad.json" > "$work/worse.json"
set +e; "$ACCORD" cohort check "$work/worse.json" > "$work/out" 2> "$work/talk"; code=$?; set -e
[ "$code" = 3 ] && grep -qF 'the definition has 14 mistakes' "$work/talk" && grep -qF '$.InclusionRules[1].name: expected a text' "$work/talk" ||
  fail "cohort check tells every mistake: exit code $code, $(cat "$work/talk")"
explained "{\"title\": \"x\", \"cohorts\": $good, \"analyses\": [{\"kind\": \"count\"}, {\"kind\": \"count\", \"name\": \"b\"}]}" 3 '$.analyses[0].name: expected a string'
# A definition that is wrong everywhere is told in part.
jq -n --argjson good "$good" '{title: "x", cohorts: [{name: "c", definition: {PrimaryCriteria: {CriteriaList: [range(1000) | {Drug: {}}]}}}], analyses: [{kind: "count", name: "n", cohort: "c"}]}' > "$work/bad.json"
"$ACCORD" study check "$work/bad.json" > "$work/out" 2> "$work/talk" && fail "a thousand mistakes are taken"
grep -qF '$.cohorts[0].definition: more mistakes follow these 100' "$work/talk" && grep -qF 'has 101 mistakes' "$work/talk" || fail "a thousand mistakes: $(tail -3 "$work/talk")"
set +e; "$ACCORD" study new cuont > /dev/null 2> "$work/talk"; code=$?; set -e
[ "$code" = 4 ] || fail "new with an unknown kind: exit code $code"
set +e; "$ACCORD" study run "$work/count.json" --store "$work/nowhere" > /dev/null 2> "$work/talk"; code=$?; set -e
[ "$code" -ne 0 ] && grep -qi "nowhere\|store" "$work/talk" || fail "a missing store is not explained: $(cat "$work/talk")"

"$ACCORD" synth --out "$work/site" --persons 2000 --seed 3 --quiet > /dev/null
"$ACCORD" node import "$work/site" --store "$work/store" --quiet > /dev/null
"$ACCORD" study run "$work/crosstab.json" --store "$work/store" > "$work/table"
grep -q "most deprived" "$work/table" || fail "no table: $(cat "$work/table")"
"$ACCORD" study run "$work/crosstab.json" --store "$work/store" --format json > "$work/released.json"
jq -e '.record and (.tables | length == 1)' "$work/released.json" > /dev/null || fail "no disclosure record"
# Nothing below the policy's minimum is shown.
[ "$(jq '[.tables[].cells[] | select(.hidden | not) | .value | select(. > 0 and . < 10)] | length' "$work/released.json")" = 0 ] ||
  fail "a small count was printed"
"$ACCORD" study run "$work/crosstab.json" --store "$work/store" --format json | cmp - "$work/released.json" || fail "two runs differ"
ACCORD_THREADS=1 "$ACCORD" study run "$work/crosstab.json" --store "$work/store" --format json | cmp - "$work/released.json" ||
  fail "threads show"
jq '.analyses[0] |= {kind, name, cohort, comparator, domains: "all"}' "$work/characterisation.json" > "$work/all.json"
for threads in 1 4; do
  ACCORD_THREADS=$threads "$ACCORD" study run "$work/all.json" --store "$work/store" --format json > "$work/all.$threads"
done
cmp "$work/all.1" "$work/all.4" || fail "threads show in the concepts found"
jq -e '[.tables[0].dimensions[0].levels[].label] | map(split(" ")[0]) | unique | contains(["condition", "drug", "measurement"])' \
  "$work/all.1" > /dev/null || fail "no concepts of all domains"
# A model card: what study and result know is filled in, people say the rest, and what nobody said is missing.
jq '.analyses |= map(select(.kind == "risk_model"))' "$SOURCE/tests/unit/study/truth_study.json" > "$work/model.json"
"$ACCORD" study run "$work/model.json" --store "$work/store" --format json > "$work/model.released"
card() { "$ACCORD" study card "$work/model.json" --result "$work/model.released" --format json "$@"; }
says() { jq -r --arg i "$1" '.items[] | select(.item == $i) | .says'; }
card > "$work/card"
[ "$(jq '.items | length' "$work/card")" = 52 ] || fail "TRIPOD+AI has 52 items"
says 12c < "$work/card" | grep -q 'ridge penalty of 0.0001' || fail "the model's type"
says 23a < "$work/card" | grep -q 'test set: AUROC' || fail "the performance"
[ "$(says 26 < "$work/card")" = null ] || fail "limitations that nobody stated"
printf '{"26": "Routine data.", "12c": "A forest."}' > "$work/said.json"
card --statements "$work/said.json" > "$work/card.said"
[ "$(says 26 < "$work/card.said")" = 'Routine data.' ] || fail "a statement is not in the card"
says 12c < "$work/card.said" | grep -q 'Logistic regression' || fail "a statement replaced what the study says"
[ "$(($(jq .missing "$work/card") - $(jq .missing "$work/card.said")))" = 1 ] || fail "the count of missing items"
printf '{"99": "x"}' > "$work/said.json"
card --statements "$work/said.json" > "$work/out" 2> "$work/talk" && fail "an item that does not exist"
[ ! -s "$work/out" ] || fail "an error printed data"
"$ACCORD" study card "$work/model.json" --result "$work/released.json" > "$work/out" 2> "$work/talk" && fail "a card of another study's result"
grep -q 'another study' "$work/talk" || fail "the refusal does not say why: $(cat "$work/talk")"
echo "study: ok"
