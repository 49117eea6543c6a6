#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No patient row leaves a node: every command of the table and every route of the API is called over a site with known person
# and event ids, with arguments that fit and that do not; none of the ids may appear in what they print, log or answer, nor
# in the hub's files, nor in clear in the site's own store.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
. "$SOURCE/tests/lib/totp.sh"
GRID_KEEP_CSV=1
GRID_NODE_LISTEN=127.0.0.1:0
grid_make 3 400
grid_up 3
mkdir "$GRID/out" "$GRID/cwd"
cd "$GRID/cwd" || exit 1 # some commands make files where they are called

# The canaries: every person id and every visit's and condition's own id.
for table in person visit_occurrence condition_occurrence; do
  cut -d, -f1 "$GRID"/omop?/$table.csv | grep -E '^[0-9]{9,}$'
done | sort -u > "$GRID/canaries"
[ "$(wc -l < "$GRID/canaries")" -gt 2000 ] || fail "too few canaries"
grep -qwFf "$GRID/canaries" "$GRID/omop0/person.csv" || fail "the search does not find what is there"

grid_submit r1 a1
grid_wait r1 held 30

# --- the node's own pages, to a checker and controller, while an output is held ---------------------------------
node=$(grep -o '"url":"[^"]*"' "$GRID/node0.log" | cut -d'"' -f4)
secret=$(a node account add chris --data "$GRID/node0" --role 'checker|controller' --key "$GRID/keys/chris" --format csv <<< 'a long walk home' | tail -n 1 | cut -d, -f3)
curl -s -c "$GRID/cookies" -o /dev/null -d "person=chris&password=a+long+walk+home&code=$(one_time_code "$secret")" "$node/sign-in"
for page in / /runs/r1 /outputs/r1 /stop; do
  curl -s -b "$GRID/cookies" "$node$page" > "$GRID/out/node-page-$(tr / _ <<< "$page")"
done
grep -q 'Requester will see' "$GRID/out/node-page-_outputs_r1" || fail "the checker's page shows nothing"
grid_approve r1
grid_wait r1 released 20

# --- every command, with what fits it and with what does not ------------------------------------------------
jq '.cohorts[0].definition' "$GRID/study.json" > "$GRID/cohort.json"
call() { # number, words of the command, what it is given, options
  # shellcheck disable=SC2086 # words are meant to be split
  timeout 20 "$ACCORD" $2 $3 $4 < /dev/null > "$GRID/out/${2// /-}-$1" 2>&1
}
options_of() { # those of a command's options that name a place, with the places of this test
  local help option
  help=$("$ACCORD" "$@" --help)
  for option in store key data at hub; do
    grep -q -- "--$option " <<< "$help" || continue
    case $option in
      store) echo "--store $GRID/store0" ;;
      key) echo "--key $GRID/store0.key" ;;
      data) echo "--data $GRID/node0" ;;
      at) echo "--at $GRID/hub/register.db" ;;
      hub) echo "--hub $ACCORD_HUB" ;;
    esac
  done | tr '\n' ' '
}
a help --man | sed -n 's/^\.SS accord //p' | while read -r noun verb _; do
  case "$noun $verb" in
    "synth "* | "hub "* | "node run"* | "node import"* | "help "* | "register found"*) continue ;;
  esac
  [[ $verb =~ ^[a-z-]+$ ]] && words="$noun $verb" || words=$noun
  # shellcheck disable=SC2086
  options=$(options_of $words)
  n=0
  for given in "" "$GRID/cohort.json" "$GRID/cohort.json $GRID/cohort.json" "$GRID/study.json" "$GRID/store0" "show r1" \
    "$GRID/omop0/condition_occurrence.csv"; do
    n=$((n + 1))
    call "$n" "$words" "$given" "$options"
  done
  [ -z "$options" ] || call 0 "$words" "r1" ""
done
calls=$(find "$GRID/out" -type f | wc -l)
said=$(find "$GRID/out" -type f -size +100c | wc -l)
[ "$said" -gt 100 ] || fail "only $said of $calls calls said anything"

# --- every route -------------------------------------------------------------------------------------------------
curl -s "$ACCORD_HUB/api/v1/openapi.json" > "$GRID/openapi.json"
jq -r '.paths | to_entries[] | select(.value.get) | .key' "$GRID/openapi.json" |
  sed "s/{noun}/run/; s/{id}/r1/; s/{seq}/3/; s/{round}/1/; s/{attempt}/1/; s/{site}/T0/; s/{[a-z_]*}/r1/g" > "$GRID/routes"
printf '%s\n' / /bodies /runs /runs/r1 /runs/r1/result /artefacts /artefacts/r1 /log /log/3 >> "$GRID/routes"
[ "$(wc -l < "$GRID/routes")" -ge 15 ] || fail "too few routes"
while read -r route; do
  curl -s --max-time 10 "$ACCORD_HUB$route" > "$GRID/out/route-$(tr / _ <<< "$route")"
done < "$GRID/routes"

# --- nothing of it anywhere --------------------------------------------------------------------------------------
leak() { fail "patient ids in $1: $(grep -ownFf "$GRID/canaries" "$2" | head -n 3 | tr '\n' ' ')"; }
for file in "$GRID"/out/*; do
  # A command that was given a file of patients by its operator may not repeat a row of it either.
  grep -qwFf "$GRID/canaries" "$file" && leak "the answer of '$(basename "$file")'" "$file"
done
for file in "$GRID"/*.log; do
  grep -qwFf "$GRID/canaries" "$file" && leak "the log $(basename "$file")" "$file"
done
strings -n 9 "$GRID"/hub/* > "$GRID/hub.txt"
grep -qwFf "$GRID/canaries" "$GRID/hub.txt" && leak "the hub's files" "$GRID/hub.txt"
find "$GRID/store0" -type f -exec strings -n 9 {} + > "$GRID/store.txt"
grep -qwFf "$GRID/canaries" "$GRID/store.txt" && leak "the store, in clear" "$GRID/store.txt"
routes=$(wc -l < "$GRID/routes")
echo "no patient row in $calls answers of commands, $routes routes, logs, the hub or, in clear, the store"
