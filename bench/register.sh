#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The register at scale (bench/register.c). Settings: BENCH_BODIES (2000), BENCH_PEOPLE (20000), BENCH_PROJECTS (10000),
# BENCH_ENTRIES (1000000), BENCH_DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release --log-level=WARNING > /dev/null
cmake --build build/release --target accord_bench_register > /dev/null
dir=${BENCH_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/accord-bench-XXXXXX")}
mkdir -p "$dir"
trap 'rm -f "$dir"/register.db*; rmdir "$dir" 2> /dev/null || true' EXIT
build/release/accord_bench_register "$dir/register.db" "${BENCH_BODIES:-2000}" "${BENCH_PEOPLE:-20000}" "${BENCH_PROJECTS:-10000}" \
  "${BENCH_ENTRIES:-1000000}" | jq -r '"\(.value)\t\(.unit)\t\(.figure)"' | column -t -s $'\t'
