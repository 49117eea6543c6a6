#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Availability queries of HDR UK Cohort Discovery find the exact counts that an independent evaluator found.
set -euo pipefail
data=${ACCORD_SHARED:-$SOURCE/../shared}/data/rquest
[ -d "$data" ] || { echo "no reference data at $data"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$ACCORD" node import "$data/data" --store "$work/store" --without-periods --quiet > /dev/null 2>&1
checked=0
while IFS=, read -r case query _ _ _ exact runnable; do
  { [ "$case" = case ] || [ "$runnable" != 1 ]; } && continue
  found=$("$ACCORD" cohort run "$data/queries/$query.json" --store "$work/store" --quiet --format json | jq '.[-1].persons')
  [ "$found" = "$exact" ] || { echo "$case $query: expected $exact persons, found $found"; exit 1; }
  checked=$((checked + 1))
done < <(tr -d '\r' < "$data/expected_availability.csv")
[ "$checked" -gt 21 ]
echo "$checked queries, all equal"
