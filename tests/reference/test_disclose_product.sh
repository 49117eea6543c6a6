#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every profile x way to print x public table through the gate, attacked by the audit and by glpsol (product.mjs says how). Here all tables below
# 400 cells; ACCORD_PRODUCT=all (`make product`) takes the large ones too and asks glpsol for more cells, table by table: what is done is
# kept in build/product.txt with the program's checksum, so that a run that was stopped goes on where it was.
set -euo pipefail
instances="${ACCORD_SHARED:-$SOURCE/../shared}/data/disclosure/instances"
[ -d "$instances" ] && command -v node > /dev/null || exit 77
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
names=(sdctable_4x4 sdctable_micro1 linked_136 linked_133 singletons_135 tauargus_ex1 ssb_z1 ssb_z2 acro_year_grant acro_nursery acro_nursery/ways
  ssb_z3/crosstabs)
attack() { node "$SOURCE/tests/reference/product.mjs" "$ACCORD" "$instances" "$here" "$@"; }
if [ "${ACCORD_PRODUCT:-}" != all ]; then
  attack 1 "${names[@]}"
  exit 0
fi
done_before="$SOURCE/build/product.txt"
program=$(sha256sum < "$ACCORD" | cut -c1-16)
touch "$done_before"
attacked() { # cells, names... : one line of the results
  local what="$program ${*:2}:" said
  grep -qF "$what" "$done_before" && return
  said=$(attack "$@") || { echo "$said"; exit 1; }
  echo "$what $said" >> "$done_before"
}
attacked 3 "${names[@]}"
for name in ssb_z3/ways tauargus_act_nuts_size/crosstabs tauargus_act_size tauargus_act_cj tauargus_nuts_size tauargus_nuts_cj ssb_z3 ssb_z3_t10 ssb_z3_linked \
  tauargus_linked4 tauargus_act_nuts_size; do
  attacked 3 "$name"
done
grep "^$program" "$done_before" | cut -d' ' -f2-
