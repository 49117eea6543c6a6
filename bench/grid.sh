#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Latency of a run on loopback, three nodes: from the submit call to the held output (sign, append, check, compute,
# mask, seal, add up, disclose), to the release after two approvals, and the CPU time of all processes. N runs.
set -uo pipefail
cd "$(dirname "$0")/.."
export ACCORD=${ACCORD:-$PWD/build/release/accord}
. tests/lib/grid.sh
N=${N:-50}
PERSONS=${PERSONS:-20000}
grid_make 3 "$PERSONS" 2> /dev/null
grid_study count
grid_up 3

ms() { echo $((($(date +%s%N) - $1) / 1000000)); }
cpu_ms() { local p total=0 t; for p in "${GRID_PID[@]}"; do t=$(awk '{print $14 + $15}' "/proc/$p/stat"); total=$((total + t * 10)); done; echo "$total"; }
quantiles() { sort -n | awk -v what="$1" '{v[NR] = $1} END {printf "%-42s median %4d ms   99th percentile %4d ms   (%d runs)\n", what, v[int((NR + 1) / 2)], v[int(NR * 0.99 + 0.999)], NR}'; }

before=$(cpu_ms)
for ((i = 1; i <= N; i++)); do
  from=$(date +%s%N)
  grid_submit "b$i"
  a run wait "b$i" --held --quiet || fail "run b$i"
  ms "$from" >> "$GRID/held"
  from=$(date +%s%N)
  grid_approve "b$i"
  a run wait "b$i" --quiet || fail "release of b$i"
  ms "$from" >> "$GRID/released"
done
echo "persons a site: $PERSONS; study: count of a cohort with attrition"
quantiles "submitted -> output held at the lead node" < "$GRID/held"
quantiles "two approvals -> released at the hub" < "$GRID/released"
paste -d+ "$GRID/held" "$GRID/released" | bc | quantiles "submitted -> released"
echo "CPU of hub and three nodes: $((($(cpu_ms) - before) / N)) ms a run"
