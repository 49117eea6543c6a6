#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Answers to cohort discovery's tasks, rounded and suppressed as the deployed worker's own tests expect them.
set -euo pipefail
data=${ACCORD_SHARED:-$SOURCE/../shared}/data/rquest
[ -d "$data" ] || { echo "no reference data at $data"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
"$ACCORD" node import "$data/data" --store "$work/store" --without-periods --quiet > /dev/null 2>&1

policy() { # ROUNDING THRESHOLD: those of the deployed worker, whose default for both is 10
  local rounding=${1:-10} threshold=${2:-10} how=nearest
  [ "$rounding" = 0 ] && { how=none; rounding=1; }
  printf 'name: test\nversion: 1\ninherits: sde-10\napproved_by: a test\nminimum: %d\nzero_shown: true\nrounding: %s\nbase: %d\n' "$((threshold > 2 ? threshold : 2))" "$how" "$rounding" > "$work/policy.yaml"
}
ask() { "$ACCORD" node discovery "$data/queries/$1.json" --store "$work/store" --policy "$work/policy.yaml" --collection c1 > "$work/answer.json" ||
  fail "$1: no answer"; }
file() { jq -r ".queryResult.files[$1].file_data" "$work/answer.json" | base64 -d; }

checked=0
while IFS=, read -r case query rounding threshold expected _ runnable; do
  { [ "$case" = case ] || [ "$runnable" != 1 ]; } && continue
  policy "$rounding" "$threshold"
  ask "$query"
  found=$(jq -c '[.status, .queryResult.count]' "$work/answer.json")
  [ "$found" = "[\"ok\",$expected]" ] || fail "$case $query: expected $expected, found $found"
  checked=$((checked + 1))
done < <(tr -d '\r' < "$data/expected_availability.csv")

while IFS=, read -r case rounding threshold _ rows concept expected; do
  { [ "$case" = case ] || [ "$expected" = 0 ]; } && continue # what rounds to nothing is left out here
  policy "$rounding" "$threshold"
  ask distribution
  found=$(file 0 | awk -F'\t' -v c="$concept" '$13 == c {print $3}')
  [ "$found" = "$expected" ] || fail "$case: concept $concept: expected $expected, found $found"
  [ "$rounding" = 100 ] || [ "$(jq .queryResult.count "$work/answer.json")" = "$rows" ] || fail "$case: expected $rows rows"
  checked=$((checked + 1))
done < <(tr -d '\r' < "$data/expected_code_distribution.csv")

while IFS=, read -r case rounding threshold _ total male female _; do
  [ "$case" = case ] && continue
  policy "$rounding" "$threshold"
  ask demographics
  found=$(file 0 | awk -F'\t' '$2 == "SEX" {print $4 " " $11}')
  [ "$found" = "$total ^Male|$male^Female|$female^" ] || fail "$case: $found"
  checked=$((checked + 1))
done < <(tr -d '\r' < "$data/expected_demographics.csv")

policy 10 10
ask icd
[ "$(jq -r .status "$work/answer.json")" = error ] || fail "a distribution that this site does not have was answered"
ask distribution
[ "$(file 1 | tail -n 1)" = "$(printf 'c1\tAccord\t\t\tOMOP\t10\t10')" ] || fail "the metadata does not say which rules were applied"
[ "$checked" -ge 60 ] || fail "only $checked cases"
echo "$checked answers, all equal"
