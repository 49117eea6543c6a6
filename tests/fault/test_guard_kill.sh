#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Killed at any moment, the guard's book opens again, and whatever was printed is in it: nothing leaves before it is
# remembered.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "test_guard_kill: $*" >&2; exit 1; }
cd "$work"
"$ACCORD" synth --out site --persons 3000 --seed 5 --quiet > /dev/null
"$ACCORD" node import site --store store --quiet > /dev/null 2>&1
"$ACCORD" study new crosstab > study.json 2> /dev/null
"$ACCORD" node init --data node > /dev/null
printed=0 killed=0
for i in $(seq 1 "${ACCORD_KILLS:-25}"); do
  jq --arg t "study $i" '.title = $t' study.json > "$i.json" # each is a run of its own
  "$ACCORD" study run "$i.json" --store store --node node --project p > "out.$i" 2> talk &
  pid=$!
  sleep "0.$((i % 5))"
  if kill -KILL "$pid" 2> /dev/null; then killed=$((killed + 1)); fi
  wait "$pid" 2> /dev/null || true
  if [ -e node/guard.db ]; then
    "$ACCORD" disclose history --data node --format json > history.json 2> talk || fail "kill $i: $(cat talk)"
  fi
  if [ -s "out.$i" ]; then
    printed=$((printed + 1))
    jq -e --arg t "study $i" 'map(select(.title == $t)) | length == 1' history.json > /dev/null ||
      fail "run $i was printed and is not remembered"
  fi
done
"$ACCORD" study run study.json --store store --node node --project p > out 2> talk || fail "after the kills: $(cat talk)"
[ -s out ] || fail "nothing printed after the kills"
echo "$killed kills, $printed runs printed and remembered"
