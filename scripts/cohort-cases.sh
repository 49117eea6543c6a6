#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The cohort engine against the oracle on random cases: CASES of them (a million), from SEED on, on all processors.
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${CASES:-1000000} seed=${SEED:-1000} jobs=${JOBS:-$(nproc)}
cmake --preset release --log-level=WARNING > /dev/null
cmake --build build/release --target cohort_test_random -j "$jobs"
each=$((cases / jobs))
for ((i = 0; i < jobs; i++)); do
  ACCORD_CASES=$each ACCORD_SEED=$((seed + i * each)) build/release/tests/cohort_test_random &
done
failed=0
for ((i = 0; i < jobs; i++)); do wait -n || failed=1; done
exit $failed
