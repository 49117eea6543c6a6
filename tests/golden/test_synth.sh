#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# accord synth: the same bytes everywhere, rows that refer to rows, and clear refusals that leave nothing behind.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
hash_of() { (cd "$1" && sha256sum ./* | sha256sum | cut -d' ' -f1); }

# The hash was taken on x86-64 with gcc 12 and is the same with clang 14; a change of the generator changes it on purpose only.
ACCORD_THREADS=1 "$ACCORD" synth --persons 2000 --seed 42 --site "West Yorkshire" --out "$work/one" > "$work/one.txt" 2> /dev/null
ACCORD_THREADS=7 "$ACCORD" synth --persons 2000 --seed 42 --site "West Yorkshire" --out "$work/seven" > /dev/null 2>&1
[ "$(hash_of "$work/one")" = "$(hash_of "$work/seven")" ] || fail "the number of threads shows in the bytes"
golden=976a0e4bcf92f9990e9cb9decfc0e3461e1d89638d96cda3a0a3b8a254cc5fba
[ "$(hash_of "$work/one")" = "$golden" ] || fail "other bytes than before: $(hash_of "$work/one")"
"$ACCORD" synth --persons 2000 --seed 43 --site "West Yorkshire" --out "$work/other" > /dev/null 2>&1
[ "$(hash_of "$work/other")" != "$golden" ] || fail "the seed does not matter"
grep -q '^hazard_ratio  *0.72 ' "$work/one.txt" || fail "the planted truths are not printed"
jq -e '.truths | length == 10' "$work/one/truth.json" > /dev/null || fail "truth.json lacks truths"

# Compressed files hold the same text.
for kind in gzip zstd; do
  "$ACCORD" synth --persons 2000 --seed 42 --site "West Yorkshire" --compress $kind --out "$work/$kind" > /dev/null 2>&1
done
for t in person drug_exposure death drug_era; do
  gzip -dc "$work/gzip/$t.csv.gz" | cmp - "$work/one/$t.csv" && zstd -qdc "$work/zstd/$t.csv.zst" | cmp - "$work/one/$t.csv" || fail "$t: other text when compressed"
done

# Every row refers to rows that exist, within the person's observation; ids are unique.
cd "$work/one"
for t in *.csv; do
  case $t in death.csv | concept_*.csv | vocabulary.csv | cdm_source.csv) continue ;; esac
  twice=$(tail -n +2 "$t" | cut -d, -f1 | sort | uniq -d | head -n 1)
  [ -z "$twice" ] || fail "$t: id $twice twice"
done
check_rows() { # table, column of: concept, start, end (0 = none), visit (0 = none)
  awk -F, -v concept="$2" -v start="$3" -v end="$4" -v visit="$5" '
    FILENAME == "concept.csv" { concepts[$1] = 1; next }
    FILENAME == "observation_period.csv" { from[$2] = $3; to[$2] = $4; next }
    FILENAME == "visit_occurrence.csv" && visit { whose[$1] = $2; next }
    FNR > 1 {
      person = (FILENAME == "death.csv") ? $1 : $2
      if (!(person in from)) bad("no such person")
      if (!($concept in concepts) && $concept != 0) bad("no such concept")
      if ($start < from[person] || $start > to[person]) bad("outside observation")
      if (end && $end < $start) bad("ends before it starts")
      if (visit && $visit != "" && whose[$visit] != person) bad("visit of another person")
    }
    function bad(what) { print FILENAME ":" FNR ": " what; exit 1 }
  ' concept.csv observation_period.csv $([ "$5" = 0 ] || echo visit_occurrence.csv) "$1.csv" || fail "$1 refers to nothing"
}
check_rows visit_occurrence 3 4 6 0
check_rows condition_occurrence 3 4 0 12
check_rows drug_exposure 3 4 6 18
check_rows procedure_occurrence 3 4 0 12
check_rows measurement 3 4 0 15
check_rows observation 3 4 0 0
check_rows death 5 2 0 0
check_rows condition_era 3 4 5 0
check_rows drug_era 3 4 5 0
check_rows dose_era 3 6 7 0
awk -F, 'FILENAME == "concept.csv" { ingredient[$1] = /,Ingredient,/; next } FNR > 1 && !ingredient[$3] { print FILENAME, FNR; exit 1 }' \
  concept.csv drug_era.csv dose_era.csv || fail "an era of something that is no ingredient"
awk -F, 'FNR > 1 { n += $6 } END { print n }' condition_era.csv | grep -qx "$(($(wc -l < condition_occurrence.csv) - 1))" || fail "eras do not count every condition"
awk -F, 'FNR > 1 { n += $6 } END { print n }' drug_era.csv | grep -qx "$(($(wc -l < drug_exposure.csv) - 1))" || fail "eras do not count every exposure"
awk -F, 'FNR == 1 { next } FILENAME == "care_site.csv" { site[$1] = 1; next } FILENAME == "location.csv" { place[$1] = 1; next }
  !($9 in place) || !($11 in site) { print FNR; exit 1 }' care_site.csv location.csv person.csv || fail "a person without place"
awk -F, 'FNR == 1 { next } FILENAME == "concept.csv" { concept[$1] = 1; next } !($1 in concept) || !($2 in concept) { print FILENAME, FNR; exit 1 }' \
  concept.csv concept_ancestor.csv concept_relationship.csv || fail "a relation without concept"
[ "$(($(wc -l < death.csv)))" -gt 20 ] || fail "nobody dies"
cd "$work"

# An empty folder that is there may be taken, however it is written; --quiet is quiet.
mkdir "$work/empty" && "$ACCORD" synth --persons 10 --out "$work/empty//" --quiet > /dev/null 2> "$work/err" && [ ! -s "$work/err" ] \
  && [ -f "$work/empty/person.csv" ] || fail "an empty folder with a slash behind"

# Refusals name what is wrong and leave nothing.
refused() { # exit code, text, arguments
  local code=0 want=$1 text=$2; shift 2
  "$ACCORD" synth "$@" > "$work/out" 2> "$work/err" || code=$?
  [ "$code" = "$want" ] || fail "exit $code instead of $want: synth $*"
  grep -q "$text" "$work/err" || fail "no '$text' in: $(cat "$work/err")"
}
refused 2 'out' --persons 10
refused 2 "did you mean 'bench-1m'" --profile bench-m --out "$work/x"
refused 3 "did you mean 'Kent and Medway'" --site "Kent and Medwy" --out "$work/x"
refused 2 'persons' --persons 0 --out "$work/x"
refused 2 'persons' --persons many --out "$work/x"
refused 2 'none, gzip or zstd' --compress lz4 --out "$work/x"
refused 6 'not empty' --persons 10 --out "$work/one"
refused 6 'file' --persons 10 --out "$work/one.txt"
refused 3 'no name' --persons 10 --out ""
refused 4 '' --persons 10 --out /proc/none/x
[ ! -e "$work/x" ] && [ -z "$(ls -d "$work"/*.making-* 2> /dev/null)" ] || fail "something was left behind"
[ "$(hash_of "$work/one")" = "$golden" ] || fail "a refusal changed a folder"

# Interrupted: nothing is left.
"$ACCORD" synth --persons 5000000 --out "$work/long" > /dev/null 2>&1 & pid=$!
for _ in $(seq 50); do ls -d "$work"/long.making-* > /dev/null 2>&1 && break; sleep 0.1; done
kill -INT "$pid"; code=0; wait "$pid" || code=$?
[ "$code" = 14 ] && [ -z "$(ls -d "$work"/long* 2> /dev/null)" ] || fail "Ctrl-C left something behind (exit $code)"

# Memory is that of one batch of persons, however many there are.
peak() { /usr/bin/time -q -o "$work/peak" -f %M "$ACCORD" synth --persons "$1" --out "$work/of$1" > /dev/null 2>&1; cat "$work/peak"; rm -rf "$work/of$1"; }
few=$(peak 5000) many=$(peak 100000)
[ "$many" -lt $((few + few / 4)) ] || fail "20 times the persons take $many KiB instead of $few"

# The bench profiles have the sizes they say.
"$ACCORD" synth --profile bench-1m --persons 2000 --out "$work/bench" --format csv > "$work/bench.csv" 2> /dev/null
awk -F, '$1 == "drug_exposure" && ($2 < 64000 || $2 > 72000) { exit 1 }' "$work/bench.csv" || fail "not 34 medicines a person"
[ "$(grep -c Accord "$work/bench/concept.csv")" = 26535 ] || fail "not 26,525 concepts and ten codes"
[ ! -e "$work/bench/drug_era.csv" ] && ! grep -q era "$work/bench.csv" || fail "the bench profile has eras"
"$ACCORD" synth --profile bench-dense --persons 50 --out "$work/dense" --format csv > "$work/dense.csv" 2> /dev/null
awk -F, '{ n += $2 } END { exit !(n > 40000 && n < 65000) }' "$work/dense.csv" || fail "not 1,000 events a person"
echo "synth: ok"
