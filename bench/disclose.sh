#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Disclosure control at size: protect and prove four-way tables with every margin, audit and release tables of a usual size. CPU seconds,
# peak memory, hidden cells and their value. glpsol, asked for some cells of the same pattern, is the peer: it has no warm starts, and there
# is no open tool that protects and proves such a table.
#   bash bench/disclose.sh [SIZE...]     SIZE: 1k 3k 10k 10k-min5 50k (default: all but 50k, which takes minutes)
set -euo pipefail
cd "$(dirname "$0")/.."
accord=${ACCORD:-build/release/accord}
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(1k 3k 10k 10k-min5)

measured() { # label, command...: its own words, then CPU seconds and memory
  local label=$1; shift
  /usr/bin/time -o "$here/time" -f '%U %S %M' "$@" > "$here/out" 2> "$here/said"
  awk -v label="$label" '{ printf "%-34s %8.2f CPU-s %6.0f MiB  ", label, $1 + $2, $3 / 1024 }' "$here/time"
  tail -n 1 "$here/said" | sed -E 's/^[^:]*: //; s/, [0-9]+ solves.*//'
}

table() { # name, threshold, persons, shape
  node bench/disclose-table.mjs "$here/$1.json" "$2" "$3" "${@:4}" > "$here/size"
  measured "protect and prove $1 ($(cat "$here/size"))" "$accord" disclose protect "$here/$1.json" -o "$here/$1.pattern"
}
for size in "${sizes[@]}"; do
  case $size in
  1k) table 1k 10 60000 3x8 8 2 2 ;;
  3k) table 3k 10 200000 8 2x6 2 12 ;;
  10k) table 10k 10 436000 4x12 3x10 2 14 ;;
  10k-min5) table 10k-min5 5 150000 4x12 3x10 2 14 ;;
  50k) table 50k 10 2100000 7x45 4x20 2 12 ;;
  *) echo "$size is none of 1k 3k 10k 10k-min5 50k" >&2; exit 2 ;;
  esac
done

# A result of 1,000 cells: where nothing needs hiding, and where much does.
result() { # name, least, most of the inner counts
  jq -n --argjson least "$2" --argjson most "$3" '
    def dim($name; $n): {name: $name, levels: ([{label: "Total"}] + [range($n) | {label: "\(.)", parent: 0}])};
    [range(24) as $r | range(9) as $a | range(3) as $s | {r: ($r + 1), a: ($a + 1), s: ($s + 1), n: ($least + ((($r * 27 + $a * 3 + $s) * 7919 + 104729) * 48271 % 2147483647) % ($most - $least))}] as $inner |
    {format: "accord-result-1", title: "t", tables: [{name: "t", title: "t", unit: "persons", type: "count", dimensions: [dim("region"; 24), dim("age"; 9), dim("sex"; 3)],
     cells: (reduce ($inner[] | .n as $n | [0, .r][] as $x | [0, .a][] as $y | [0, .s][] as $z | [$x, $y, $z, $n]) as $c ({}; .["\($c[0]),\($c[1]),\($c[2])"] += $c[3]) |
       to_entries | map({at: (.key / "," | map(tonumber)), persons: .value}))}]}' > "$here/$1.json"
}
result quiet 50 450
result busy 0 200
for policy in sde-10 gel-5; do
  for name in quiet busy; do
    measured "release 1,000 cells, $name, $policy" "$accord" disclose release "$here/$name.json" --policy $policy -o "$here/$name.$policy"
    measured "audit it" "$accord" disclose audit "$here/$name.$policy/released.json"
  done
done

# The peer: two cold programmes for each of some protected cells.
command -v glpsol > /dev/null && [ -s "$here/10k.pattern" ] || exit 0
export HERE="$here"
jq -r '.dims | to_entries[] | .key as $d | .value.total as $t | .value.sums[] | [$d, $t, .[0]] + .[1] | @tsv' "$here/10k.json" > "$here/dims"
awk -F, -v kind=below -v p=10 -v slack=0 -v most=5 -v dims="$here/dims" -v pattern="$here/10k.pattern" -f tests/reference/attack.awk "$here/10k.csv" > "$here/plan"
while read -r target _; do
  for side in min max; do
    sed -e "s/@SIDE@/$side/" -e "s/@TARGET@/$target/" "$here/model.lp.in" > "$here/$target.$side.lp"
  done
done < "$here/plan"
peer() { for lp in "$here"/x*.lp; do glpsol --lp "$lp" -o /dev/null > /dev/null; done; }
export -f peer; export here
measured "glpsol, 5 cells of 10k" bash -c peer
