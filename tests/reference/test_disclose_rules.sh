#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The gate against public vectors of ../shared/data/disclosure: rounding rules, dominance, degrees of freedom, saturation,
# and the cells that ACRO flags and then prints, whatever the type of its dimension and with or without margins.
set -euo pipefail
data="${ACCORD_SHARED:-$SOURCE/../shared}/data/disclosure"
[ -d "$data/rules" ] || exit 77
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
fail() { echo "test_disclose_rules: $*" >&2; exit 1; }
policy() { # name, inherits, further rules
  { printf 'name: %s\nversion: 1\ninherits: %s\napproved_by: tests\n' "$1" "$2"; printf '%s\n' "${@:3}"; } > "$here/$1.yaml"
}
one_table() { # type, members of the table: cells come from standard input as an array of objects
  jq -c --arg type "$1" --argjson more "${2:-{\}}" '{format: "accord-result-1", title: "vectors", tables: [{name: "t", title: "t",
    unit: "persons", type: $type, dimensions: [{name: "case", levels: [range(length) | {label: "case \(.)"}]}],
    cells: [to_entries[] | {at: [.key]} + .value]} + $more]}'
}
prints() { # result, policy: one line per cell, * where it is hidden
  "$ACCORD" disclose release "$1" --policy "$2" --format json | jq -r '.tables[0].cells | sort_by(.at)[] | if .hidden then "*" else .value end'
}

# Rounding: the rule's own column where its policy prints; where the rule prints small counts, ours hides them.
# Bunny rounds halves to even, which no profile does; a zero that ONS hides is printed by ons-10-5.
tr -d '\r' < "$data/rules/rounding.csv" > "$here/rounding.csv"
tail -n +2 "$here/rounding.csv" | cut -d, -f1 | jq -s 'map({persons: .})' | one_table count > "$here/counts.json"
rounding() { # column, policy, the count below which ours hides, first count compared
  prints "$here/counts.json" "$2" | paste -d, <(tail -n +2 "$here/rounding.csv" | cut -d, -f"1,$1") - |
    awk -F, -v least="$3" -v first="$4" '$1 < first { next } { want = $1 > 0 && $1 < least ? "*" : $2; n++ }
      $3 != want { print $1 ": wanted " want ", got " $3; bad = 1 } END { exit bad || n < 60 }' || fail "rounding column $1"
}
policy midpoint opensafely 'rounding: midpoint' 'base: 6'
rounding 2 "$here/midpoint.yaml" 8 0
rounding 3 opensafely 8 0
rounding 4 opensafely 8 0
rounding 5 nhs-hes 8 0
rounding 6 ons-10-5 10 1
rounding 8 sde-10 10 0

# Dominance, each rule alone and then together.
policy nk sde-10 'p_ratio: 0'
policy ratio sde-10 'top2_share: 1'
jq '[.dominance.cases[] | select(.p_ratio) | .contrib | sort | reverse | {persons: 20, value: add, top1: .[0], top2: .[1]}]' \
  "$data/rules/checks.json" | one_table sum > "$here/sums.json"
wanted() { jq -r "[.dominance.cases[] | select(.p_ratio)][] | if $1 then \"*\" else (.contrib | add) end" "$data/rules/checks.json"; }
[ "$(prints "$here/sums.json" "$here/nk.yaml")" = "$(wanted .nk_fail)" ] || fail "the NK rule"
[ "$(prints "$here/sums.json" "$here/ratio.yaml")" = "$(wanted .p10_fail)" ] || fail "the p-ratio rule"
[ "$(prints "$here/sums.json" sde-10)" = "$(wanted '.nk_fail or .p10_fail')" ] || fail "both rules of dominance"

# Regressions: residual degrees of freedom refuse the table, saturation hides its terms.
terms='[{"persons": 800, "value": 1.5, "numerator": 100, "level_persons": 400}]'
while read -r freedom status; do
  one_table regression "{\"degrees_of_freedom\": $freedom, \"persons\": 811, \"parameters\": 4}" <<< "$terms" > "$here/fit.json"
  got=pass
  "$ACCORD" disclose release "$here/fit.json" > /dev/null 2>&1 || got=fail
  [ "$got" = "$status" ] || fail "$freedom residual degrees of freedom: $got"
done < <(jq -r '.residual_dof[] | "\(.df_resid) \(.status)"' "$data/rules/checks.json")
while read -r n p ok; do
  one_table regression "{\"degrees_of_freedom\": $((n - p)), \"persons\": $n, \"parameters\": $p}" <<< "$terms" > "$here/fit.json"
  got=$(prints "$here/fit.json" sde-10)
  case $ok,$got in true,1.5 | false,'*') ;; *) fail "$p parameters of $n persons: $got" ;; esac
done < <(jq -r '.datashield_glm_saturation.cases[] | "\(.n) \(.p) \(.ok)"' "$data/rules/checks.json")

# OpenSAFELY's example of a redacted row beside published totals: the audit finds what its reader would.
jq -r '.secondary_examples_opensafely[0] | "age,group,value", ("heart disease", "population" | "21-30,\(.),[REDACTED]"),
  (.rows | to_entries[] | "\(.key),heart disease,\(.value[0])", "\(.key),population,\(.value[1])"),
  (.totals_published | to_entries[] | "Total,\(.key),\(.value)")' "$data/rules/checks.json" > "$here/redacted.csv"
"$ACCORD" disclose audit "$here/redacted.csv" --format csv > "$here/found.csv" 2> /dev/null && fail "the audit finds nothing in a leaking table"
[ "$(grep -c ',exact,1,1$' "$here/found.csv")" = 2 ] || fail "the audit finds other values: $(cat "$here/found.csv")"

# ACRO prints flagged cells of integer and float dimensions. Years as each type, with and without margins.
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
