#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The audit of published tables: what is given away is found, with its interval, and what is safe is called so.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
fail() { echo "test_disclose_audit: $*" >&2; exit 1; }
audit() { # status, wanted CSV without its header, arguments...
  local want=$1 rows=$2 got=0 out; shift 2
  out=$("$ACCORD" disclose audit --format csv "$@" 2> "$here/talk") || got=$?
  [ "$got" = "$want" ] && [ "$(tail -n +2 <<< "$out")" = "$rows" ] || fail "$*: status $got: $out $(cat "$here/talk")"
}
unsafe=16

# A row and a column with one hidden cell each, marked in every way there is.
for mark in '*' c '[c]' x '[x]' NA '[REDACTED]' '' '<10' '<=9'; do
  printf 'sex,smoker,n\nfemale,yes,%s\nfemale,no,40\nmale,yes,50\nmale,no,60\nTotal,yes,54\nTotal,no,100\n' "$mark" > "$here/t.csv"
  audit $unsafe "$here/t.csv,\"female, yes\",exact,4,4" "$here/t.csv"
done
# Four corners are safe; that the least of them is small is not to be seen. A ceiling of 4 is narrow.
corners() { printf 'a,b,count\n1,1,%s\n1,2,*\n1,All,"1,060"\n2,1,*\n2,2,*\n2,All,1110\nAll,1,1054\nAll,2,1116\n' "$1" > "$here/t.csv"; }
corners '*'
audit 0 "$here/t.csv,\"1, 1\",safe,0,1054
$here/t.csv,\"1, 2\",safe,6,1060
$here/t.csv,\"2, 1\",safe,0,1054
$here/t.csv,\"2, 2\",safe,56,1110" "$here/t.csv"
corners '<5'
audit $unsafe "$here/t.csv,\"1, 1\",narrow,0,4
$here/t.csv,\"1, 2\",narrow,1056,1060
$here/t.csv,\"2, 1\",narrow,1050,1054
$here/t.csv,\"2, 2\",narrow,56,60" "$here/t.csv"
audit 0 "$here/t.csv,\"1, 1\",safe,0,4
$here/t.csv,\"1, 2\",safe,1056,1060
$here/t.csv,\"2, 1\",safe,1050,1054
$here/t.csv,\"2, 2\",safe,56,60" "$here/t.csv" --minimum 6
# No total, no end; rounded totals leave room; a column of another name, totals of another label.
printf 'a,n\n1,*\n2,30\n' > "$here/t.csv"
audit 0 "$here/t.csv,1,safe,0," "$here/t.csv"
printf 'a,persons,status\n1,*,hidden\n2,30,shown\nEngland,35,shown\n' > "$here/t.csv"
audit $unsafe "$here/t.csv,1,exact,5,5" "$here/t.csv" --value persons --total England
audit $unsafe "$here/t.csv,1,narrow,1,9" "$here/t.csv" --value persons --total England --base 5 --minimum 11
# What one table hides another gives away: by a total, or by printing it.
printf 'year,type,value\n2010,G,15\n2010,R/G,*\n2011,G,16\n2011,R/G,*\n' > "$here/cross.csv"
printf 'year,value\n2010,23\n2011,24\nAll,47\n' > "$here/year.csv"
audit 0 "$here/cross.csv,\"2010, R/G\",safe,0,
$here/cross.csv,\"2011, R/G\",safe,0," "$here/cross.csv"
audit $unsafe 'all,"2010, R/G",exact,8,8
all,"2011, R/G",exact,8,8' "$here/cross.csv" "$here/year.csv"
# Values that are no counts.
printf 'a,b,value\n1,x,2.5\n1,y,*\n1,All,4.25\n' > "$here/t.csv"
audit $unsafe "$here/t.csv,\"1, y\",exact,1.75,1.75" "$here/t.csv"

says() { # status, text, arguments...
  local want=$1 text=$2 got=0 out; shift 2
  out=$("$ACCORD" disclose audit "$@" 2>&1) || got=$?
  [ "$got" = "$want" ] && grep -qF -- "$text" <<< "$out" || fail "wanted status $want and '$text', got $got: $out"
}
printf 'a,n\n1,4\n2,many\n' > "$here/bad.csv"
says 3 'bad.csv line 3, column 2 (n): expected a number' "$here/bad.csv"
# A file of any size is refused before it fills the memory.
awk -v OFS=, 'BEGIN { print "a,n"; for (i = 0; i < 500001; i++) print i % 50, 5 }' > "$here/bad.csv"
says 7 'bad.csv: the tables have over 500000 cells together' "$here/bad.csv"
awk -v OFS=, 'BEGIN { print "a,n"; for (i = 0; i < 50000; i++) print i, 5 }' > "$here/bad.csv"
says 7 'bad.csv: the column a has over 50000 labels' "$here/bad.csv"
printf '%s' '{"name":"x","integer":true,"absent":"zero","protect":{"kind":"below","t":10,"lo":1},"dims":{"a":{"total":"T","sums":[["T",["1","2"]]]}},
  "tables":[{"id":"t","vars":["a"],"cells":"many.csv"}]}' > "$here/many.json"
awk -v OFS=, 'BEGIN { print "a,value,freq,primary"; for (i = 0; i < 1000001; i++) print 1, 5, 5, 0 }' > "$here/many.csv"
got=0; "$ACCORD" disclose protect "$here/many.json" > /dev/null 2> "$here/talk" || got=$?
[ "$got" = 7 ] && grep -qF 'many.csv: the tables have over 1000000 cells together' "$here/talk" || fail "a million cells to protect: $got $(cat "$here/talk")"
printf 'a,n\n%01001d,4\n' 1 > "$here/bad.csv"
says 3 'bad.csv line 2, column 1 (a): expected a label of at most 1,000 bytes' "$here/bad.csv"
printf 'a,n\n1,4\n' | iconv -f UTF-8 -t UTF-16 > "$here/bad.csv"
says 3 'bad.csv is in UTF-16; expected UTF-8' "$here/bad.csv"
printf 'a,n\n1,4\n2,30\nTotal,36\n' > "$here/bad.csv"
says 3 'contradict their totals' "$here/bad.csv"
printf 'a,n\n1,4\n1,5\n' > "$here/bad.csv"
says 3 "different values for '1'" "$here/bad.csv"
says 3 'column nothing is missing' "$here/bad.csv" --value nothing
says 4 '' "$here/absent.csv"

# Our own releases stand the audit.
cat > "$here/result.json" << 'JSON'
{"format":"accord-result-1","title":"COPD","tables":[{"name":"by_sex_age","title":"Adults","unit":"persons","type":"count","dimensions":[
{"name":"sex","levels":[{"label":"total"},{"label":"female","parent":0},{"label":"male","parent":0}]},
{"name":"age","levels":[{"label":"total"},{"label":"18-39","parent":0},{"label":"40-64","parent":0},{"label":"65+","parent":0}]}],
"cells":[{"at":[0,0],"persons":330},{"at":[0,1],"persons":16},{"at":[0,2],"persons":110},{"at":[0,3],"persons":204},
{"at":[1,0],"persons":157},{"at":[1,1],"persons":3},{"at":[1,2],"persons":51},{"at":[1,3],"persons":103},
{"at":[2,0],"persons":173},{"at":[2,1],"persons":13},{"at":[2,2],"persons":59},{"at":[2,3],"persons":101}]}]}
JSON
for policy in sde-10 nhs-hes opensafely ons-10-5 gel-5; do
  "$ACCORD" disclose release "$here/result.json" --policy $policy -o "$here/out"
  says 0 'none of' "$here/out/released.json"
  says 0 'none of' "$here/out/by_sex_age.csv" --base 5 --minimum 5
done

# Two tables of one result are laid beside each other before they leave: ACRO's crosstab without margins and its one-way
# tables, each of which would be safe alone.
jq -n '[[4, 52, 104], [12, 58, 100], [30, 40, 50]] as $n | ["a", "b", "c"] as $l | def dim($name): {name: $name, levels: [$l[] | {label: .}]};
  {format: "accord-result-1", title: "linked", tables: [
   {name: "cross", title: "cross", unit: "persons", type: "count", dimensions: [dim("x"), dim("y")],
    cells: [range(3) as $i | range(3) as $k | {at: [$i, $k], persons: $n[$i][$k]}]},
   {name: "by_x", title: "by x", unit: "persons", type: "count", dimensions: [dim("x")], cells: [range(3) | {at: [.], persons: ($n[.] | add)}]},
   {name: "by_y", title: "by y", unit: "persons", type: "count", dimensions: [dim("y")],
    cells: [range(3) as $k | {at: [$k], persons: ([$n[][$k]] | add)}]}]}' > "$here/linked.json"
rm -rf "$here/out"
"$ACCORD" disclose release "$here/linked.json" --policy gel-5 -o "$here/out"
grep -q '^a,a,,,,suppressed$' "$here/out/cross.csv" || fail "the small cell is not hidden"
says 0 'none of' "$here/out/cross.csv" "$here/out/by_x.csv" "$here/out/by_y.csv" --minimum 5
for policy in sde-10 nhs-hes opensafely ons-10-5; do
  "$ACCORD" disclose release "$here/linked.json" --policy $policy -o "$here/out"
  says 0 'none of' "$here/out/cross.csv" "$here/out/by_x.csv" "$here/out/by_y.csv" --base 5 --minimum 8
done
