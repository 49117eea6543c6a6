#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Regression, survival and other statistics against the vectors of R.
set -euo pipefail
data=${ACCORD_SHARED:-$SOURCE/../shared}/data/stats/r
[ -d "$data" ] || { echo "no reference data at $data"; exit 77; }
exec node "$SOURCE/tests/reference/stats_r.mjs" "$data"
