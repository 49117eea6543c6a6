#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Protection is the same bytes with any number of threads and whatever the order of the rows: a table of four ways with every margin,
# and a result of linked tables.
set -euo pipefail
command -v node > /dev/null || exit 77
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
shuffled() { # seed: rows of stdin in another order
  awk -v seed="$1" 'BEGIN { srand(seed) } { printf "%.12f\t%s\n", rand(), $0 }' | sort | cut -f2-
}
same() { # what, files
  cmp -s "$2" "$3" || { echo "$1: other bytes"; exit 1; }
}

node "$SOURCE/bench/disclose-table.mjs" "$here/t.json" 10 9000 3x4 6 2 2 > /dev/null
sed 's/"t\.csv"/"u.csv"/' "$here/t.json" > "$here/u.json"
for threads in 1 2 3; do
  { head -n 1 "$here/t.csv"; tail -n +2 "$here/t.csv" | shuffled $threads; } > "$here/u.csv"
  ACCORD_THREADS=$threads "$ACCORD" disclose protect "$here/t.json" -o "$here/t.$threads" 2> /dev/null
  ACCORD_THREADS=$threads "$ACCORD" disclose protect "$here/u.json" -o "$here/u.$threads" 2> /dev/null
  same "protect with $threads threads" "$here/t.1" "$here/t.$threads"
  sort "$here/t.1" > "$here/in_order"
  sort "$here/u.$threads" > "$here/reordered"
  same "protect, rows in order $threads" "$here/in_order" "$here/reordered"
done
grep -q ',x$' "$here/t.1" || { echo "nothing was hidden"; exit 1; }

result() { # seed: two cross-tabulations that share a way, no total; 0 = in order
  awk 'BEGIN { srand(3); for (a = 0; a < 7; a++) for (b = 0; b < 5; b++) for (c = 0; c < 4; c++) {
      n = int(rand() * rand() * 20); by_b[a, b] += n; by_c[a, c] += n }
    for (k in by_b) { split(k, at, SUBSEP); print "b", at[1], at[2], by_b[k] }
    for (k in by_c) { split(k, at, SUBSEP); print "c", at[1], at[2], by_c[k] } }' | sort -k1,1 -k2,2n -k3,3n > "$here/cells"
  if [ "$1" != 0 ]; then shuffled "$1" < "$here/cells" > "$here/mixed"; else cp "$here/cells" "$here/mixed"; fi
  jq -R -s '[split("\n")[] | select(. != "") | split(" ")] as $cells | def dim($name; $n): {name: $name, levels: [range($n) | {label: "\(.)"}]};
    def table($by; $n): {name: $by, title: $by, unit: "persons", type: "count", dimensions: [dim("a"; 7), dim($by; $n)],
      cells: [$cells[] | select(.[0] == $by) | {at: [(.[1] | tonumber), (.[2] | tonumber)], persons: (.[3] | tonumber)}]};
    {format: "accord-result-1", title: "t", tables: [table("b"; 5), table("c"; 4)]}' "$here/mixed"
}
for policy in gel-5 sde-10; do
  for order in 0 1 2; do
    result $order > "$here/result.json"
    "$ACCORD" disclose release "$here/result.json" --policy $policy --format json | jq -c '.tables[] | .name, (.cells | sort_by(.at)[])' > "$here/r.$order"
    same "release under $policy, rows in order $order" "$here/r.0" "$here/r.$order"
  done
  grep -q '"hidden":true' "$here/r.0" || { echo "nothing was hidden under $policy"; exit 1; }
done
