#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# First view of every public page in headless Chromium on loopback, with the processor slowed down four times (CDP): bytes
# transferred and milliseconds until the load is over. On the demo's register. Must hold: under 100 kB and under 1 s.
set -euo pipefail
cd "$(dirname "$0")/.."
export ACCORD=${ACCORD:-$PWD/build/release/accord} SOURCE=$PWD JOURNEYS=bench/pages.mjs
bash tests/browser/test_journeys.sh
