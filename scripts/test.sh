#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every test in one ctest run: unit tests from the sanitizer build, commands and whole paths on the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
# The sanitizer tree runs the unit tests, the release tree the rest: each test once.
ctest --test-dir build/asan -L unit -j "$(nproc)" --output-on-failure --no-tests=error
ctest --test-dir build/release -LE unit -j "$(nproc)" --output-on-failure --no-tests=ignore
