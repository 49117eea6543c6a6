# SPDX-License-Identifier: Apache-2.0
# A hub, sites with their nodes, a partner and checkers on loopback, for tests: source it with $ACCORD set.
#
#   grid_make SITES PERSONS   stores, register and agreement a1 in force (site 0 leads); GRID is the folder
#   grid_hub, grid_node I     start; grid_kill NAME ends one with SIGKILL, grid_stop all of them
#   grid_submit ID            an analyst's run of $GRID/study.json
#   grid_approve ID           two checkers' yes at the lead node
# GRID_NODE_LISTEN=127.0.0.1:0 lets the nodes serve their pages. Everything lies in $GRID, which grid_end removes.

GRID=$(mktemp -d "${TMPDIR:-/tmp}/accord-grid-XXXXXX")
export GRID
declare -A GRID_PID=()
GRID_ATTEMPT=${GRID_ATTEMPT:-60}
GRID_HUB_OPTIONS=()
GRID_AGREEMENT_OPTIONS=()

say() { printf '%s\n' "$*" >&2; }
fail() { say "FAILED: $*"; for log in "$GRID"/*.log; do say "--- $log"; tail -n 15 "$log" >&2; done; exit 1; }
a() { "$ACCORD" "$@"; }
key() { a key show "$GRID/keys/$1" --format csv | tail -n 1; }
# act WHO NOUN VERB ID [options]: a signed command straight into the register's file
act() { local who=$1 noun=$2 verb=$3 id=$4; shift 4; a "$noun" "$verb" "$id" --at "$GRID/hub/register.db" --identity "$GRID/keys/$who" --quiet "$@" > /dev/null || fail "$who: $noun $verb $id"; }

GRID_UNTIL=$(date -d '+300 days' +%F)
GRID_TODAY=$(date -u +%F)

grid_person() { # ID BODY ROLE
  a key new "$GRID/keys/$1" --quiet > /dev/null
  act "$1" person register "$1" --name "$1" --body "$2"
  act steward person prove "$1" --kind safe-researcher --until "$GRID_UNTIL"
  act steward person prove "$1" --kind output-checking --until "$GRID_UNTIL"
  act "$1" person declare "$1" --nil true
  act steward grant offer "$1.$3.$2" --person "$1" --role "$3" --body "$2" --until "$GRID_UNTIL"
  act "$1" grant hold "$1.$3.$2"
}

grid_site() { # I PERSONS
  local places=('Kent and Medway' 'South East London' 'West Yorkshire' 'Greater Manchester') # rows that can be pooled
  a synth --out "$GRID/omop$1" --persons "$2" --seed 1 --site "${places[$1]}" --quiet > /dev/null
  a node import "$GRID/omop$1" --store "$GRID/store$1" --quiet > /dev/null 2>&1 || fail "import of site $1"
  [ -n "${GRID_KEEP_CSV:-}" ] || rm -rf "$GRID/omop$1"
  act steward body add "T$1" --name "Trust $1" --kind trust
  grid_person "signer$1" "T$1" signatory
  a node init --data "$GRID/node$1" --quiet > /dev/null
  sed -i 's/required: true/required: false/' "$GRID/node$1/node.yaml" # nobody's data: nobody can opt out
  act steward node invite "n$1" --body "T$1" --until "$GRID_UNTIL" --token-hash "$(printf 'token%s' "$1" | sha256sum | cut -d' ' -f1)"
}

grid_agreement() { # ID SITES
  local parties='{"body":"T0","role":"lead_site"}' i
  for ((i = 1; i < $2; i++)); do parties+=',{"body":"T'$i'","role":"site"}'; done
  parties+=',{"body":"acme","role":"partner"}'
  act signer agreement draft "$1" --title COPD --template "$(printf '0%.0s' {1..63})8" --parties "[$parties]" \
    --annex '{"analyses":["any"],"studies":["any"]}' --from "$GRID_TODAY" --to "$GRID_UNTIL" \
    --purpose 'Find undiagnosed COPD' --access nhs_runs --use non-commercial --consent-to-commercialise true \
    --exit-plan 'The work ends with the term.' --quote '[{"code":"application","quantity":1}]' "${GRID_AGREEMENT_OPTIONS[@]}"
  act certifier agreement check "$1"
  act signer0 agreement summarise "$1" --summary 'Trusts and a company count COPD.'
  act signer agreement sign "$1"
  for ((i = 0; i < $2; i++)); do act "signer$i" agreement sign "$1"; done
}

grid_make() { # SITES PERSONS
  local i
  mkdir -p "$GRID/keys" "$GRID/hub"
  a key new "$GRID/keys/steward" --quiet > /dev/null
  a register found "$GRID/hub/register.db" --hub-identity "$GRID/hub/hub.key" --origin test.example/register --steward stella \
    --steward-key "$(key steward)" --quiet
  act steward body add acme --name Acme --kind company
  act steward body add uni --name 'A university' --kind university
  act steward template publish daa --name 'Data access agreement' --kind DAA --version 8.0 --hash "$(printf '0%.0s' {1..63})8"
  act steward vocabulary load prices-sde --version 2026-04-01 --source 'a test' \
    --rows '[{"code":"application","label":"New application","amount":143100}]'
  grid_person ada acme analyst
  grid_person signer acme signatory
  grid_person chris uni checker
  grid_person carol uni checker
  grid_person certifier national certifier
  for ((i = 0; i < $1; i++)); do grid_site "$i" "$2"; done
  grid_person cora T1 controller
  grid_agreement a1 "$1"
  grid_study crosstab
}

grid_study() { a study new "$1" 2> /dev/null > "$GRID/study.json"; }
# A regression in several rounds: retinopathy (4174977) in the year after the first record of diabetes (201826).
grid_study_rounds() {
  a study new regression 2> /dev/null | jq '(.cohorts[0].definition.ConceptSets[0].expression.items[0].concept.CONCEPT_ID) = 201826
    | (.cohorts[1].definition.ConceptSets[0].expression.items[0].concept.CONCEPT_ID) = 4174977
    | .analyses[0].covariates |= .[0:2]' > "$GRID/study.json"
}

grid_hub() {
  "$ACCORD" hub --data "$GRID/hub" --listen "127.0.0.1:${GRID_PORT:-0}" --attempt-timeout "$GRID_ATTEMPT" "${GRID_HUB_OPTIONS[@]}" >> "$GRID/hub.log" 2>&1 &
  GRID_PID[hub]=$!
  local n url
  for ((n = 0; n < 100; n++)); do
    url=$(grep -so '"url":"[^"]*"' "$GRID/hub.log" | tail -n 1 | cut -d'"' -f4)
    [ -n "$url" ] && curl -sf "$url/api/v1/hub" > /dev/null && break
    sleep 0.05
  done
  export ACCORD_HUB=$url GRID_PORT=${url##*:}
}

grid_enrol() { a node enrol --data "$GRID/node$1" --hub "$ACCORD_HUB" --name "n$1" --token-file - --quiet <<< "token$1" > /dev/null || fail "enrolment of node $1"; }

grid_node() { # I
  "$ACCORD" node run --data "$GRID/node$1" --store "$GRID/store$1" --threads 1 ${GRID_NODE_LISTEN:+--listen "$GRID_NODE_LISTEN"} >> "$GRID/node$1.log" 2>&1 &
  GRID_PID[node$1]=$!
}

grid_kill() { kill -KILL "${GRID_PID[$1]}" 2> /dev/null; wait "${GRID_PID[$1]}" 2> /dev/null; unset "GRID_PID[$1]"; return 0; }
grid_stop() {
  local name
  for name in "${!GRID_PID[@]}"; do kill -TERM "${GRID_PID[$name]}" 2> /dev/null; done
  for name in "${!GRID_PID[@]}"; do wait "${GRID_PID[$name]}" 2> /dev/null; done
  GRID_PID=()
  return 0
}
grid_end() { grid_stop; rm -rf "$GRID"; }
trap grid_end EXIT

grid_up() { # SITES
  local i
  grid_hub
  for ((i = 0; i < $1; i++)); do grid_enrol "$i"; done
  for ((i = 0; i < $1; i++)); do grid_node "$i"; done
}

grid_submit() { a run submit "$GRID/study.json" --agreement "${2:-a1}" --key "$GRID/keys/ada" --id "$1" --quiet > /dev/null || fail "submit $1"; }
grid_state() { curl -sf "$ACCORD_HUB/api/v1/runs/$1" | jq -r .state; }
grid_wait() { # ID STATE SECONDS
  local n
  for ((n = 0; n < $3 * 10; n++)); do [ "$(grid_state "$1")" = "$2" ] && return 0; sleep 0.1; done
  curl -s "$ACCORD_HUB/api/v1/runs/$1" >&2
  fail "run $1 is not $2 after $3 s"
}
# Every number of four digits or more that the lead node knows of a run's rounds (coefficients, information, totals), one a line.
grid_round_numbers() {
  sqlite3 "$GRID/node0/node.db" "select state from progress where run='$1'" | grep -oE '[0-9]+(\.[0-9]+)?(e-?[0-9]+)?' |
    grep -E '\.[0-9]{4,}' | sort -u
}
# Nothing of a run's rounds can be read in the hub's files or over its API.
grid_hub_is_blind() { # RUN
  grid_round_numbers "$1" > "$GRID/numbers"
  [ "$(wc -l < "$GRID/numbers")" -ge 5 ] || fail "run $1 has too few numbers to look for"
  { cat "$GRID"/hub.log; sqlite3 "$GRID/hub/register.db" .dump; sqlite3 "$GRID/hub/grid.db" .dump; } > "$GRID/hub.text"
  find "$GRID/hub" -type f -exec cat {} + | strings -n 4 >> "$GRID/hub.text"
  local path
  for path in "api/v1/runs/$1" "api/v1/runs/$1/dossier" "api/v1/register/run/$1" api/v1/export/feed api/v1/log "run/$1" log; do
    curl -s "$ACCORD_HUB/$path" >> "$GRID/hub.text"
  done
  grep -qF "$1" "$GRID/hub.text" || fail "the search does not even find the run"
  grep -aoFf "$GRID/numbers" "$GRID/hub.text" | head -n 3 | grep . >&2 && fail "the hub can read numbers of run $1's rounds"
  return 0
}
grid_approve() {
  a node output approve "$1" --data "$GRID/node0" --key "$GRID/keys/chris" --quiet || fail "first approval"
  a node output approve "$1" --data "$GRID/node0" --key "$GRID/keys/carol" --quiet || fail "second approval"
}
