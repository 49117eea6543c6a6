#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Data as it should not be, each kind with what is done about it: read as it is, or refused with file, line, column and what was expected.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAIL: $*" >&2; cat out err >&2; exit 1; }
import() { "$ACCORD" node import cdm --store S > out 2> err; }
fresh() { # a small CDM in cdm/
  rm -rf cdm; mkdir cdm
  printf 'person_id,gender_concept_id,year_of_birth\n1,8507,1950\n2,8532,1960\n-3,8532,1970\n' > cdm/person.csv
  printf 'observation_period_id,person_id,observation_period_start_date,observation_period_end_date\n1,1,2000-01-01,2020-12-31\n2,2,2001-01-01,2002-01-01\n3,-3,2001-01-01,2012-01-01\n' > cdm/observation_period.csv
  printf 'concept_id,concept_name\n201826,Type 2 diabetes mellitus\n' > cdm/concept.csv
  printf 'condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_end_date\n11,1,201826,2010-05-06,\n12,-3,201826,2011-05-06,2011-05-07\n' > cdm/condition_occurrence.csv
}
condition() { printf '%s\n' "$@" >> cdm/condition_occurrence.csv; }
refused() { # words of the message
  local got=0; import || got=$?
  [ "$got" = 3 ] || fail "expected exit code 3, found $got ($1)"
  grep -qF -- "$1" err || fail "expected '$1'"
}
cat > all.txt <<'TEXT'
cohort "all conditions" entry { condition } limit entry all exit end +0 days
TEXT
lines() { # the rows expected, "person,start,end" each, in any order
  local sum; sum=$(printf '%s\n' "$@" | LC_ALL=C sort | sha256sum | cut -d' ' -f1)
  "$ACCORD" cohort digest all.txt --store S > digest
  [ "$(cut -f4 digest)" = "$sum" ] || fail "other rows than $* ($(cat digest))"
}
plain=(1,2010-05-06,2010-05-07 -3,2011-05-06,2011-05-07)
fresh; import; lines "${plain[@]}"

# Dates: both ends of the calendar; a day after the last one is the last one; what is no day is refused.
sed -i 's/2000-01-01,2020-12-31/0001-01-01,9999-12-31/' cdm/observation_period.csv
condition 13,1,201826,0001-01-01, 14,1,201826,9999-12-31,
import; lines "${plain[@]}" 1,0001-01-01,0001-01-02 1,9999-12-31,9999-12-31
for day in 0000-01-01 10000-01-01 2010-13-01 2011-02-29 2010-1-1 01/02/2010 -001-01-01 ' 2010-01-02'; do
  fresh; condition "13,1,201826,$day,"
  refused 'condition_occurrence.csv line 4, column 4 (condition_start_date): expected a date YYYY-MM-DD'
  if grep -qF -- "$day" err; then fail "the message shows the value $day"; fi
done
for word in NULL null NA '\N' None; do
  fresh; condition "13,1,201826,2010-01-01,$word"
  refused 'column 5 (condition_end_date): expected a date YYYY-MM-DD, or an empty field where there is no value'
done
fresh; condition 13,1,201826,20100102, 14,1,201826,2010-02-02T23:59:59Z, '15,1,201826,"2010-03-02 00:00:00.000",'
import; lines "${plain[@]}" 1,2010-01-02,2010-01-03 1,2010-02-02,2010-02-03 1,2010-03-02,2010-03-03

# Events outside every period enter no cohort; an end before the start is taken as it is (and makes no row); periods
# may overlap, lie twice, or end before they start.
fresh; condition 13,1,201826,1999-12-31, 14,1,201826,2021-01-01, 15,1,201826,2012-01-02,2012-01-01
import; lines "${plain[@]}"
fresh; printf '%s\n' 1,1,2000-01-01,2020-12-31 5,1,2005-01-01,2030-12-31 6,1,2009-01-01,2008-01-01 >> cdm/observation_period.csv
import; lines "${plain[@]}"
"$ACCORD" cohort run all.txt --store S --format csv > out 2> err
grep -qx 'cohort entry events,2,4' out || fail "an event counts once in every period that contains it"
fresh; echo 7,1,2010-01-01, >> cdm/observation_period.csv
refused 'observation_period.csv line 5, column 4 (observation_period_end_date): expected a value, found none'

# Ids: 64 bits with a sign, but for the one that means "none"; twice is twice; of a concept the first counts.
fresh; big=9223372036854775807
printf '%s\n' $big,8507,1950 -$big,8507,1950 >> cdm/person.csv
printf '%s\n' 8,$big,2001-01-01,2002-01-01 -$big,-$big,2001-01-01,2002-01-01 >> cdm/observation_period.csv
condition $big,$big,201826,2001-02-03, -$big,-$big,201826,2001-02-03, 11,1,201826,2010-05-06,
import; lines "${plain[@]}" $big,2001-02-03,2001-02-04 -$big,2001-02-03,2001-02-04
"$ACCORD" cohort run all.txt --store S --format csv > out 2> err
grep -qx 'cohort entry events,4,5' out || fail "an event id twice"
for id in 9223372036854775808 -9223372036854775808 1e3 12.5 0x10 ' 12' +12; do
  fresh; condition "$id,1,201826,2010-01-02,"
  refused 'condition_occurrence.csv line 4, column 1 (condition_occurrence_id): expected a whole number'
done
for concept in 2147483648 -2147483648; do
  fresh; condition "13,1,$concept,2010-01-02,"; refused 'column 3 (condition_concept_id): expected a whole number of 32 bits'
done
fresh; condition 13,1,-5,2010-01-02,; refused 'column 3 (condition_concept_id): expected a concept id of 0 or more'
fresh; echo 201826,again >> cdm/concept.csv; import
grep -qx 'concept: 1 rows repeat a concept_id; the first of each counts' err || fail "a concept twice"
"$ACCORD" store profile S > out; grep -qF 'Type 2 diabetes mellitus' out || fail "the first name counts"
fresh; condition 13,99,201826,2010-01-02,; refused 'column 2 (person_id): expected a person that person or observation_period has'

# A visit id twice: whatever the memory and the threads, the lower concept is the event's visit.
fresh; { echo visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date
  for concept in 9203 9201 9202; do echo 5,1,$concept,2010-05-01,2010-05-09; done; } > cdm/visit_occurrence.csv
sed -i '1s/$/,visit_occurrence_id/; 2,$s/$/,5/' cdm/condition_occurrence.csv
for concept in 9201 9202; do
  echo "cohort \"v\" entry { condition where visit-type in ($concept) } limit entry all exit end +0 days" > visit$concept.txt
done
for threads in 1 4; do
  "$ACCORD" node import cdm --store S --threads $threads > out 2> err
  "$ACCORD" cohort digest visit9201.txt visit9202.txt --store S > digest
  [ "$(cut -f2 digest | tr '\n' ' ')" = '1 0 ' ] || fail "a visit id twice: $(cat digest)"
done

# Numbers: exponents are read, words are not.
measured() { fresh; printf 'measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number\n1,1,201826,2010-01-02,%s\n' "$1" > cdm/measurement.csv; }
for pair in '1e3 = 1000' '1.5E-2 = 0.015' '-.5 = -0.5' '5. = 5' '1E-400 = 0' '12345678901234567890 > 12345678901234500000' '-0 = 0' '1e308 > 1e307'; do
  measured "${pair%% *}"; import
  echo "cohort \"value\" entry { measurement where value-as-number ${pair#* } } limit entry all" > value.txt
  [ "$("$ACCORD" cohort digest value.txt --store S | cut -f2)" = 1 ] || fail "the value of $pair"
done
for value in NaN inf -Infinity 1e400 0x1p3 '"1,5"' 1e; do
  measured "$value"; refused 'measurement.csv line 2, column 5 (value_as_number): expected a number'
done

# Texts: line ends and quotes inside quotes, any bytes; a zero byte ends a text, and is no part of a number.
fresh; printf 'observation_id,person_id,observation_concept_id,observation_date,value_as_string\n1,1,201826,2010-01-02,"one\nline, ""two"""\n2,1,201826,2010-01-02,ab\0cd\n3,1,201826,2010-01-02,caf\351\n' > cdm/observation.csv
import
for pair in 'contains "one\nline, \"two\""' 'like "ab"' 'starts "caf"'; do
  echo "cohort \"text\" entry { observation where value-as-string $pair } limit entry all exit end +0 days" > text.txt
  [ "$("$ACCORD" cohort digest text.txt --store S | cut -f2)" = 1 ] || fail "the text of $pair"
done
fresh; printf '13,1,2018\00026,2010-01-02,\n' >> cdm/condition_occurrence.csv
refused 'condition_occurrence.csv line 4, column 3 (condition_concept_id): expected a whole number'

# Line ends, marks, letters of the header, blank lines, separators.
same() { import || fail "$1"; lines "${plain[@]}"; }
fresh; sed -i 's/$/\r/' cdm/*.csv; same "CR LF"
fresh; for f in cdm/*.csv; do printf '\357\273\277' | cat - "$f" > t; mv t "$f"; done; same "a byte order mark"
fresh; sed -i '1s/.*/\U&/' cdm/*.csv; same "an upper-case header"
fresh; sed -i '1s/,/","/g; 1s/^/"/; 1s/$/"/' cdm/*.csv; same "a quoted header"
fresh; sed -i '2s/^/\n\n/' cdm/condition_occurrence.csv; echo >> cdm/condition_occurrence.csv; same "blank lines"
fresh; sed -i 's/,/\t/g' cdm/*.csv; same "tabs"
fresh; truncate -s -1 cdm/condition_occurrence.csv; same "no newline at the end"
for separator in ';' '|'; do
  fresh; sed -i "s/,/$separator/g" cdm/*.csv; refused "concept.csv line 1: fields are separated by '$separator'; expected commas or tabs"
done
fresh; condition 13,1,201826; refused 'condition_occurrence.csv line 4: expected 5 fields like the header, found 3'
fresh; condition 13,1,201826,2010-01-01,,; refused 'condition_occurrence.csv line 4: expected 5 fields like the header, found more than 5'
fresh; condition '13,1,201826,"2010-01-01'; refused 'column 4 (condition_start_date): a quoted field is not closed'
fresh; condition '13,1,201826,20"10"-01-01,'; refused 'a quote inside a field that is not quoted'
fresh; sed -i 's/condition_end_date/condition_start_date/' cdm/condition_occurrence.csv; refused 'column 5 has the same name as column 4'
fresh; : > cdm/condition_occurrence.csv; refused 'condition_occurrence.csv has no header'

# Packed files: told by their content, whatever the name; what ends early or goes on as something else is refused.
fresh; gzip cdm/condition_occurrence.csv; same "gzip"
fresh; gzip cdm/condition_occurrence.csv; mv cdm/condition_occurrence.csv.gz cdm/condition_occurrence.csv; same "gzip without its ending"
fresh; tail -1 cdm/condition_occurrence.csv | gzip > t; sed -i '$d' cdm/condition_occurrence.csv; gzip cdm/condition_occurrence.csv
cat t >> cdm/condition_occurrence.csv.gz; same "two gzip streams, one after the other"
echo more >> cdm/condition_occurrence.csv.gz; refused 'condition_occurrence.csv.gz is damaged: not a valid gzip stream'
for bytes in 4 30; do
  fresh; gzip cdm/condition_occurrence.csv; truncate -s -$bytes cdm/condition_occurrence.csv.gz
  refused 'condition_occurrence.csv.gz is cut short: its gzip stream has no end; copy the file again, complete'
done
if command -v zstd > /dev/null; then
  fresh; zstd -q --rm cdm/condition_occurrence.csv; same "zstd"
  truncate -s -4 cdm/condition_occurrence.csv.zst; refused 'condition_occurrence.csv.zst is cut short: its zstd stream has no end'
fi

# A store of a format that this program does not know.
fresh; import; version=$(readlink S/current)
sed 's/"version": 1/"version": 99/' "S/$version/manifest.json" > manifest; mv manifest "S/$version/manifest.json"
newer=v-$(sha256sum < "S/$version/manifest.json" | cut -c1-16); mv "S/$version" "S/$newer"; ln -sfn "$newer" S/current
code=0; "$ACCORD" cohort run all.txt --store S > out 2> err || code=$?
[ $code = 7 ] && grep -qF 'the store has format version 99, this program reads version 1; import again' err || fail "a newer store: $code"

# Links are followed; one to nowhere and a folder in place of a file are told.
fresh; mv cdm/person.csv kept.csv; ln -s ../kept.csv cdm/person.csv; same "a symbolic link"
rm kept.csv; code=0; import || code=$?
[ $code = 4 ] && grep -qF "the table person is needed: cannot open 'person.csv'" err || fail "a link to nowhere: $code"
rm cdm/person.csv; mkdir cdm/person.csv; code=0; import || code=$?
[ $code = 9 ] && grep -qF "cannot read 'person.csv': Is a directory" err || fail "a folder as a table: $code"
