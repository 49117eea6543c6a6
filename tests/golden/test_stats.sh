#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# accord stats: formats, defaults, and what it says to wrong input.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAILED: $1" >&2; exit 1; }
same() { [ "$2" = "$3" ] || { echo "FAILED: $1" >&2; printf 'got:\n%s\nexpected:\n%s\n' "$2" "$3" >&2; exit 1; }; }
refused() { # name, words the message must hold, command...
  local name=$1 words=$2; shift 2
  if "$ACCORD" stats "$@" > out 2> err; then fail "$name: was not refused"; fi
  grep -q -- "$words" err || { cat err >&2; fail "$name: the message lacks '$words'"; }
  [ ! -s out ] || fail "$name: something was printed"
}

printf 'area,x,n\nNorth,8,1200\nSouth,65,9100\nEast,NA,700\n' > rates.csv
same "rates as CSV" "$("$ACCORD" stats rate rates.csv --multiplier 1000 --format csv | cut -d, -f1,4-7)" \
'area,value,lower,upper,reason
North,6.666666666666667,2.8781934806237515,13.135991016827763,
South,7.1428571428571423,5.5124382099406004,9.1043009391142675,
East,,,,missing_input'
same "one pair of limits for each level" "$("$ACCORD" stats rate rates.csv --confidence 0.95,0.998 --format json | jq -c '.rows[0] | keys')" \
'["area","lower","lower99_8","n","reason","upper","upper99_8","value","x"]'
same "grouped" "$("$ACCORD" stats proportion rates.csv --where area=North,South --group area --format json | jq -c '[.rows[].area]')" '["North","South"]'

printf 'y,_intercept,a,b\n1,1,0.5,x\n0,1,0.1,y\n1,1,NA,x\n0,1,0.9,y\n1,1,0.8,y\n1,1,0.2,x\n0,1,0.4,x\n' > model.csv
same "rows with a missing value are dropped, text is a factor" \
  "$("$ACCORD" stats glm model.csv --family binomial --format json | jq -c '[.n, .rows_dropped_missing, [.coefficients[].term]]')" '[6,1,["_intercept","a","by"]]'
same "the reference level can be chosen" \
  "$("$ACCORD" stats glm model.csv --family binomial --levels b=y,x --format json | jq -c '[.coefficients[].term]')" '["_intercept","a","bx"]'

refused "no file" "nowhere.csv" rate nowhere.csv
refused "no such column" "did you mean 'area'" rate rates.csv --group aera
refused "text where numbers belong" "line 2, column area: expected a number" rate rates.csv --x area
iconv -f UTF-8 -t UTF-16 rates.csv > wide.csv
refused "UTF-16" "wide.csv is in UTF-16; expected UTF-8.*iconv -f UTF-16 -t UTF-8" rate wide.csv
tr '\n' '\r' < rates.csv > old.csv
same "lines that end in a carriage return" "$("$ACCORD" stats rate old.csv)" "$("$ACCORD" stats rate rates.csv)"
refused "half a confidence" "from 0.9 to 1" rate rates.csv --confidence 0.5
refused "two levels" "0.95,0.998" rate rates.csv --confidence 0.9,0.95
refused "nothing left" "no rows that --where lets through" rate rates.csv --where area=West
printf 'x,n\n3,10\n-1,10\n' > negative.csv
refused "negative count" "line 3: a count of events is negative" rate negative.csv
printf 'x,n\n11,10\n' > above.csv
refused "numerator above denominator" "greater than its denominator" proportion above.csv
printf 'y,x\n0,1\n0,2\n0,3\n1,4\n1,5\n1,6\n' > apart.csv
refused "separation" "separation.*by x" glm apart.csv --family binomial
printf 'time,status,x\n1,0,1\n2,0,0\n3,0,1\n' > nobody.csv
refused "no events" "no_events" cox nobody.csv
refused "a log-rank test without events" "no_events" logrank <(printf 'time,status,g\n1,0,a\n2,0,b\n3,0,a\n') --group g
printf 'g,v,w\n%s' "$(for i in {1..9}; do printf 'a,0.1,0.3\nb,0.1,0.3\n'; done)" > same.csv
refused "groups of one value" "some spread" compare same.csv --x v --group g
refused "a correlation of constants" "some spread" correlate same.csv --x v --y w
same "the mean of one value" "$("$ACCORD" stats mean same.csv --x v --format json | jq -c '.rows[0] | [.sd, .skewness, .shape_reason]')" \
  '[0,null,"every value is the same: it has no shape"]'
printf 'x,n\n1\0002,10\n' > zero.csv
refused "a zero byte in a number" "line 2, column 1 (x): expected text without zero bytes" rate zero.csv
printf 'x,n\n1,1e300\n' > huge.csv
refused "a number whose powers have no place" "line 2, column n: expected a number (up to 1e60 in size)" rate huge.csv
printf 'x,n\n1e20,1e20\n' > stars.csv
same "a count as large as stars" "$("$ACCORD" stats rate stars.csv --method exact --multiplier 1 --format json |
  jq -c '.rows[0] | [(.lower - 1 + 1.95996398454e-10 | fabs < 1e-15), (.upper - 1 - 1.95996398454e-10 | fabs < 1e-15)]')" '[true,true]'
refused "more trials than the fraction can do" "up to 1e15 trials" proportion stars.csv --method exact
printf 'x,n,w,age\n1,10,1,a\n-1,10,1,b\n' > strata.csv
refused "a count below 0, the file named once" "^accord: strata.csv line 3" dsr strata.csv --standard w
printf 'yi,vi\n0.5,0.5\n0.5,0.5\n0.5,0.5\n' > alike.csv
same "no spread is a reason" "$("$ACCORD" stats meta alike.csv --knapp-hartung --format json | jq -c '.coefficients[0] | [.se, .p, .reason]')" '[0,0,"no_spread"]'
refused "unknown family" "must be one of gaussian" glm apart.csv --family binomia
printf 'bed,rr,spo2,sbp,pulse,temp,oxygen,acvpu,scale\n1,22,93,105,95,38.5,oxygen,A,1\n2,16,97,120,70,37,air,A,2\n3,16,,120,70,37,air,A,1\n' > news.csv
[ "$("$ACCORD" stats news2 news.csv --format json | jq -c '[.rows[] | [.news2, .band, .reason]]')" = \
  '[[9,"high",null],[0,"zero",null],[null,null,"no reading of spo2"]]' ] || fail "news2"
printf 'rr,spo2,sbp,pulse,temp,oxygen,acvpu\n16,97,120,70,98.6,air,A\n' > fahrenheit.csv
refused "an impossible temperature" "line 2: temperature must lie between 20 and 46" news2 fahrenheit.csv
printf 'rr,spo2,sbp,pulse,temp,oxygen,acvpu\n16,97,120,70,37,perhaps,A\n' > perhaps.csv
refused "an unknown word" "line 2: column 'oxygen': expected one of" news2 perhaps.csv
printf 'y,p,who\n1,0.2,a\n0,0.1,b\n1,0.4,c\n' > series.csv
same "a CUSUM and its VLAD" "$("$ACCORD" stats cusum series.csv --format csv | cut -d, -f1,2,5)" 'row,y,vlad
1,1,-0.80000000000000004
2,0,-0.70000000000000007
3,1,-1.3'
refused "an odds ratio of 1" "odds-ratio must be above 0 and not 1" cusum series.csv --odds-ratio 1
refused "a series without its change" "change is needed" its series.csv
refused "more groups than two" "3 groups: 'welch' compares two" compare series.csv --x y --group who
refused "no control among the rows" "negative controls have an estimate; at least 5" calibrate series.csv --y p --se p --control y
printf 'who,what\na,z\nb,z\n' > column.csv
refused "a table of one column" "two rows and two columns" table column.csv --rows who --columns what
refused "a treatment of 0.2" "line 2: --treatment: expected 0 or 1" propensity series.csv --treatment p --x who
printf 'x,n\n3,10\n2,0\n' > empty.csv
refused "nobody in a unit" "a denominator above 0" shrink empty.csv
refused "a p-value of 3" "line 2: expected a p-value" adjust empty.csv --p x
echo "accord stats: formats and refusals as promised"
