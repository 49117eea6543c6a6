#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target for FUZZ_SECONDS (60); a finding stops the run and stays in build/fuzz/corpus/<target>/.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset fuzz --log-level=WARNING > /dev/null
cmake --build build/fuzz -j "$(nproc)"
for target in build/fuzz/tests/fuzz/fuzz_*; do
  [ -x "$target" ] && [ -f "$target" ] || continue
  name=$(basename "$target")
  corpus=build/fuzz/corpus/$name
  seeds=tests/fuzz/seeds/$name
  mkdir -p "$corpus"
  echo "== $name"
  "$target" "$corpus" $([ -d "$seeds" ] && echo "$seeds") -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=4096 \
    -artifact_prefix="$corpus/" -print_final_stats=1 > "build/fuzz/$name.log" 2>&1 || { tail -n 40 "build/fuzz/$name.log"; exit 1; }
  grep -E 'stat::number_of_executed_units|^Done' "build/fuzz/$name.log"
done
