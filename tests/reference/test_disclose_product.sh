#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every profile x way to print x public table through the gate, attacked by the audit and by glpsol (product.mjs says how). Here all tables below
# 400 cells; ACCORD_PRODUCT=all (`make product`) takes the large ones too and asks glpsol for more cells.
set -euo pipefail
instances="${ACCORD_SHARED:-$SOURCE/../shared}/data/disclosure/instances"
[ -d "$instances" ] && command -v node > /dev/null || exit 77
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
names=(sdctable_4x4 sdctable_micro1 linked_136 linked_133 singletons_135 tauargus_ex1 ssb_z1 ssb_z2 acro_year_grant acro_nursery)
cells=1
if [ "${ACCORD_PRODUCT:-}" = all ]; then
  names+=(tauargus_act_size tauargus_act_cj tauargus_nuts_size tauargus_nuts_cj ssb_z3 ssb_z3_t10 ssb_z3_linked tauargus_linked4 tauargus_act_nuts_size)
  cells=3
fi
node "$SOURCE/tests/reference/product.mjs" "$ACCORD" "$instances" "$here" $cells "${names[@]}"
