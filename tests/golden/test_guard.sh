#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The differencing guard from the command line: a cohort that grew by one person is not released twice, the
# requester hears the same words whatever was found, and the history shows no numbers of persons.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "test_guard: $*" >&2; exit 1; }
cd "$work"

for n in 2000 2100; do
  "$ACCORD" synth --out "site$n" --persons "$n" --seed 3 --quiet > /dev/null
  "$ACCORD" node import "site$n" --store "store$n" --key key --quiet > /dev/null 2>&1
done
"$ACCORD" study new crosstab > table.json 2> /dev/null
"$ACCORD" node init --data node > /dev/null
run() { # store, project, more
  "$ACCORD" study run table.json --store "$1" --node node --project "$2" --policy gel-5 "${@:3}" 2> talk
}
run store2000 heart > first || fail "the first release: $(cat talk)"
run store2000 heart | cmp - first || fail "the same release again is not the same"
set +e; run store2100 heart > out; code=$?; set -e
[ "$code" = 16 ] && [ ! -s out ] || fail "a cohort with one person more was released ($code)"
grep -q '^accord: the differencing rule: with what was released before, this could single out fewer persons' talk ||
  fail "the words: $(cat talk)"
grep '^accord:' talk > words
set +e; run store2100 lungs > out; code=$?; set -e
[ "$code" = 16 ] && grep '^accord:' talk | cmp - words || fail "another project hears other words: $(cat talk)"
grep -q '[0-9] person' talk && fail "a number of persons was told"

"$ACCORD" disclose history --data node --format json > history.json
jq -e 'length == 1 and .[0].project == "heart" and .[0].state == "released"' history.json > /dev/null ||
  fail "history: $(cat history.json)"
run store2100 heart --reviewed > /dev/null || fail "a checker could not let it pass: $(cat talk)"
"$ACCORD" disclose history --data node --project heart --format json > history.json
jq -e 'length == 2 and .[0]["combines with"] == .[1].run' history.json > /dev/null || fail "history: $(cat history.json)"
[ "$("$ACCORD" disclose history --data node --project lungs --format json | jq length)" = 0 ] || fail "projects mix"
[ "$(stat -c %a node/guard.db)" = 600 ] || fail "others can read the guard's book"
set +e; "$ACCORD" disclose history --data node --withdraw nothing > /dev/null 2> talk; code=$?; set -e
[ "$code" = 4 ] || fail "withdrawing an unknown run: $code"
set +e; "$ACCORD" disclose history --data . > /dev/null 2> talk; code=$?; set -e
[ "$code" = 4 ] || fail "a folder without a book: $code"
