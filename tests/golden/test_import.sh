#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# accord node import and accord store as a user sees them: what is refused, with which words, and what stays.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAIL: $*" >&2; exit 1; }
fails() { # exit code, words of the message, command...
  local code=$1 says=$2; shift 2
  local got=0; "$@" > out 2> err || got=$?
  [ "$got" = "$code" ] || { cat err >&2; fail "expected exit code $code, found $got: $*"; }
  grep -qF -- "$says" err || { cat err >&2; fail "expected '$says'"; }
}
import() { "$ACCORD" node import cdm --store S "$@"; }
fresh() { # a small CDM in cdm/
  rm -rf cdm; mkdir cdm
  printf 'person_id,gender_concept_id,year_of_birth\n1,8507,1950\n2,8532,1960\n-3,8532,1970\n' > cdm/PERSON.csv
  printf 'observation_period_id,person_id,observation_period_start_date,observation_period_end_date\n1,1,2000-01-01,2020-12-31\n2,9,2001-01-01,2002-01-01\n' > cdm/observation_period.csv
  printf 'concept_id,concept_name\n201826,Type 2 diabetes mellitus\n' > cdm/concept.csv
  printf 'condition_start_date,person_id,condition_concept_id,mood,condition_occurrence_id\n2010-05-06,1,201826,good,11\n2011-05-06 10:00,-3,201826,,12\n' > cdm/Condition_Occurrence.csv
}

fresh; rm cdm/PERSON.csv; fails 4 'the table person is needed' import
[ "$(ls)" = "$(printf 'cdm\nerr\nout')" ] || fail "a first import that fails leaves $(ls)"
fresh
import > out 2> err
grep -q '^condition_occurrence  *2  *0  *2$' out || fail "counts"
grep -qx 'condition_occurrence: unknown columns, ignored: mood' err || fail "unknown column not said"
grep -qx 'drug_exposure: there is no such table in the source' err || fail "missing optional table not said"
grep -q '^observation_period: 1 persons have no row in person' err || fail "unknown person of a period not said"
[ "$(stat -c %a S.key)" = 600 ] || fail "the key can be read by others"
kept=$("$ACCORD" store info S --format csv | grep ^snapshot)
unchanged() {
  [ "$("$ACCORD" store info S --format csv | grep ^snapshot)" = "$kept" ] || fail "the old store was touched: $1"
  [ "$(ls S | grep -c .)" = 3 ] || fail "something was left behind: $1 $(ls S)"
}

fresh; rm cdm/PERSON.csv; fails 4 'the table person is needed: there is no person.csv' import; unchanged "no person"
fresh; rm cdm/concept.csv; fails 4 'the table concept is needed' import; unchanged "no concept"
fresh; rm cdm/observation_period.csv; fails 4 'the table observation_period is needed' import; unchanged "no periods"
import --without-periods > /dev/null 2>&1 || fail "--without-periods"; kept=$("$ACCORD" store info S --format csv | grep ^snapshot)
fresh; sed -i 's/condition_start_date/started/' cdm/Condition_Occurrence.csv
fails 3 'Condition_Occurrence.csv line 1: the column condition_start_date is missing' import; unchanged "no column"
fresh; echo '2010-02-30,1,201826,,13' >> cdm/Condition_Occurrence.csv
fails 3 'Condition_Occurrence.csv line 4, column 1 (condition_start_date): expected a date YYYY-MM-DD' import; unchanged "bad date"
fresh; iconv -f UTF-8 -t UTF-16 cdm/Condition_Occurrence.csv > wide; mv wide cdm/Condition_Occurrence.csv
fails 3 'Condition_Occurrence.csv is in UTF-16; expected UTF-8: save it as' import; unchanged "UTF-16"
fresh; sed -i '3s/2011-05-06 10:00/never/' cdm/Condition_Occurrence.csv; tr '\n' '\r' < cdm/Condition_Occurrence.csv > old; mv old cdm/Condition_Occurrence.csv
fails 3 'Condition_Occurrence.csv line 3, column 1 (condition_start_date): expected a date' import; unchanged "lines that end in CR"
fresh; printf '2010-02-20,1,diabetes,,13\n2010-02-20,77,201826,,14\n,1,201826,,15\n2010-02-20,1,-1,,16\n' >> cdm/Condition_Occurrence.csv
fails 3 'line 4, column 3 (condition_concept_id): expected a whole number' import; unchanged "bad number"
import --on-error skip > out 2> err
grep -q '^condition_occurrence  *6  *4  *2$' out || { cat out err; fail "rejected rows are not counted"; }
grep -qF 'condition_occurrence: 4 rows were rejected; the first:' err || fail "rejected rows not said"
grep -qF 'line 5, column 2 (person_id): expected a person that person or observation_period has' err || fail "unknown person"
grep -qF 'line 6, column 1 (condition_start_date): expected a value, found none' err || fail "missing value"
kept=$("$ACCORD" store info S --format csv | grep ^snapshot)
fresh; gzip cdm/Condition_Occurrence.csv; truncate -s -9 cdm/Condition_Occurrence.csv.gz
fails 3 'Condition_Occurrence.csv.gz is cut short: its gzip stream has no end' import --on-error skip; unchanged "truncated gzip"
fresh; cp cdm/PERSON.csv cdm/person.txt; fails 3 'hold the table person; keep one' import; unchanged "two files"
fresh; echo '1,8507,1950' >> cdm/PERSON.csv; fails 3 'person: 1 rows repeat a person_id' import; unchanged "repeated person"
mkdir other; touch other/file; fails 3 'holds other files' "$ACCORD" node import cdm --store other
fails 4 'there is no store here' "$ACCORD" store info nowhere
fails 2 '--store is needed' "$ACCORD" node import cdm
fails 2 '--on-error must be stop or skip' import --on-error maybe

# Opt-outs go with all that refers to them; the list's date is kept.
fresh; printf 'person_id\n-3\n5\n' > optouts.csv; touch -d 2026-01-02T03:04:05Z optouts.csv
import --opt-outs optouts.csv > out 2> err || { cat err; fail "opt-outs"; }
"$ACCORD" store info S --format json > info
jq -e '.opt_outs == {checked: "2026-01-02T03:04:05Z", listed: 2, rows_left_out: 1} and .persons == 3 and .events == 1' info > /dev/null || fail "$(cat info)"

# The quality report counts what is odd.
fresh; printf '1949-01-01,1,0,,20\n2030-01-01,2,7,,21\n' >> cdm/Condition_Occurrence.csv
import > /dev/null 2>&1
broken() { "$ACCORD" store quality S --format json | jq -r --arg c "$1" '.[] | select(.table == "condition_occurrence" and .check == $c) | .violations'; }
[ "$(broken 'starts before the year of birth')" = 1 ] || fail "before birth"
[ "$(broken 'the concept is 0 or missing')" = 1 ] || fail "unmapped"
[ "$(broken 'the concept is not in the vocabulary')" = 2 ] || fail "unknown concepts"
[ "$(broken "starts outside the person's observation periods")" = 3 ] || fail "outside periods"

# One flipped bit anywhere is found. Every file, at both ends and in the middle.
"$ACCORD" store verify S > /dev/null
for f in S/current/*; do
  size=$(stat -c %s "$f")
  for at in 0 $((size / 2)) $((size - 1)); do
    cp "$f" saved
    byte=$(dd if="$f" bs=1 skip=$at count=1 status=none | od -An -tu1)
    printf "$(printf '\\%03o' $((byte ^ 16)))" | dd of="$f" bs=1 seek=$at conv=notrunc status=none
    fails 8 'the store is damaged' "$ACCORD" store verify S
    cp saved "$f"
  done
done
"$ACCORD" store verify S > /dev/null || fail "the store was not put back"

# The number of threads does not show: all files but the sealed ids and the manifest have the same bytes.
for n in 1 5; do
  "$ACCORD" node import cdm --store T$n --key S.key --threads $n --quiet > /dev/null
done
for f in T1/current/*; do
  case $f in */manifest.json | */persons.acc) continue ;; esac
  cmp "$f" "T5/current/$(basename "$f")" || fail "threads show in $f"
done
