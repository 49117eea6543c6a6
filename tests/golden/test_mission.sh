#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Rows of docs/governance/mission.md on the command line, as a person would type them, and that every test which that page names is there.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
fail() { echo "FAILED: $*" >&2; exit 1; }
mkdir -p "$GRID/keys" "$GRID/hub"
export ACCORD_REGISTER=$GRID/hub/register.db
as() { local who=$1; shift; [ -f "$GRID/keys/$who" ] || a key new "$GRID/keys/$who" --quiet > /dev/null; a "$@" --identity "$GRID/keys/$who"; }
do_as() { as "$@" --quiet > /dev/null || fail "$*"; }
refused() { local text=$1; shift; as "$@" > "$GRID/out" 2>&1 && fail "accepted: $*"; grep -qF -- "$text" "$GRID/out" || fail "$*: expected '$text': $(cat "$GRID/out")"; }
shows() { local row=$1 text=$2; shift 2; a "$@" --format csv > "$GRID/out" || fail "$row: $*"; grep -qE -- "$text" "$GRID/out" || fail "$row: $*: expected '$text': $(cat "$GRID/out")"; }
who() { # ID BODY ROLE
  do_as "$1" person register "$1" --name "$1" --body "$2"
  do_as "$1" person declare "$1" --nil true
  do_as steward grant offer "$1.$3.$2" --person "$1" --role "$3" --body "$2" --until "$GRID_UNTIL"
  do_as "$1" grant hold "$1.$3.$2"
}
a key new "$GRID/keys/steward" --quiet > /dev/null
a register found "$ACCORD_REGISTER" --hub-identity "$GRID/hub/hub.key" --origin test.example/register --steward stella --steward-key "$(key steward)" --quiet
do_as steward register import "$SOURCE"/vocab/*.tsv
for b in 'T9 trust' 'P9 place' 'C9 council'; do do_as steward body add "${b% *}" --name "Body ${b% *}" --kind "${b#* }" --parent QKS; done
do_as steward body add acme --name Acme --kind company
do_as steward body add rival --name Rival --kind company
who lea QKS lead; who cora C9 lead; who ann acme lead; who sid acme signatory; who rhea rival lead

# 0.2, 4.14: who decides, the next meeting, fewer than five of the sixteen opportunities
do_as lea body describe QKS --decides 'The board' --decides 'The finance committee' --meetings "[{\"what\":\"Board\",\"date\":\"$GRID_UNTIL\"}]" \
  --priorities '[{"scheme":"medicines-optimisation","code":"mo11"}]' --data '[{"domain":"prescriptions","lag_days":30,"coverage_percent":98}]'
a body profile QKS | jq -e --arg d "$GRID_UNTIL" '.next_meeting == $d and .decides[0] == "The board" and any(.warnings[]; contains("fewer than 5"))' > /dev/null || fail "0.2, 4.14"
shows 0.7 '^T9,' body tree QKS
shows 0.9 'pathology.*missing' data gaps QKS
shows 4.25 '^QKS,.*lea' body leads
[ "$(a body leads --format csv | wc -l)" = 37 ] || fail "4.25: 36 boards, vacancies among them"

# signals: one vocabulary, ranks, stages, places, value, evidence, a product alone
signal() { local who=$1 id=$2; shift 2; do_as "$who" signal draft "$id" --title "$id" --type capability "$@"; do_as "$who" signal publish "$id"; }
copd='[{"scheme":"qof","code":"COPD"}]'
signal lea need-1 --body QKS --side need --rank 1 --codes "$copd" --stage diagnostics --place Ashford --impact 10 --months 10
signal lea need-2 --body QKS --side need --rank 2 --codes '[{"scheme":"backlog","code":"rtt"}]' --stage treatment --impact 90 --months 6 --evidence 'A survey'
signal ann offer-1 --body acme --side offer --codes "$copd" --stage diagnostics
signal rhea offer-2 --body rival --side offer --codes '[{"scheme":"medicines-optimisation","code":"mo12"}]' --product Valvo
shows 0.3 'COPD' common QKS acme
[ "$(a signal list --sort value --format csv | sed -n 2p | cut -d, -f1)" = need-2 ] || fail "0.8: 90/6 before 10/10"
shows 0.22 'offer-1' match QKS
[ "$(a match QKS --format csv | grep -c rival)" = 0 ] || fail "4.13: a product alone is matched with nothing"
shows 1.1 '^need-1,' signal list --stage diagnostics
shows 4.19 '^need-2,' signal list --code backlog:rtt
shows 4.33 '^need-1,' signal list --place Ashford
a signal show need-1 | jq -e '.without_evidence == true' > /dev/null || fail "3.6: a need without evidence is marked"
a signal show need-2 | jq -e 'has("without_evidence") | not' > /dev/null || fail "3.6: one with evidence is not"
do_as ann signal idea idea-1 --title 'Spirometry in libraries' --lay 'Where people are anyway.'
shows 3.1 '^idea-1,published' signal list
refused 'rule need-code' ann contact send c1 --body QKS --text 'May we talk?'
do_as ann contact send c2 --body QKS --signal need-1 --text 'May we talk?'
shows 0.32 '^contact,contact,c2,QKS' clocks
shows 0.28 'need-1.*offer-1' suggest

# bodies in time: an offer to a board that was closed shows under its successors
shows 4.2 '^QNQ,' body list --kind icb --on 2023-06-01
[ "$(a body list --kind icb --on 2026-06-01 --format csv | grep -c '^QNQ,')" = 0 ] || fail "4.2: QNQ in 2026"
a body show QNQ | jq -e '.successors | length == 3' > /dev/null || fail "1.4: the successors of QNQ"

# projects: three requests from a need to a draft; a council as a party; data that would leave
do_as lea project draft p1 --title 'COPD at home' --body QKS --signals need-1 --parties '[{"body":"QKS","role":"lead"},{"body":"C9","role":"care"},{"body":"acme","role":"partner"}]'
a project show p1 | jq -e '.parties | any(.body == "C9")' > /dev/null || fail "2.6: a council joins"
do_as cora project edit p1 --purpose 'Find COPD at home'
do_as lea project edit p1 --access out
shows 2.14 'rule access-out' project check p1
do_as lea project edit p1 --access nhs_runs --codes '[{"scheme":"ehds-purposes","code":"advertising"}]'
shows purposes 'rule purpose' project check p1
shows 2.16 'rule triple-benefit' project check p1
do_as steward vocabulary load short-form --version 1 --source x --rows '[{"code":"data.needed","label":"What will you read?"}]'
shows 2.20 'only the first' forms diff five-safes short-form

# 4.35: two companies, each with its own annex, read over the hub
do_as sid agreement draft g1 --title COPD --template "$(printf '0%.0s' {1..64})" --purpose COPD --access nhs_runs --use commercial --from 2026-01-01 --to 2099-01-01 \
  --annex '{"analyses":["any"],"studies":["any"]}' --parties '[{"body":"QKS","role":"lead_site"},{"body":"acme","role":"partner"},{"body":"rival","role":"partner"}]'
do_as sid annex add x1 --agreement g1 --body acme --title Prices --why Commercial --text 'Forty pounds a device'
do_as rhea annex add x2 --agreement g1 --body rival --title Prices --why Commercial --text 'Thirty pounds a device'
grid_hub
export ACCORD_REGISTER=$ACCORD_HUB
for reader in sid ann lea; do as "$reader" annex read x1 | jq -e '.text == "Forty pounds a device"' > /dev/null || fail "4.35: $reader reads the annex"; done
refused 'rule private-annex' rhea annex read x1
refused 'rule private-annex' sid annex read x2
[ "$(curl -s -o "$GRID/out" -w '%{http_code}' "$ACCORD_HUB/api/v1/annexes/x1")" = 401 ] || fail "4.35: read by nobody in particular"
for page in register/annex/x1 register/agreement/g1 'log/entries?subject=annex:x1' search?q=Forty; do
  curl -sf "$ACCORD_HUB/api/v1/$page" > "$GRID/out" || fail "$page"
  grep -q 'Forty pounds' "$GRID/out" && fail "4.35: the text is public at $page"
done
shows 4.35 'private annex,"?x1, acme: Prices' agreement sheet g1
shows 4.35 'private annex,"?x2, rival: Prices' agreement sheet g1
a ledger copy "$ACCORD_HUB" "$GRID/copy" > /dev/null && grep -q 'Forty pounds' "$GRID/copy" && fail "4.35: the text is in a copy of the log"

# every test that the page names is there
grep -oE '`[a-z]+/[a-z_/]+(\.sh|\.c|\.mjs)(: [a-z_]+)?`' "$SOURCE/docs/governance/mission.md" | tr -d '\`' | sort -u > "$GRID/named"
[ "$(wc -l < "$GRID/named")" -ge 25 ] || fail "the page names no tests"
while IFS= read -r line; do
  file=$SOURCE/tests/${line%%: *} name=${line#*: }
  [ -f "$file" ] || fail "mission.md names $file, which is not there"
  [ "$name" = "$line" ] || grep -q "static void $name(" "$file" || fail "mission.md: there is no '$name' in $file"
done < "$GRID/named"
echo "the mission's rows, as one types them; $(wc -l < "$GRID/named") tests named"
