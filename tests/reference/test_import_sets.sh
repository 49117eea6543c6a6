#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Data that nobody here wrote is imported whole: as many rows stored as the files have, and the store verifies.
set -euo pipefail
data=${ACCORD_SHARED:-$SOURCE/../shared}/data
[ -d "$data" ] || { echo "no reference data at $data"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
tar -xJf "$data/circe/cdm/synth2k.tar.xz" -C "$work"
check() { # folder, options
  local folder=$1 store; shift
  store="$work/$(basename "$folder").store"
  "$ACCORD" node import "$folder" --store "$store" --quiet --format csv "$@" > "$work/counts" || fail "$folder"
  "$ACCORD" store verify "$store" > /dev/null || fail "$folder: verify"
  while IFS=, read -r table rows rejected stored; do
    file=$(find "$folder/" -iname "$table.csv*")
    [ "$rejected" = 0 ] || fail "$folder: $table has $rejected rejected rows"
    [ -z "$stored" ] || [ "$stored" = "$rows" ] || fail "$folder: $table has $rows rows, $stored are stored"
    # Quoted newlines are rare there: a row is a line but in free text.
    case $table in specimen | concept) continue ;; esac
    lines=$(zcat -f "$file" | tail -n +2 | grep -c .) || true
    [ "$lines" = "$rows" ] || fail "$folder: $table has $lines lines, $rows rows"
  done < <(tail -n +2 "$work/counts")
}
for set in gibleed mimic synthea27nj; do check "$data/circe/cdm/$set"; done
check "$work/synth2k"
check "$data/rquest/data" --without-periods
