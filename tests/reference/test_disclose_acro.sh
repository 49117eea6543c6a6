#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each leak of ACRO 1.0.1 that is known (AI-SDC/ACRO fe729ae), as a test that passes here: (a) integer and (b) float
# dimensions, with and without margins; (c) the raw life table beside the rounded one; (d) a suppressed crosstab beside a safe
# one-way table; (e) a check of linked tables that always says pass.
set -euo pipefail
data="${ACCORD_SHARED:-$SOURCE/../shared}/data/disclosure"
[ -d "$data/rules" ] || exit 77
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
fail() { echo "test_disclose_acro: $*" >&2; exit 1; }

tr -d '\r' < "$data/instances/acro_year_grant.csv" > "$here/acro.csv"
grants() { # suffix of the years, whether with margins
  tail -n +2 "$here/acro.csv" | jq -Rn --arg suffix "$1" --argjson margins "$2" '
    [inputs / "," | select($margins or (.[0] != "All" and .[1] != "All")) | {year: (if .[0] == "All" then "All" else .[0] + $suffix end), grant: .[1], n: (.[2] | tonumber)}] as $rows |
    ([$rows[].year] | unique | sort_by(. != "All")) as $years | ([$rows[].grant] | unique | sort_by(. != "All")) as $grants |
    def levels: . as $l | [$l[] | {label: .} + (if $margins and . != "All" then {parent: 0} else {} end)];
    {format: "accord-result-1", title: "grants", tables: [{name: "t", title: "grants", unit: "charities", type: "count",
     dimensions: [{name: "year", levels: ($years | levels)}, {name: "grant", levels: ($grants | levels)}],
     cells: [$rows[] | .year as $y | .grant as $g | {at: [($years | index($y)), ($grants | index($g))], persons: .n}]}]}'
}
a_and_b_flagged_cells_are_not_printed_whatever_their_dimension() {
  for policy in sde-10 ons-10-5; do
    for suffix in '' .0 ' (year)'; do
      for margins in true false; do
        grants "$suffix" $margins > "$here/grants.json"
        rm -rf "$here/out"
        "$ACCORD" disclose release "$here/grants.json" --policy $policy -o "$here/out"
        [ "$(grep -c '^20.*,R/G,,,,suppressed$' "$here/out/t.csv")" = 6 ] || fail "$policy, years '$suffix', margins $margins: $(cat "$here/out/t.csv")"
        "$ACCORD" disclose audit "$here/out/released.json" > /dev/null 2>&1 || fail "$policy, years '$suffix', margins $margins: recovered"
      done
    done
  done
}

# One event a row, 7 at risk at the end: nothing of a step with 1 to 9 events is in any file.
c_the_raw_life_table_is_nowhere_beside_the_rounded_one() {
  jq -n '[range(60) | {at: [.], persons: (67 - .), denominator: (67 - .), numerator: 1, value: ((66 - .) / 67)}] as $c |
    {format: "accord-result-1", title: "life table", tables: [{name: "t", title: "life table", unit: "probability", type: "survival",
     dimensions: [{name: "day", levels: [range(60) | {label: "\(.)"}]}], cells: $c}]}' > "$here/life.json"
  rm -rf "$here/out"
  "$ACCORD" disclose release "$here/life.json" -o "$here/out"
  jq -e '[.tables[0].cells[] | select(.hidden | not) | .at[0]] as $s | ($s | length) > 2 and ($s[0] >= 9) and ($s[-1] <= 57) and
    ([range(1; $s | length) | $s[.] - $s[. - 1]] | all(. >= 10)) and (.tables[0].cells | all(keys - ["at", "hidden", "value", "lower", "upper"] == []))' \
    "$here/out/released.json" > /dev/null || fail "c: a step with few events is printed: $(cat "$here/out/t.csv")"
  # 67 persons, then one fewer a row: no file names a step's numbers, the SACRO export included.
  grep -rlE '"?(numerator|denominator|persons|at_risk)"? *[:,] *[0-9]' "$here/out" > "$here/raw" && fail "c: raw numbers are in $(cat "$here/raw")"
  [ "$(ls "$here/out" | grep -vxE 'checksums|results.json')" = "$(printf 'released.json\nt.csv\nt.svg')" ] || fail "c: there are other files: $(ls "$here/out")"
}

# The crosstab without margins beside its one-way tables, in one result: exact and rounded.
d_a_crosstab_and_its_one_way_table_do_not_give_each_other_away() {
  grants '' false | jq '.tables[0] as $t | .tables += [range(2) as $d | {name: "by_\($d)", title: "one way", unit: "charities", type: "count",
    dimensions: [$t.dimensions[$d]], cells: [$t.cells | group_by(.at[$d])[] | {at: [.[0].at[$d]], persons: (map(.persons) | add)}]}]' > "$here/grants.json"
  "$ACCORD" disclose release "$here/grants.json" --policy "$here/exact.yaml" -o "$here/out"
  "$ACCORD" disclose audit "$here/out/t.csv" "$here/out/by_0.csv" "$here/out/by_1.csv" > "$here/said" 2>&1 || fail "d: exact: $(cat "$here/said")"
  "$ACCORD" disclose release "$here/grants.json" --policy sde-10 -o "$here/out"
  "$ACCORD" disclose audit "$here/out/t.csv" "$here/out/by_0.csv" "$here/out/by_1.csv" --base 5 > "$here/said" 2>&1 || fail "d: rounded: $(cat "$here/said")"
}

# ACRO's own pattern beside the one-way table: the check says no, with all six values.
e_the_check_of_linked_tables_finds_what_is_there() {
  awk -F, -v OFS=, 'NR == 1 { print "year", "grant_type", "value" } NR > 1 && $1 != "All" && $2 != "All" { print $1, $2, ($5 + 0 ? "" : $3) }' "$here/acro.csv" > "$here/cross.csv"
  awk -F, -v OFS=, 'NR == 1 { print "year", "value" } $2 == "All" { print $1, $3 }' "$here/acro.csv" > "$here/year.csv"
  "$ACCORD" disclose audit "$here/cross.csv" > /dev/null 2>&1 || fail "e: the crosstab alone is said to leak"
  "$ACCORD" disclose audit "$here/cross.csv" "$here/year.csv" --format csv > "$here/found.csv" 2> /dev/null && fail "e: the check passes"
  [ "$(grep -c 'R/G",exact,8,8$' "$here/found.csv")" = 6 ] || fail "e: not all six are found: $(cat "$here/found.csv")"
}

printf 'name: exact\nversion: 1\ninherits: gel-5\nminimum: 10\n' > "$here/exact.yaml"
a_and_b_flagged_cells_are_not_printed_whatever_their_dimension
c_the_raw_life_table_is_nowhere_beside_the_rounded_one
d_a_crosstab_and_its_one_way_table_do_not_give_each_other_away
e_the_check_of_linked_tables_finds_what_is_there
