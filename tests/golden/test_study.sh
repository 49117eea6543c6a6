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
for told in '$.titel: unknown field' '$.cohorts[1].definition: ' '$.analyses[0].cohort: ' '$.analyses[0].by: ' '$.analyses[0].bye: ' '$.analyses[1].kind: ' '$.analyses[2].name: ' 'has 7 mistakes'; do
  [ "$(grep -cF "$told" "$work/talk")" = 1 ] || fail "expected '$told' once in: $(cat "$work/talk")"
done
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
