#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SIGKILL of any process at ten points of a three-node run, and at random moments of several runs at once: every run
# completes, with the same tables as a run that nobody disturbed, and nothing is in the log twice.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
grid_make 3 1500
grid_up 3

grid_submit calm
grid_wait calm held 20
grid_approve calm
grid_wait calm released 10
tables() { a run result "$1" --format json | jq -cS .tables; }
tables calm > "$GRID/expected"

# one process for a folder: a second hub or node beside the first, which has served by now, is refused, and the first goes on
alone() { "$@" > "$GRID/second" 2>&1 < /dev/null; [ $? = 6 ] && grep -q 'another process serves from this folder' "$GRID/second" || fail "$*: $(cat "$GRID/second")"; }
alone timeout 10 "$ACCORD" hub --data "$GRID/hub" --listen 127.0.0.1:0
alone timeout 10 "$ACCORD" node run --data "$GRID/node1" --store "$GRID/store1"

cp "$GRID/study.json" "$GRID/one-round.json"
grid_study_rounds
grid_submit calm2
grid_wait calm2 held 20
[ "$(curl -s "$ACCORD_HUB/api/v1/runs/calm2" | jq .round)" -ge 3 ] || fail "the regression took no rounds"
grid_hub_is_blind calm2
grid_approve calm2
grid_wait calm2 released 10
tables calm2 > "$GRID/expected2"
cp "$GRID/study.json" "$GRID/rounds.json"
cp "$GRID/one-round.json" "$GRID/study.json"

revive() { grid_kill "$1"; if [ "$1" = hub ]; then grid_hub; else grid_node "${1#node}"; fi; }
# until_log FILE TEXT: waits for a line with TEXT that came after the last call for that file
declare -A SEEN=()
until_log() {
  local from=${SEEN[$1]:-0} n at
  for ((n = 0; n < 2000; n++)); do
    at=$(tail -n "+$((from + 1))" "$GRID/$1.log" 2> /dev/null | grep -nF -m 1 "$2" | cut -d: -f1)
    [ -n "$at" ] && { SEEN[$1]=$((from + at)); return 0; }
    sleep 0.005
  done
  fail "no '$2' in the log of $1"
}
for name in node0 node1 node2; do SEEN[$name]=$(wc -l < "$GRID/$name.log"); done

# --- ten points, in the order of a run's life; each process is started again at once ---------------------------
grid_submit hard
revive hub                                    # 1: the request is in the log
until_log node1 '"node.checked"'; revive node1 # 2: a site has checked it
until_log node2 '"node.part"';    revive node2 # 3: a part is made, perhaps not sent
until_log node0 'run.part';       revive node0 # 4: the lead has sent its own part
revive hub                                    # 5: parts are there
until_log node0 '"node.total"';   revive node0 # 6: the lead has added up
until_log node0 'artefact.hold';  revive node0 # 7: an output is held
grid_wait hard held 20
revive hub                                    # 8: while it is held
a node output approve hard --data "$GRID/node0" --key "$GRID/keys/chris" --quiet || fail "first approval"
revive node0                                  # 9: between the approvals
a node output approve hard --data "$GRID/node0" --key "$GRID/keys/carol" --quiet || fail "second approval"
until_log node0 '"node.release"'; revive node0 # 10: the release is decided
grid_wait hard released 20
cmp "$GRID/expected" <(tables hard) || fail "the tables of the disturbed run differ"

# --- random moments, several runs at once ----------------------------------------------------------------------
RANDOM=${SEED:-7}
names=(hub node0 node1 node2)
for i in 1 2 3 4; do grid_submit "wild$i"; done
cp "$GRID/rounds.json" "$GRID/study.json"
for i in 5 6; do grid_submit "wild$i"; done
for ((n = 0; n < 24; n++)); do
  sleep "0.0$((RANDOM % 90 + 10))"
  revive "${names[RANDOM % 4]}"
done
for i in 1 2 3 4 5 6; do grid_wait "wild$i" held 40; done
for i in 1 2 3 4 5 6; do
  a node output approve "wild$i" --data "$GRID/node0" --key "$GRID/keys/chris" --quiet || fail "approval of wild$i"
  revive "${names[RANDOM % 4]}"
  a node output approve "wild$i" --data "$GRID/node0" --key "$GRID/keys/carol" --quiet || fail "approval of wild$i"
done
for i in 1 2 3 4 5 6; do
  grid_wait "wild$i" released 30
  cmp "$GRID/expected$([ "$i" -gt 4 ] && echo 2)" <(tables "wild$i") || fail "the tables of wild$i differ"
done

# --- nothing twice: one part a site and attempt, one output and one release a run -------------------------------
sqlite3 "$GRID/hub/register.db" "select count(*) from item where noun='run'" | grep -qx 9 || fail "runs are missing or double"
a ledger copy "$GRID/hub/register.db" "$GRID/log" --quiet > /dev/null || fail "copy of the log"
a ledger verify "$GRID/log" > /dev/null || fail "the log does not verify"
twice=$(tail -n +2 "$GRID/log" | jq -r '.entry | select(.verb == "run.part") | [.subject, .body.round, .body.attempt, .actor] | @csv' | sort | uniq -d)
[ -z "$twice" ] || fail "parts twice: $twice"
twice=$(tail -n +2 "$GRID/log" | jq -r '.entry | select(.verb == "artefact.hold" or .verb == "artefact.release") | [.verb, .subject] | @csv' | sort | uniq -d)
[ -z "$twice" ] || fail "outputs twice: $twice"
echo "ten points and 30 random kills: every run completed with the right totals, nothing twice"
