#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One study with every kind of analysis, over three nodes with masked sums: the released tables are those of the three stores
# read together, and what `accord synth` planted lies within their intervals.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
GRID_KEEP_CSV=1
grid_make 3 8000
cp "$SOURCE/tests/unit/study/truth_study.json" "$GRID/study.json"
missing=$(comm -23 <(a study list --format csv | tail -n +2 | cut -d, -f1 | sort) <(jq -r '.analyses[].kind' "$GRID/study.json" | sort -u))
[ -z "$missing" ] || fail "the study lacks: $missing"
grid_up 3

grid_submit every a1
grid_wait every held 60
grid_hub_is_blind every
grid_approve every
grid_wait every released 20
curl -sf "$ACCORD_HUB/api/v1/runs/every/result" > "$GRID/released.json" || fail "no result"
a study run "$GRID/study.json" --store "$GRID/store0" --store "$GRID/store1" --store "$GRID/store2" --format json --quiet > "$GRID/local.json" ||
  fail "the same study over the three stores"
cmp <(jq -cS '.tables' "$GRID/released.json") <(jq -cS '.tables' "$GRID/local.json") || fail "masked sums gave other tables"

# The 95% interval, half as wide again: a dozen at once would often miss one. The cell whose levels are
# exactly these labels.
covers() { # TABLE TRUTH SCALE LABEL...
  local table=$1 truth=$2 scale=$3; shift 3
  jq -e --arg table "$table" --arg truth "$truth" --argjson scale "$scale" --slurpfile planted "$GRID/omop0/truth.json" '
    ($planted[0].truths[] | select(.name == $truth) | .value) as $t
    | .tables[] | select(.name == $table) | .dimensions as $d
    | .cells[] | select([.at, $d] | transpose | map(.[0] as $i | .[1].levels[$i].label) == $ARGS.positional)
    | (.value * $scale) as $v | ($v + 1.5 * (.lower * $scale - $v) <= $t) and ($t <= $v + 1.5 * (.upper * $scale - $v))
    ' --args "$@" < "$GRID/released.json" > /dev/null || fail "$table, $*: $truth is not within"
}
covers hazard_ratio_ratios hazard_ratio 1 'dapagliflozin: yes'
covers hazard_ratio_common_ratios hazard_ratio 1 'dapagliflozin: yes'
covers odds_ratios_ratios odds_ratio_hypertension 1 'hypertension: yes'
covers odds_ratios_ratios odds_ratio_female 1 'sex: female'
covers odds_ratios_ratios odds_ratio_most_deprived_fifth 1 'deprivation_decile: under 3'
for estimand in 'average effect' 'effect in the treated' overlap stratified matched 'doubly robust'; do
  covers risk_difference_effect risk_difference 1 "$estimand" 'risk difference'
done
covers zoster incidence_per_1000_person_years 0.01 '2000-01-01 to 2030-12-31'
covers programme_effect difference_in_differences 1 'difference in differences'
# A model without an estimate says why, with the columns; the others above went on.
no_estimate() { # TABLE REASON COLUMNS
  jq -e --arg table "$1_no_estimate" --arg reason "$2" --argjson columns "$3" '.tables[] | select(.name == $table)
    | (.title | startswith("No estimate: ")) and (.dimensions[0].levels == [{label: $reason}] ) and ([.dimensions[1].levels[]?.label] == $columns)
    and all(.cells[]; .not_estimated and .value == null)' "$GRID/released.json" > /dev/null || fail "$1 does not say that it has no estimate: $2"
}
# Every model says how many rounds it took, never over eight and one (its test, its variance, its weights).
jq -e '[.tables[] | select(.name | endswith("_coefficients")) | .title | capture("(?<n>[0-9]+) rounds").n | tonumber] | length >= 6 and all(. >= 2 and . <= 9)' \
  "$GRID/released.json" > /dev/null || fail "a model does not say its rounds"
no_estimate no_events no_events '[]'
no_estimate separated separation '["itself: yes"]'
echo "every analysis over three nodes: as over the three stores, and the planted truths within their intervals"
