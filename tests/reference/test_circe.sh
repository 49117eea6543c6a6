#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every cohort of the reference, on every data set there, gives the rows that circe-be's SQL gives on PostgreSQL 15:
# same count of rows and persons, same SHA-256. ACCORD_SHARED says where the reference lies.
set -euo pipefail
data=${ACCORD_SHARED:-$SOURCE/../shared}/data/circe
[ -d "$data" ] || { echo "no reference data at $data"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xJf "$data/cdm/synth2k.tar.xz" -C "$work"
for set in gibleed mimic synthea27nj; do ln -s "$data/cdm/$set" "$work/$set"; done
for set in synth2k gibleed mimic synthea27nj; do
  "$ACCORD" node import "$work/$set" --store "$work/$set.store" --quiet > /dev/null 2> "$work/import.log" ||
    { cat "$work/import.log" >&2; exit 1; }
done

compared=0
compare() { # folder of cohorts, data set
  cut -f1-4 "$data/expected/$1-$2.tsv" | tail -n +2 | sort > "$work/expected"
  "$ACCORD" cohort digest "$data/cohorts/$1"/*.json --store "$work/$2.store" | sort > "$work/found"
  diff "$work/expected" "$work/found" > "$work/diff" ||
    { echo "$1 on $2: < the reference, > accord"; head -20 "$work/diff"; exit 1; }
  compared=$((compared + $(wc -l < "$work/found")))
}
for set in synth2k gibleed mimic synthea27nj; do compare library "$set"; done
compare features synth2k
compare random synth2k
[ "$compared" -gt 0 ]
# The number of threads never shows.
"$ACCORD" cohort digest "$data/cohorts/random"/*.json --store "$work/synth2k.store" --threads 1 > "$work/one"
"$ACCORD" cohort digest "$data/cohorts/random"/*.json --store "$work/synth2k.store" --threads 5 > "$work/five"
cmp "$work/one" "$work/five"
# The text form says the same, and goes back to the same JSON.
for folder in library features random; do
  mkdir "$work/text"
  for file in "$data/cohorts/$folder"/*.json; do
    text=$work/text/$(basename "$file" .json)
    "$ACCORD" cohort format "$file" --as text > "$text" 2> "$work/remarks"
    "$ACCORD" cohort format "$file" --as circe > "$work/there" 2> "$work/remarks"
    "$ACCORD" cohort format "$text" --as circe | cmp - "$work/there" || { echo "the text form of $file loses something"; exit 1; }
  done
  "$ACCORD" cohort digest "$work/text"/* --store "$work/synth2k.store" | sort > "$work/found"
  cut -f1-4 "$data/expected/$folder-synth2k.tsv" | tail -n +2 | sort | diff - "$work/found"
  rm -r "$work/text"
done
echo "$compared comparisons, all equal"
