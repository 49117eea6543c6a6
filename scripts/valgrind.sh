#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every unit test under valgrind (memcheck, leaks are errors).
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset dev --log-level=WARNING > /dev/null
cmake --build build/dev -j "$(nproc)"
export ACCORD_UNDER_VALGRIND=1 # long property tests take fewer cases
ctest --test-dir build/dev -L unit -j "$(nproc)" --output-on-failure --no-tests=error --timeout 3000 \
  -T memcheck --overwrite MemoryCheckCommandOptions="--leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99 -q" \
  | tee build/dev/valgrind.log
! grep -q 'Memory checking results' build/dev/valgrind.log || ! grep -qE 'Defects: [1-9]|Memory Leak - [1-9]' build/dev/valgrind.log
