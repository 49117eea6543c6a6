#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A study on public OMOP data that nobody here wrote: its counts are those that awk takes from the CSV files.
set -euo pipefail
data=${ACCORD_SHARED:-$SOURCE/../shared}/data/circe/cdm
[ -d "$data" ] || { echo "no public data at $data"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "test_study_public: $*" >&2; exit 1; }

# Column number of a header name in a comma-separated file.
column() { zcat "$1" | sed -n 1p | tr -d '"\r' | tr ',' '\n' | grep -inx "$2" | cut -d: -f1; }

# The condition that most people have on a day on which they are observed, and how many do.
commonest() {
  local events=$1/condition_occurrence.csv.gz periods=$1/observation_period.csv.gz
  { zcat "$periods" | tail -n +2 | awk -F, -v p="$(column "$periods" person_id)" -v s="$(column "$periods" observation_period_start_date)" \
      -v e="$(column "$periods" observation_period_end_date)" '{ gsub(/["\r]/, ""); print "P", $p, substr($s, 1, 10), substr($e, 1, 10) }'
    zcat "$events" | tail -n +2 | awk -F, -v p="$(column "$events" person_id)" -v c="$(column "$events" condition_concept_id)" \
      -v s="$(column "$events" condition_start_date)" '{ gsub(/["\r]/, ""); print "E", $p, $c, substr($s, 1, 10) }'
  } | awk '
    $1 == "P" { k = ++n[$2]; from[$2, k] = $3; to[$2, k] = $4; next }
    $3 + 0 && !(($3, $2) in seen) { for (k = 1; k <= n[$2]; k++) if (from[$2, k] <= $4 && $4 <= to[$2, k]) { seen[$3, $2] = 1; had[$3]++; break } }
    END { for (c in had) if (had[c] > most || (had[c] == most && c < best)) { most = had[c]; best = c } print best, most }'
}

for set in gibleed synthea27nj mimic; do
  [ -d "$data/$set" ] || continue
  "$ACCORD" node import "$data/$set" --store "$work/$set" --on-error skip --quiet > /dev/null || fail "$set: import"
  read -r concept persons < <(commonest "$data/$set")
  "$ACCORD" study new crosstab 2> /dev/null |
    jq --argjson c "$concept" '.cohorts[0].definition.ConceptSets[0].expression.items[0] = {concept: {CONCEPT_ID: $c}, includeDescendants: false}
      | .analyses = [{kind: "crosstab", name: "t", cohort: "target", by: ["sex"]}]' > "$work/study.json"
  "$ACCORD" study run "$work/study.json" --store "$work/$set" --format json > "$work/out.json" || fail "$set: run"
  shown=$(jq '.tables[0].cells[] | select(.at == [0]) | .value // -1' "$work/out.json")
  [ "$shown" = $(( (persons + 2) / 5 * 5 )) ] || fail "$set: concept $concept: $shown shown, $persons in the files"
  echo "$set: concept $concept, $persons persons in the files, $shown shown"
done
