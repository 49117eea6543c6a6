#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The differencing guard's decision time, in CPU milliseconds, at a million persons: 10,000 released cells (goal: 50 ms)
# and, with GUARD_CELLS=100000 (half a minute, 0.8 GB), 100,000 (goal: 1 s).
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release --log-level=WARNING > /dev/null
cmake --build build/release --target accord_bench_guard > /dev/null
build/release/accord_bench_guard "${GUARD_PERSONS:-1000000}" "${GUARD_CELLS:-10000}"
