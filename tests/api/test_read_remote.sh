#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the command line reads from the register's file it reads from a hub: the same bytes.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
mkdir -p "$GRID/keys" "$GRID/hub"
for who in steward lea pat; do a key new "$GRID/keys/$who" --quiet > /dev/null; done
a register found "$GRID/hub/register.db" --hub-identity "$GRID/hub/hub.key" --origin test.example/register --steward stella \
  --steward-key "$(key steward)" --quiet
a register import "$SOURCE"/vocab/*.tsv --at "$GRID/hub/register.db" --identity "$GRID/keys/steward" > /dev/null
act steward body add T1 --name 'A trust' --kind trust --parent QKS
act steward body add P1 --name 'A place & its people' --kind place --parent T1
act steward body add acme --name Acme --kind company
for who in lea:QKS pat:acme; do
  act "${who%:*}" person register "${who%:*}" --name "${who%:*}" --body "${who#*:}"
  act steward grant offer "${who%:*}.lead.${who#*:}" --person "${who%:*}" --role lead --body "${who#*:}" --until "$GRID_UNTIL"
  act "${who%:*}" grant hold "${who%:*}.lead.${who#*:}"
done
act steward grant offer lea.analyst.QKS --person lea --role analyst --body QKS --until "$GRID_UNTIL"
act lea person declare lea --nil true
act lea body describe QKS --decides 'The board' --meetings '[{"what":"Board","date":"2999-01-02"},{"what":"Board","date":"2020-01-02"}]' \
  --data '[{"domain":"prescriptions","lag_days":30,"coverage_percent":90,"gaps":"hospital medicines"}]'
need() { act lea signal draft "$1" --body QKS --side need --title "$1" --type capability --rank "$2" --codes '[{"scheme":"qof","code":"'"$3"'"}]' "${@:4}"; act lea signal publish "$1"; }
need slow 1 COPD --impact 100 --months 24 --stage diagnostics --place Thanet
need quick 2 AST --impact 60 --months 6 --stage prevention
act pat signal draft spiro --body acme --side offer --title Spirometry --type capability --codes '[{"scheme":"qof","code":"COPD"}]'
act pat signal publish spiro
act pat contact send c1 --body QKS --signal slow --text 'May we help?'
act lea contact answer c1 --text Yes
act lea project draft p1 --body QKS --title 'COPD at home' --parties '[{"body":"QKS","role":"lead"},{"body":"acme"}]' --cost-per-year 100000 \
  --lay 'Longitudinal characterisation of heterogeneous multimorbidity trajectories.' --answers '{"project.lay":"We look for people."}'
act lea agreement draft g1 --title COPD --template "$(printf '0%.0s' {1..64})" --purpose 'Find COPD' --access nhs_runs --use commercial --from 2026-01-01 \
  --to 2099-01-01 --annex '{"analyses":["any"],"studies":["any"]}' --quote '[{"code":"application","quantity":2}]' \
  --parties '[{"body":"QKS","role":"lead_site"},{"body":"acme","role":"partner"}]' \
  --mechanisms '[{"kind":"royalty","from":"acme","to":"QKS","rate_percent":2.5,"floor":100000,"cap":5000000,"until":"2030-01-01"}]'
act pat agreement edit g1 --exit-plan 'It ends.'
act steward vocabulary load form-b --version 1 --source 'a test' --rows '[{"code":"project.lay","label":"In plain words?"},{"code":"b.only","label":"Only here?"}]'
grid_hub

same() {
  local code
  a "$@" --at "$GRID/hub/register.db" --format csv > "$GRID/file" 2> "$GRID/file.err"; code=$?
  a "$@" --at "$ACCORD_HUB" --format csv > "$GRID/url" 2> "$GRID/url.err" || [ "$?" = "$code" ] || fail "$*: another exit code by the hub"
  cmp -s "$GRID/file" "$GRID/url" || fail "$*: the hub says other things: $(diff "$GRID/file" "$GRID/url" | head -5)"
  [ "$code" = 0 ] || [ -s "$GRID/url.err" ] || fail "$*: no word of what was wrong"
}
said() { grep -q -- "$1" "$GRID/url" || fail "expected '$1' in: $(cat "$GRID/url")"; }
same match QKS; said '^acme'
same match nobody
same suggest; said spiro
same common QKS acme; said COPD
same search 'spiro*'; said Spirometry
same clocks
same clocks --on 2099-01-01 --overdue
same body tree QKS; said '^P1,A place & its people,place,registered,T1,2$'
same body tree none
same body team QKS; said '^lea,,lead,,not asked for'
same body leads; [ "$(wc -l < "$GRID/url")" = 37 ] || fail "36 ICBs: $(wc -l < "$GRID/url")"; said '^QKS,.*,lea,1,1,0$'
same body profile QKS; jq -e '.next_meeting == "2999-01-02" and (.warnings | any(test("medicines optimisation")))' "$GRID/url" > /dev/null || fail "$(cat "$GRID/url")"
same data gaps QKS; said '^prescriptions,.*,yes,'; said '^pathology,.*,missing,'
same forms diff five-safes form-b; said '^b.only,only the second asks it,,Only here?$'; said '^project.lay,in other words,'
same project check p1; said 'rule triple-benefit'; said 'asks for a reader of'; said 'which people it is for'
same project form p1; said 'We look for people.'
same project form p1 --form none
same agreement sheet g1; said 'royalty: acme to QKS; 2.5%; at least £1000.00; at most £50000.00; until 2030-01-01'; said '^exit plan,It ends.'
same agreement diff g1; said 'exit_plan,It ends.'
same signal list --sort value; [ "$(cut -d, -f1 "$GRID/url" | tr '\n' ' ')" = 'id quick slow spiro ' ] || fail "60/6 before 100/24: $(cat "$GRID/url")"
same signal list --stage diagnostics; [ "$(wc -l < "$GRID/url")" = 2 ] || fail "by stage"
same signal list --code qof:COPD; [ "$(wc -l < "$GRID/url")" = 3 ] || fail "by code"
same signal list --place Thanet; said slow
same transfer list
same review list
same signal show slow --history; said signal.publish
for kind in use-register disclosure-uk atom dcat; do same export "$kind"; done
a ledger prove "$ACCORD_HUB" 7 > "$GRID/proof" && a ledger check "$GRID/proof" > /dev/null 2>&1 || fail "a proof from the hub"
a ledger prove "$ACCORD_HUB" project:p1 > "$GRID/proof" && a ledger check "$GRID/proof" --format csv 2> /dev/null | grep -q 'project.draft,project:p1' || fail "a page's proof"
curl -sf "$ACCORD_HUB/api/v1/register/signal?sort=value&after=x" > /dev/null && fail "value and after"

# the whole log, straight from a hub: verified as its copy is; whatever is wrong is told
a ledger copy "$ACCORD_HUB" "$GRID/copy" --quiet > /dev/null && a ledger verify "$GRID/copy" --format csv > "$GRID/file" 2> /dev/null || fail "a copy"
a ledger verify "$ACCORD_HUB" --format csv > "$GRID/url" 2> /dev/null && cmp -s "$GRID/file" "$GRID/url" || fail "verify at a hub: $(diff "$GRID/file" "$GRID/url")"
ACCORD_PROGRESS=1 a ledger verify "$ACCORD_HUB" 2>&1 > /dev/null | grep -q 'reading the log' || fail "no progress is shown"
refused() { # exit code, words, command...
  local code=$1 words=$2 got=0; shift 2
  a ledger "$@" > "$GRID/out" 2> "$GRID/err" || got=$?
  [ "$got" = "$code" ] && grep -qF -- "$words" "$GRID/err" && [ ! -s "$GRID/out" ] || fail "$*: exit code $got, $(cat "$GRID/err"); expected $code and '$words'"
}
key=$(a ledger vkey --name test.example/register --identity "$GRID/keys/lea")
refused 8 'signed by another key' verify "$ACCORD_HUB" --key "$key"
refused 12 'could not be reached' verify http://127.0.0.1:1
refused 12 'could not be reached' verify https://register.invalid
refused 2 'must have no path' verify "$ACCORD_HUB/log"
refused 5 'plain HTTP is only used on this machine' verify http://register.example
node "$SOURCE/tests/lib/lying_hub.mjs" "$ACCORD_HUB" "$GRID/lie" > "$GRID/port" 2> "$GRID/proxy.log" &
GRID_PID[proxy]=$!
echo honest > "$GRID/lie"
for ((n = 0; n < 100; n++)); do [ -s "$GRID/port" ] && break; sleep 0.05; done
proxy=http://127.0.0.1:$(cat "$GRID/port")
a ledger verify "$proxy" --format csv 2> /dev/null | cmp -s - "$GRID/file" || fail "verify through a proxy"
lie() { echo "$1" > "$GRID/lie"; refused "${@:2}" verify "$proxy"; }
lie rewrite 8 'entry '
lie fewest 8 'entries from 0 on instead of'
lie torn 12 'was cut short'
echo stall > "$GRID/lie"
"$ACCORD" ledger verify "$proxy" > /dev/null 2> "$GRID/err" & pid=$!
sleep 0.5; kill -TERM "$pid"; wait "$pid"; code=$?
[ "$code" = 14 ] || fail "interrupted: exit code $code, $(cat "$GRID/err")"
lie stranger 12 'answers, but not as a hub does'
echo "reading from a hub gives the bytes that the file gives"
