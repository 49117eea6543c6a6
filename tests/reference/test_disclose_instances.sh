#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every public table of ../shared/data/disclosure: protected, proven by the attacker inside (the command refuses
# what it cannot prove), and at or below the figure each has to reach. Then glpsol, another solver in another
# process on equations made here from the CSV alone, attacks every pattern.
set -euo pipefail
instances="${ACCORD_SHARED:-$SOURCE/../shared}/data/disclosure/instances"
[ -d "$instances" ] || exit 77
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

check() { # name, most secondaries, most hidden value
  local said secondary value
  said=$("$ACCORD" disclose protect "$instances/$1.json" -o "$here/$1.csv" 2>&1) || { echo "$1: $said"; exit 1; }
  secondary=$(sed -nE 's/.* ([0-9]+) secondary,.*/\1/p' <<< "$said")
  value=$(sed -nE 's/.* value ([0-9.]+),.*/\1/p' <<< "$said")
  awk -v s="$secondary" -v v="$value" -v S="$2" -v V="$3" 'BEGIN { exit !(s <= S && v <= V) }' ||
    { echo "$1: $secondary secondary cells of value $value, at most $2 of $3 were expected"; exit 1; }
  "$ACCORD" disclose protect "$instances/$1.json" -o "$here/again.csv" 2> /dev/null
  cmp -s "$here/$1.csv" "$here/again.csv" || { echo "$1: another pattern the second time"; exit 1; }
}
check sdctable_4x4 1 31
check sdctable_micro1 3 40
check linked_136 1 7
check linked_133 11 36
check singletons_135 99 99
check tauargus_ex1 99 80
check ssb_z1 99 29
check ssb_z2 99 135
check ssb_z3 146 1182
check ssb_z3_t10 118 2193
check ssb_z3_linked 999 1546
check tauargus_act_nuts_size 9999 37000000
check tauargus_act_size 70 56000000
check tauargus_act_cj 99 100000000
check tauargus_nuts_size 99 100000000
check tauargus_nuts_cj 99 100000000
check tauargus_linked4 354 400000000
check acro_year_grant 99 99
check acro_nursery 99 600
"$ACCORD" disclose protect "$instances/singletons_135.json" --insider > "$here/insider.csv" 2> /dev/null

# Our pattern of ACRO's table beside the one-way table that gave its own away.
awk -F, -v OFS=, 'NR == 1 { print "year", "value" } $2 == "All" { print $1, $3 }' "$instances/acro_year_grant.csv" > "$here/year.csv"
awk -F, -v OFS=, 'NR == FNR { status[$1, $2] = $3; next } FNR == 1 { print $1, $2, "value"; next }
  { print $1, $2, (status[$1, $2] == "s" ? $3 : "[c]") }' "$here/acro_year_grant.csv" "$instances/acro_year_grant.csv" > "$here/ours.csv"
"$ACCORD" disclose audit "$here/ours.csv" "$here/year.csv" > /dev/null 2>&1 || { echo "the audit recovers a cell of ours"; exit 1; }

# One linear programme for each protected cell and side, all cells of all tables in one file. Of large instances some cells
# (ACCORD_ATTACK_CELLS, of each; a run over all of them takes hours).
command -v glpsol > /dev/null || exit 0
export HERE="$here"
bound() { # side, target: what glpsol finds; "none" when there is no end
  sed -e "s/@SIDE@/$1/" -e "s/@TARGET@/$2/" "$here/model.lp.in" > "$here/model.lp"
  glpsol --lp "$here/model.lp" -o "$here/out" > /dev/null
  awk '/^Status:.*UNBOUNDED/ { print "none"; found = 1; exit } /^Status:.*OPTIMAL/ { good = 1 } /^Objective:/ { value = $4 } END { if (!found) print good ? value : "failed" }' "$here/out"
}
outside() { # name, protected cells asked for
  local json="$instances/$1.json" kind p slack=0 least most low high n=0
  kind=$(jq -r .protect.kind "$json")
  p=$(jq -r '.protect | .t // .p // .min' "$json")
  [ "$(jq -r '.integer // false' "$json")" = true ] || slack=0.02
  jq -r '.dims | to_entries[] | .key as $d | .value.total as $t | .value.sums[] | [$d, $t, .[0]] + .[1] | @tsv' "$json" > "$here/dims"
  jq -r --arg folder "$instances" '.tables[] | $folder + "/" + .cells' "$json" | xargs awk -F, -v kind="$kind" -v p="$p" -v slack=$slack \
    -v most="${ACCORD_ATTACK_CELLS:-$2}" -v dims="$here/dims" -v pattern="$here/$1.csv" -f "$SOURCE/tests/reference/attack.awk" > "$here/plan"
  while read -r target least most; do
    low=$(bound min "$target") high=$(bound max "$target")
    awk -v low="$low" -v high="$high" -v least="$least" -v most="$most" -v slack=$slack 'BEGIN {
      if (low == "failed" || high == "failed" || low == "none") exit 1
      if (least == "width") exit !(high == "none" || high - low > most + 4 * slack)
      exit !(low <= least * (1 + 1e-6) + 1e-6 && (high == "none" || high >= most * (1 - 1e-6) - 1e-6)) }' ||
      { echo "$1: $target: glpsol finds $low to $high, $least to $most must stay open"; exit 1; }
    n=$((n + 1))
  done < "$here/plan"
  [ "$n" -gt 0 ] || { echo "$1: glpsol was asked nothing"; exit 1; }
}
for name in sdctable_4x4 sdctable_micro1 linked_136 linked_133 singletons_135 tauargus_ex1 ssb_z1 ssb_z2 acro_year_grant acro_nursery; do outside $name 1000; done
for name in tauargus_act_size tauargus_act_cj tauargus_nuts_size tauargus_nuts_cj; do outside $name 20; done
for name in ssb_z3 ssb_z3_t10 ssb_z3_linked tauargus_linked4; do outside $name 8; done
outside tauargus_act_nuts_size 2
