#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Regression beside R on the same machine and data, one thread each, CPU seconds. Needs Rscript and r-cran-survival
# (Debian packages; for this comparison only). ROWS sets the size.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v Rscript > /dev/null || { echo "bench/stats.sh: Rscript is not installed (apt-get install r-base-core r-cran-survival)" >&2; exit 77; }
rows=${ROWS:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --preset release --log-level=WARNING > /dev/null
cmake --build build/release --target accord_bench_stats > /dev/null
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
Rscript bench/stats.R make "$work/data.bin" "$rows"
build/release/accord_bench_stats "$work/data.bin" > "$work/accord.txt"
Rscript bench/stats.R compare "$work/data.bin" "$rows" "$work/accord.txt"
echo "flags: $(grep -m1 -o 'CMAKE_C_FLAGS_RELEASE:STRING=.*' build/release/CMakeCache.txt) (kernel.c: -O3, AVX2 where the processor has it)"
