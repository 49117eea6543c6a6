#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Population-health statistics against the vectors of PHEindicatormethods.
set -euo pipefail
data=${ACCORD_SHARED:-$SOURCE/../shared}/data/stats/phe
[ -d "$data" ] || { echo "no reference data at $data"; exit 77; }
exec node "$SOURCE/tests/reference/stats_phe.mjs" "$data"
