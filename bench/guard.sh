#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The differencing guard's decision time, in CPU milliseconds, at a million persons: 10,000 released cells (goal: 50 ms)
# and, with GUARD_CELLS=100000 (some minutes, 2 GB of disk), 100,000 (goal: 1 s); the first after opening the book too.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release --log-level=WARNING > /dev/null
cmake --build build/release --target accord_bench_guard > /dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build/release/accord_bench_guard "$work/guard.db" "${GUARD_PERSONS:-1000000}" "${GUARD_CELLS:-10000}"
ls -l "$work/guard.db" | awk '{ printf "the book: %.0f MB\n", $5 / 1e6 }'
