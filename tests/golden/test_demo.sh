#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demo tells its story to the end, on synthetic sites and on others' OMOP folders, and leaves no process behind. It stops
# by itself where a step fails, where the federated answer is not the pooled one, or where a refusal does not come.
set -euo pipefail
shared=${ACCORD_SHARED:-$SOURCE/../shared}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tell() {
  RUN_DIR=$work/run KEEP=0 ACCORD=$ACCORD bash "$SOURCE/demo/run.sh" > "$work/told" 2>&1 < /dev/null || { tail -n 30 "$work/told"; exit 1; }
  grep -q 'identical, every cell' "$work/told" || { echo "no comparison with the pooled rows"; exit 1; }
  [ -z "$(xargs -r ps -o pid= -p < "$work/run/pids" 2> /dev/null)" ] || { echo "a process is left behind"; exit 1; }
}
PERSONS=2000 tell
sets=$shared/data/circe/cdm
[ -d "$sets/mimic" ] || { echo "skipped on others' data: $sets is not there"; exit 0; }
DATA=$sets/gibleed,$sets/mimic,$sets/synthea27nj tell
DATA=$sets/gibleed,$sets/mimic PERSONS=2000 tell
