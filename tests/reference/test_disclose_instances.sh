#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every public table of ../shared/data/disclosure: protected, proven by the attacker inside (the command refuses
# what it cannot prove), and at or below the figure each has to reach. Then glpsol, another solver in another
# process on equations made here from the CSV alone, looks for alternative tables in the patterns of the smaller ones.
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

# One linear programme for each protected cell and side, all cells of the two-way table in one file.
command -v glpsol > /dev/null || exit 0
outside() { # name, columns of the pattern file, least share of the value on each side (or the bounds of a count)
  jq -r '.dims | to_entries[] | .key as $d | .value.sums[] | [$d, .[0]] + .[1] | @tsv' "$instances/$1.json" > "$here/sums"
  awk -F, -v kind="$2" -v p="$3" -v sums="$here/sums" -v pattern="$here/$1.csv" -f "$SOURCE/tests/reference/attack.awk" "$instances/$1.csv" > "$here/plan"
  local bad=0 n=0
  while read -r target least most; do
    for side in min max; do
      sed -e "s/@SIDE@/$side/" -e "s/@TARGET@/$target/" "$here/model.lp.in" > "$here/model.lp"
      glpsol --lp "$here/model.lp" -o "$here/out" > /dev/null
      awk -v side="$side" -v least="$least" -v most="$most" '
        /^Status:.*UNBOUNDED/ { unbounded = 1 } /^Objective:/ { value = $4 }
        END { good = unbounded || (side == "min" ? value <= least * (1 + 1e-6) + 1e-6 : value >= most * (1 - 1e-6) - 1e-6); exit !good }' "$here/out" ||
        { echo "$1: $target: the $side glpsol finds is short of $least..$most"; bad=1; }
      n=$((n + 1))
    done
  done < "$here/plan"
  [ "$bad" = 0 ] && [ "$n" -gt 0 ]
}
export HERE="$here"
outside ssb_z1 below 4
outside ssb_z2 below 4
outside acro_year_grant below 10
outside acro_nursery below 10
outside tauargus_ex1 pct 10
outside tauargus_act_size pct 10
