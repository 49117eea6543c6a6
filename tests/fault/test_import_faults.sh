#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An import that is killed, interrupted, or out of space leaves the old store as it was, and the next one works.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAIL: $*" >&2; exit 1; }
"$ACCORD" synth --persons 20000 --seed 1 --out cdm --quiet > /dev/null 2>&1
import() { "$ACCORD" node import cdm --store S --quiet "$@"; }
import > counts
whole=$("$ACCORD" store info S --format csv)
snapshot() { "$ACCORD" store info S --format csv | grep ^snapshot; }
began=$(date +%s%N); import > /dev/null; took=$((($(date +%s%N) - began) / 1000))

# SIGKILL at points spread over the whole import: the store is the old one or the new one, whole.
points=${KILL_POINTS:-12}
for i in $(seq "$points"); do
  old=$(snapshot)
  "$ACCORD" node import cdm --store S --quiet > /dev/null 2>&1 & # not the function: the shell in between would be killed
  pid=$!
  sleep "$(awk -v t="$took" -v i="$i" -v n="$points" 'BEGIN { printf "%.6f", t / 1e6 * i / n }')"
  kill -KILL $pid 2> /dev/null || true
  wait $pid 2> /dev/null || true
  "$ACCORD" store verify S > /dev/null || fail "not whole after a kill at point $i"
  [ "$("$ACCORD" store info S --format csv | grep ^events)" = "$(grep ^events <<< "$whole")" ] || fail "other events after a kill"
done
import > counts2; cmp counts counts2 || fail "the import after the kills differs"
[ "$(ls S | tr '\n' ' ')" = "$(readlink S/current | sed 's/^/current lock /') " ] || fail "remains: $(ls S)"

# Ctrl-C: exit code 14, nothing left.
old=$(snapshot)
code=0; timeout -s INT "$(awk -v t="$took" 'BEGIN { printf "%.6f", t / 2e6 }')" "$ACCORD" node import cdm --store S --quiet > /dev/null 2> err || code=$?
[ "$code" = 14 ] || [ "$code" = 124 ] || [ "$code" = 0 ] || fail "Ctrl-C gave $code"
[ "$(ls S | wc -l)" = 3 ] || fail "Ctrl-C left $(ls S)"

# A file that grows over the limit is a full disk: exit code 10, the old store stays, nothing is left behind.
old=$(snapshot)
for kb in 1 64 300; do
  code=0; (ulimit -f $kb; "$ACCORD" node import cdm --store S --quiet > /dev/null 2> err) || code=$?
  [ "$code" = 10 ] || { cat err; fail "a full disk gave $code"; }
  [ "$(snapshot)" = "$old" ] || fail "a full disk changed the store"
  [ "$(ls S | wc -l)" = 3 ] || fail "a full disk left $(ls S)"
done

# Two imports at once: the second is refused.
"$ACCORD" node import cdm --store S --quiet > /dev/null &
pid=$!
sleep 0.05
code=0; import > /dev/null 2> err || code=$?
wait $pid
[ "$code" = 6 ] || [ "$code" = 0 ] || fail "a second import gave $code: $(cat err)"
"$ACCORD" store verify S > /dev/null
