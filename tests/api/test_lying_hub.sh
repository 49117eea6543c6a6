#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A node reads the hub's log itself: a hub that keeps an entry back, rewrites one or shows an older log gets no part of it.
# Nor can it change the sites of a run between rounds.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
GRID_ATTEMPT=2
grid_make 4 400
grid_agreement a2 4
grid_hub
echo honest > "$GRID/lie"
node "$SOURCE/tests/lib/lying_hub.mjs" "$ACCORD_HUB" "$GRID/lie" > "$GRID/port" 2> "$GRID/proxy.log" &
GRID_PID[proxy]=$!
for ((n = 0; n < 100; n++)); do [ -s "$GRID/port" ] && break; sleep 0.05; done
for i in 0 1 2; do grid_enrol "$i"; done
ACCORD_HUB="http://127.0.0.1:$(cat "$GRID/port")" grid_enrol 3
for i in 0 1 2 3; do grid_node "$i"; done

said() { curl -sf "$ACCORD_HUB/api/v1/log/entries?subject=run:$1&limit=1000" | jq -r '.items[] | select(.verb == "run.decline") | .body.reason'; }
status() { a node status --data "$GRID/node3" --format csv | sed -n "s/^$1,//p"; }
declare_again() { act ada person declare ada --nil true; }
finish() { grid_wait "$1" held 30; grid_approve "$1"; grid_wait "$1" released 20; }

# --- an honest hub: the node knows the log as a copy does ------------------------------------------------------
grid_submit r1 a2
finish r1
[ -z "$(said r1)" ] || fail "a site declined an honest run: $(said r1)"
entries=$(status log_entries) root=$(status log_root)
[ "$entries" -gt 50 ] || fail "the node has read $entries entries"
a ledger copy "$ACCORD_HUB" "$GRID/copy" --quiet > /dev/null || fail "copy"
node -e '
    const { createHash } = require("crypto"), lines = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").slice(1);
    const tree = (l) => { if (l.length === 1) return l[0]; let k = 1; while (k * 2 < l.length) k *= 2;
      return createHash("sha256").update(Buffer.concat([Buffer.of(1), tree(l.slice(0, k)), tree(l.slice(k))])).digest(); };
    const root = tree(lines.slice(0, +process.argv[2]).map((x) => Buffer.from(JSON.parse(x).leaf, "hex"))).toString("hex");
    process.exit(root === process.argv[3] ? 0 : 1)' "$GRID/copy" "$entries" "$root" || fail "the node's root is not that of a copy"

# --- an entry kept back: this site declines by name, the others go on ------------------------------------------
declare_again
echo omit > "$GRID/lie"
grid_submit r2 a2
finish r2
said r2 | grep -q '^rule complete: the hub shows [0-9]* of the log.s [0-9]* entries' || fail "nobody said that an entry is missing: $(said r2)"
[ "$(said r2 | wc -l)" = 1 ] || fail "others declined too: $(said r2)"

# --- an entry that was rewritten, and a log that is shorter than before: no part of this site -------------------
for lie in rewrite older; do
  declare_again
  before=$(status log_entries)
  echo "$lie" > "$GRID/lie"
  grid_submit "r-$lie" a2
  finish "r-$lie"
  [ "$(status log_entries)" = "$before" ] || fail "$lie: the node took the log for right"
done
grep -q 'does not continue what this node has read' "$GRID/node3.log" || fail "the operator is not told that the log was rewritten"
grep -q 'this node has read [0-9]* of it before' "$GRID/node3.log" || fail "the operator is not told that the log is shorter"

# --- no list of runs, or no such, is not an empty one: the node goes on serving and keeps what it was doing ---------------------------------------------
under_way() { sqlite3 -readonly "$GRID/node3/node.db" "SELECT count(*) FROM run WHERE id='$1' AND state<>'over'"; }
logged() { grep -c "$1" "$GRID/node3.log"; }
logs_more() { for ((n = 0; n < 150; n++)); do [ "$(logged "$1")" -gt "$2" ] && return; sleep 0.1; done; fail "node 3 does not log $1"; }
echo honest > "$GRID/lie"
grid_submit r-runless a2
grid_wait r-runless held 30
[ "$(under_way r-runless)" = 1 ] || fail "the node did not take part in r-runless"
for lie in garbled runless; do
  lost=$(logged 'has not the expected form') back=$(logged node.hub.back)
  echo "$lie" > "$GRID/lie"
  grid_submit "r-beside-$lie" a2 # so that there is an answer
  logs_more 'has not the expected form' "$lost"
  [ "$(under_way r-runless)" = 1 ] || fail "$lie: the node forgot a run that is under way"
  echo honest > "$GRID/lie"
  logs_more node.hub.back "$back"
done
kill -0 "${GRID_PID[node3]}" || fail "the node went down over the hub's answer"
finish r-runless

# --- a site that goes away behind the first round: its numbers are in what was summed, so the run waits for it ------
grid_study_rounds
echo silent > "$GRID/lie"
grid_submit r-away a2
grid_wait r-away waiting 30
a run status r-away | grep -q 'round 2 needs every site of the rounds before; missing: T3 (did not answer in time)' || fail "the status does not say for whom it waits"
echo honest > "$GRID/lie"
finish r-away
[ "$(curl -s "$ACCORD_HUB/api/v1/runs/r-away" | jq -c '[.attempt, (.sites | length), .missing]')" = '[1,4,[]]' ] || fail "the run went on with other sites"

# --- a site that imported its data anew meanwhile says so: the rounds of one answer count the same persons ----------
echo silent > "$GRID/lie"
grid_submit r-anew a2
grid_wait r-anew waiting 30
a synth --out "$GRID/anew" --persons 400 --seed 2 --site 'Greater Manchester' --quiet > /dev/null || fail "synth"
a node import "$GRID/anew" --store "$GRID/store3" --quiet > /dev/null 2>&1 || fail "the second import"
echo honest > "$GRID/lie"
grid_wait r-anew declined 30
said r-anew | grep -q "^rule attempt: this site's data were imported anew since the run's first round" || fail "nobody said that the data are new: $(said r-anew)"

# --- a site that stops everything when its part of a round has gone: too late for that round, heard at the next one ----
grid_agreement a3 3
kill -STOP "${GRID_PID[node1]}"
grid_submit r-halted a3
grid_wait r-halted waiting 30
for ((n = 0; n < 300; n++)); do curl -s "$ACCORD_HUB/api/v1/runs/r-halted" | jq -e '.sites[] | select(.body == "T2" and .answer == "part")' > /dev/null && break; sleep 0.1; done
a node stop --data "$GRID/node2" --reason 'A laptop was lost' > /dev/null 2>&1 || fail "stop"
for ((n = 0; n < 300; n++)); do grep -q 'this site has already answered' "$GRID/node2.log" && break; sleep 0.1; done
[ "$(curl -s "$ACCORD_HUB/api/v1/runs/r-halted" | jq -c '[.state, .round]')" = '["waiting",1]' ] || fail "the round went on without T1"
kill -CONT "${GRID_PID[node1]}"
grid_wait r-halted declined 30
said r-halted | grep -qx 'this site has refused the run: A laptop was lost' || fail "T2 did not say why: $(said r-halted)"
[ "$(curl -s "$ACCORD_HUB/api/v1/register/run/r-halted" | jq -r .state)" = failed ] || fail "the register does not say that the run is over"
a node resume --data "$GRID/node2" > /dev/null 2>&1 || fail "resume"

# --- and one that declines there ends it: no answer is made of two sets of sites; nor may a hub leave one out ------
echo fewer > "$GRID/lie"
grid_submit r-fewer a2
grid_wait r-fewer declined 30
said r-fewer | grep -q '^rule attempt: the sites of round 2 are not those of the round before' || fail "nobody said that a site was left out: $(said r-fewer)"
grid_submit r-without a2
grid_wait r-without declined 30
[ "$(said r-without | wc -l)" = 1 ] || fail "others declined too: $(said r-without)"
grid_study crosstab

# --- the truth again: the node takes part again -----------------------------------------------------------------
echo honest > "$GRID/lie"
grid_submit r5 a2
finish r5
[ -z "$(said r5)" ] || fail "the node stays away from an honest hub: $(said r5)"
[ "$(status log_entries)" -gt "$before" ] || fail "the node did not read on"
echo "a lying hub: what is left out or rewritten is found, and no answer is made of two sets of sites"
