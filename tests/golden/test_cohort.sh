#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# accord cohort as a user sees it: what a definition means, errors that say where, exit codes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > copd.txt <<'TEXT'
cohort "Adults with COPD"
set 0 "COPD" { 255573 + descendants "COPD" }
entry { condition in set 0 "COPD" first where age >= 18 }
observed 365 days before 0 days after
limit entry first
rule "no cancer" all of { exactly 0 condition in set 0 starting all before to 1 days before index start }
exit end +0 days
TEXT
same() { # what is compared; expected on stdin, found in "$work/out"
  diff - "$work/out" || { echo "differs: $1"; exit 1; }
}
fails() { # exit code, words of the message, command...
  local code=$1 says=$2; shift 2
  local got=0; "$@" > out 2> err || got=$?
  [ "$got" = "$code" ] || { echo "expected exit code $code, found $got: $*"; cat err; exit 1; }
  grep -qF -- "$says" err || { echo "expected '$says' in:"; cat err; exit 1; }
}

"$ACCORD" cohort check copd.txt > out
same "plain English" <<'TEXT'
Adults with COPD

A person enters the cohort with this event:
- first ever condition occurrence of 'COPD' with age at least 18
The event must lie within a period of observation, at least 365 days after its start.
Of these events only the earliest per person is kept.

Inclusion rule 1, 'no cancer': the event must have all of:
  - no condition occurrence of 'COPD' starting between the start of observation and 1 day before (counted from the start of the index event)

The person leaves the cohort 0 days after the end of the event, at the latest when observation ends.
TEXT
"$ACCORD" cohort format copd.txt --as circe > copd.json
"$ACCORD" cohort format copd.json --as text > round.txt
"$ACCORD" cohort format round.txt --as circe | cmp - copd.json

echo '{"PrimaryCriteria":{"CriteriaList":[{"Death":{"Agee":{"Op":"gt","Value":1}}}]}}' > bad.json
fails 3 "bad.json: \$.PrimaryCriteria.CriteriaList[0].Death.Agee: Circe does not know this field; did you mean 'Age'?" \
  "$ACCORD" cohort check bad.json
echo '{"PrimaryCriteria":' > broken.json
fails 3 "broken.json: line 2, column 0: not valid JSON" "$ACCORD" cohort check broken.json
printf 'cohort "x"\nentry { conditin }' > bad.txt
fails 3 "bad.txt: line 2, column 9: this is no kind of event; did you mean 'condition'?" "$ACCORD" cohort check bad.txt
printf 'cohort \033]0;title\007 "x"' > steering.txt # what a terminal would obey is not passed on
fails 3 "expected a text in quotes" "$ACCORD" cohort check steering.txt
if grep -q $'\033' err; then echo "an escape reaches the terminal"; exit 1; fi
fails 4 "absent.json" "$ACCORD" cohort check absent.json
fails 2 "--store" "$ACCORD" cohort run copd.json
fails 2 "expected text or circe" "$ACCORD" cohort format copd.json --as yaml
echo '{"PrimaryCriteria":{"CriteriaList":[{"Death":{"note":1}}]}}' > noted.json
"$ACCORD" cohort check noted.json > out 2> err
grep -q 'does not know the field $.PrimaryCriteria.CriteriaList\[0\].Death.note' err

# Files as they come from elsewhere: what is read, and what is said of the others.
meaning() { "$ACCORD" cohort check "$1" 2> err; }
meaning copd.json > expected
printf '\357\273\277' | cat - copd.json > bom.json
meaning bom.json | cmp - expected
printf '\357\273\277' | cat - copd.txt > bom.txt
meaning bom.txt | cmp - expected
tr '\n' '\r' < copd.json > cr.json
meaning cr.json | cmp - expected
sed 's/^set 0/# a remark\n&/' copd.txt | tr '\n' '\r' > cr.txt # a remark ends with its line, whatever ends that
meaning cr.txt | cmp - expected
printf 'cohort "x"\r\nentry {\r  conditin }\r' > bad-cr.txt
fails 3 "bad-cr.txt: line 3, column 3: this is no kind of event" "$ACCORD" cohort check bad-cr.txt
jq '{id: 1, name: "As ATLAS exports it", expression: del(.Title)}' copd.json > wrapped.json
meaning wrapped.json | head -1 | grep -qx 'As ATLAS exports it'
jq '{name: "As a text", expression: (del(.Title) | tojson)}' copd.json > wrapped.json
meaning wrapped.json | head -1 | grep -qx 'As a text'
jq '[., .]' copd.json > list.json
fails 3 "list.json: this is a list of 2; expected one cohort definition in a file" "$ACCORD" cohort check list.json
jq '.ConceptSets[0].expression' copd.json > set.json
fails 3 "set.json: this is a concept set; expected a cohort definition" "$ACCORD" cohort check set.json
echo '{"title": "x", "cohorts": [], "analyses": []}' > study.json
fails 3 "study.json: this is a study; expected a cohort definition" "$ACCORD" cohort check study.json
iconv -f UTF-8 -t UTF-16 copd.json > wide.json
fails 3 "wide.json is in UTF-16; expected UTF-8" "$ACCORD" cohort check wide.json
: > nothing.json
fails 3 "nothing.json is empty; expected a cohort definition" "$ACCORD" cohort check nothing.json
head -c 300 copd.json > short.json
fails 3 "short.json: line" "$ACCORD" cohort check short.json
fails 9 "Is a directory" "$ACCORD" cohort check .
jq '.ConceptSets[0].expression.items = [range(100000) | {concept: {CONCEPT_ID: .}, includeDescendants: true}]' copd.json > many.json
"$ACCORD" cohort format many.json --as text > many.txt
"$ACCORD" cohort format many.txt --as circe > many.circe
"$ACCORD" cohort format many.json --as circe | cmp - many.circe
for depth in 60 70; do
  jq -n --argjson n $depth 'reduce range($n) as $i ({Type: "ALL"}; {Type: "ALL", Groups: [.]}) |
    {PrimaryCriteria: {CriteriaList: [{Death: {}}]}, AdditionalCriteria: .}' > deep$depth.json
done
"$ACCORD" cohort check deep60.json > out
fails 3 "groups are nested deeper than 64" "$ACCORD" cohort check deep70.json
head -c 200000 /dev/zero | tr '\0' '[' > open.json
fails 3 "maximum parsing depth" "$ACCORD" cohort check open.json

# On a store: one failing file does not stop the others, and the exit code says so.
"$ACCORD" synth --persons 300 --seed 5 --out site > /dev/null 2>&1
"$ACCORD" node import site --store store --quiet > /dev/null 2>&1
fails 3 "1 of 3 cohorts could not be evaluated" "$ACCORD" cohort digest copd.json bad.json noted.json --store store
[ "$(cut -f1 out | tr '\n' ' ')" = "copd noted " ]
grep -qE $'^copd\t[0-9]+\t[0-9]+\t[0-9a-f]{64}$' out
"$ACCORD" cohort run copd.json --store store --format csv --quiet > out
head -2 out | grep -q '^cohort entry events,'
persons=$(tail -1 out | cut -d, -f2)
"$ACCORD" cohort diff copd.json copd.txt --store store --format csv > out
grep -q "^in both,,$persons$" out
grep -q '^only in the first,,0$' out
"$ACCORD" cohort explain copd.json --store store --format csv 2> err > out
head -1 out | grep -qx 'step,events of,runs,rows (estimate),rows read,bytes decoded,events found'
awk -F, 'NR > 1 && ($4 > 2 * $5 || $5 > 2 * $4) { exit 1 }' out # the estimate is near
grep -q '^$.PrimaryCriteria.CriteriaList\[0\].ConditionOccurrence,condition occurrence,' out
"$ACCORD" cohort run copd.json --store store --combinations --format csv --quiet | grep -q '^rules that hold,persons,events$'

# An answer that cannot be written is no success, whoever prints it.
for command in "check copd.json" "format copd.json --as text" "format copd.json --as circe" "run copd.json --store store" \
  "digest copd.json --store store"; do
  code=0; "$ACCORD" cohort $command > /dev/full 2> err || code=$?
  [ $code = 10 ] && grep -qF "cannot write to 'stdout': No space left on device" err || { echo "$command on a full disk: $code"; cat err; exit 1; }
done

# Saved cohorts: rows go into the store's folder, for its owner only; a flipped bit, another import and bad names are refused.
"$ACCORD" cohort run noted.json --store store --save deaths.2024 --quiet > out 2> err
[ "$(stat -c %a store/cohorts/deaths.2024.rows)" = 600 ]
"$ACCORD" cohort run noted.json --store store --save again > out 2> err
id=$(sed -n 's/^saved in the store as .again., id //p' err)
"$ACCORD" cohort saved --store store --format csv > out
[ "$(grep -c ",current,$id$" out)" = 2 ] # the same content has the same id
cmp store/cohorts/deaths.2024.rows store/cohorts/again.rows
"$ACCORD" cohort digest noted.json saved:again --store store 2> err | cut -f2- | uniq | wc -l | grep -qx 1
"$ACCORD" cohort diff saved:again noted.json --store store --format csv 2> err > out
grep -q '^only in the first,,0$' out
grep -q '^only in the second,,0$' out
fails 3 "cannot be the name of a saved cohort" "$ACCORD" cohort run noted.json --store store --save ../up
echo 'cohort "every condition" entry { condition } limit entry all exit end +0 days' > every.txt
kept=$(ls store/cohorts)
(ulimit -f 1; fails 10 "File too large" "$ACCORD" cohort run every.txt --store store --save full --quiet) # as on a full disk
[ "$(ls store/cohorts)" = "$kept" ]
fails 2 "leave out one of the two" "$ACCORD" cohort run copd.json --store store --save x --combinations
fails 4 "no saved cohort 'x'" "$ACCORD" cohort forget x --store store
printf '\377' | dd of=store/cohorts/again.rows bs=1 seek=200 conv=notrunc status=none
fails 8 "the saved cohort 'again' is damaged" "$ACCORD" cohort diff saved:again noted.json --store store
"$ACCORD" cohort forget again --store store
"$ACCORD" synth --persons 200 --seed 6 --out other > /dev/null 2>&1
"$ACCORD" node import other --store store --quiet > /dev/null 2>&1
"$ACCORD" cohort saved --store store --format csv | grep -q '^deaths.2024,.*,another,'
fails 6 "is of another import" "$ACCORD" cohort digest saved:deaths.2024 --store store
