#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A study over sites: the same tables as on the pooled rows; nothing unreleased at the hub; two checkers of no party;
# a site that drops out; a revoke that stops a run; an analyst who loses the role; a person who admits; too few sites wait and say so.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
GRID_ATTEMPT=2
GRID_KEEP_CSV=1
grid_make 4 1500
grid_agreement a2 3 # sites T0, T1, T2 only
grid_up 4

tables() { jq -cS '.tables'; }

# --- the same as on the pooled rows ---------------------------------------------------------------------------
mkdir "$GRID/pool"
for file in "$GRID"/omop0/*.csv; do
  name=$(basename "$file")
  case $name in concept*|vocabulary*|domain*|relationship*) cp "$file" "$GRID/pool/" ;;
    *) cp "$file" "$GRID/pool/"; for i in 1 2; do tail -n +2 -q "$GRID/omop$i/$name" >> "$GRID/pool/$name"; done ;;
  esac
done
a node import "$GRID/pool" --store "$GRID/pooled" --quiet > /dev/null 2>&1 || fail "import of the pooled rows"
a study run "$GRID/study.json" --store "$GRID/pooled" --format json --quiet > "$GRID/pooled.json" || fail "pooled study"
grid_submit r1 a2
[ "$(curl -s -o /dev/null -w '%{http_code}' "$ACCORD_HUB/api/v1/runs/r1/result")" = 404 ] || fail "a result before its release"
grid_wait r1 held 20

# --- nothing unreleased at the hub ----------------------------------------------------------------------------
# Windows of four sums, at least three of them not zero, from each site's own sums and from the total.
hex_of() { find "$@" -type f -exec cat {} + | od -An -v -tx1 | tr -d ' \n'; }
windows() { # hex of a vector on stdin
  fold -w 32 | awk '{v[NR] = $0} END {for (i = 1; i + 3 <= NR; i++) {n = 0; for (k = 0; k < 4; k++) n += v[i + k] !~ /^0*$/;
    if (n >= 3) print v[i] v[i + 1] v[i + 2] v[i + 3]}}' | sort -u
}
for i in 0 1 2; do sqlite3 "$GRID/node$i/node.db" "select lower(hex(sums)) from local where run='r1'" | windows; done > "$GRID/windows"
[ "$(wc -l < "$GRID/windows")" -ge 5 ] || fail "the study is too small to search for"
hex_of "$GRID/node0" "$GRID/node1" "$GRID/node2" > "$GRID/nodes.hex"
grep -qFf "$GRID/windows" "$GRID/nodes.hex" || fail "the search does not even find the sums at the nodes"
hex_of "$GRID/hub" "$GRID/hub.log" > "$GRID/hub.hex"
grep -qFf "$GRID/windows" "$GRID/hub.hex" && fail "the hub holds a site's sums"
a node output show r1 --data "$GRID/node0" --format json > "$GRID/held.json"
jq -r '.tables[0].cells[0:40][] | tostring' "$GRID/held.json" | head -n 5 > "$GRID/cells"
sqlite3 "$GRID/hub/register.db" .dump > "$GRID/hub.dump"; sqlite3 "$GRID/hub/grid.db" .dump >> "$GRID/hub.dump"
grep -qF "$(jq -c '.tables[0].cells' "$GRID/held.json" | cut -c1-60)" "$GRID/hub.dump" && fail "the hub holds an output before its release"

# --- nor a number of a round: what the lead node asks of the sites in later rounds is sealed to them --------------
cp "$GRID/study.json" "$GRID/one-round.json"
grid_study_rounds
grid_submit rounds a2
grid_wait rounds held 20
[ "$(curl -s "$ACCORD_HUB/api/v1/runs/rounds" | jq .round)" -ge 3 ] || fail "the regression took no rounds"
grid_hub_is_blind rounds
a ledger copy "$ACCORD_HUB" "$GRID/log" --quiet > /dev/null || fail "copy of the log"
tail -n +2 "$GRID/log" | jq -c '.entry | select(.verb == "run.round" and .subject == "run:rounds") | .body | keys' > "$GRID/orders"
[ "$(sort -u "$GRID/orders")" = '["attempt","hash","round"]' ] || fail "the log tells of a round: $(cat "$GRID/orders")"
[ -z "$(sqlite3 "$GRID/hub/grid.db" 'select * from ordered')" ] || fail "a sealed order outlives its run"
cp "$GRID/one-round.json" "$GRID/study.json"

# --- two different checkers, of no party ----------------------------------------------------------------------
grid_person percy acme checker
a node output check r1 --data "$GRID/node0" --format json > "$GRID/view.json"
jq -e --slurpfile held "$GRID/held.json" '.format == "accord-checks-1" and .context == $held[0].record.context and
  .primary + .secondary == ([$held[0].tables[].cells[] | select(.hidden)] | length)' "$GRID/view.json" > /dev/null ||
  fail "the checker's view does not go with the output"
a node output approve r1 --data "$GRID/node0" --key "$GRID/keys/percy" 2> "$GRID/said" && fail "a party's checker approved"
grep -q 'rule permission.*of no party' "$GRID/said" || fail "the refusal does not name its rule: $(cat "$GRID/said")"
a node output approve r1 --data "$GRID/node0" --key "$GRID/keys/ada" 2> /dev/null && fail "an analyst approved"
a node output approve r1 --data "$GRID/node0" --key "$GRID/keys/chris" --quiet || fail "first approval"
a node output approve r1 --data "$GRID/node0" --key "$GRID/keys/chris" --quiet || fail "approving again is harmless"
sleep 0.6
[ "$(grid_state r1)" = held ] || fail "one checker was enough"
a node output approve r1 --data "$GRID/node0" --key "$GRID/keys/carol" --quiet || fail "second approval"
grid_wait r1 released 10
a run result r1 --format json > "$GRID/released.json"
a node output check r1 --data "$GRID/node0" > /dev/null 2>&1 && fail "raw counts are kept after the release"
cmp <(tables < "$GRID/released.json") <(tables < "$GRID/pooled.json") || fail "the federated result is not the pooled one"
[ "$(jq -c '.record.context.missing' "$GRID/released.json")" = '[]' ] || fail "a site is said to be missing"
# The release is on the log, signed by the node, with two checkers; a changed document is not.
for wait in 1 2 3 4 5 6 7 8 9 10; do # a copy goes to the newest checkpoint
  a ledger copy "$GRID/hub/register.db" "$GRID/log" --quiet > /dev/null || fail "copy of the log"
  a disclose verify "$GRID/released.json" --log "$GRID/log" > /dev/null 2> "$GRID/talk" && break
  [ "$wait" -lt 10 ] || fail "verify: $(cat "$GRID/talk")"
  sleep 1
done
grep -q 'released as artefact:r1 .*signed by node [0-9a-f]\{64\}, checked by 2$' "$GRID/talk" || fail "verify says: $(cat "$GRID/talk")"
jq -c '.record.software = "accord 9"' "$GRID/released.json" > "$GRID/changed.json"
a disclose verify "$GRID/changed.json" --log "$GRID/log" > /dev/null 2>&1 && fail "a changed record was found on the log"
sed 's/"seq":9,/"seq":8,/' "$GRID/log" > "$GRID/badlog"
a disclose verify "$GRID/released.json" --log "$GRID/badlog" > /dev/null 2>&1 && fail "a changed log was believed"
# Every site's guard remembers what the site gave, and tells no numbers of persons.
for i in 0 1 2; do
  a disclose history --data "$GRID/node$i" --format json | jq -e '.[0].run == "r1" and .[0].state == "given" and .[0].cells > 0' > /dev/null ||
    fail "node $i's guard does not remember the run"
done

# --- a site drops out, and comes back too late ----------------------------------------------------------------
grid_submit r0 a1
grid_wait r0 held 30
grid_kill node3
grid_submit r2 a1
grid_wait r2 held 30
# --- where the totals with T3 and without differ by so little that T3 has a few persons there, checkers are told --
for run in r0 r2; do a node output show "$run" --data "$GRID/node0" --format json > "$GRID/$run.json"; done
jq -n --slurpfile with "$GRID/r0.json" --slurpfile without "$GRID/r2.json" '[($with[0].tables, $without[0].tables | map(select(.type == "count"))) |
  map({key: .name, value: (.cells | map(select(.hidden | not) | {key: (.at | tostring), value}) | from_entries)}) | from_entries] as [$a, $b] |
  [$a | to_entries[] | .key as $t | .value | to_entries[] | select($b[$t][.key] and .value - $b[$t][.key] == 5)] | length' > "$GRID/between"
[ "$(cat "$GRID/between")" -gt 0 ] || fail "the sites differ too much for this test"
a node output check r2 --data "$GRID/node0" --format json > "$GRID/checks.json"
[ "$(jq '[.differencing[]? | select(.earlier == "r0")] | length' "$GRID/checks.json")" = "$(cat "$GRID/between")" ] ||
  fail "checkers are told of $(jq -c .differencing "$GRID/checks.json"), not of $(cat "$GRID/between") cells"
grid_approve r2
grid_wait r2 released 10
a run result r2 --format json > "$GRID/dropped.json"
[ "$(jq -c '.record.context.missing' "$GRID/dropped.json")" = '["T3"]' ] || fail "the result does not say who is missing"
cmp <(tables < "$GRID/dropped.json") <(tables < "$GRID/pooled.json") || fail "the result without T3 is not that of the others"
a run status r2 | grep -q 'missing *T3 *did not answer in time' || fail "the status does not say who is missing"

# --- too few sites: the run waits and says so, and goes on when they are back ----------------------------------
grid_kill node2
grid_submit r3 a2
grid_wait r3 waiting 20
a run status r3 | grep -q 'at least 3 sites.*T2' || fail "the status does not say why it waits"
# --- meanwhile an analyst loses the role: the hub let the run in, the site that sees it afterwards does not
grid_person ana acme analyst
a run submit "$GRID/study.json" --agreement a2 --key "$GRID/keys/ana" --id lost --quiet > /dev/null || fail "submit by ana"
curl -s "$ACCORD_HUB/api/v1/runs/lost/dossier" | jq -e '.analyst | .person == "ana" and .body == "acme" and (.entries | length) == 7' > /dev/null ||
  fail "the dossier does not show the analyst's entries"
act steward grant revoke ana.analyst.acme --reason 'left the company'
grid_node 2
grid_wait r3 held 20
for n in $(seq 100); do a run status lost | grep -q 'T2 (rule analyst' && break; sleep 0.1; done
[ "$n" -lt 100 ] || fail "T2 does not refuse a run of somebody who is no analyst any more: $(a run status lost)"
a node output return r3 --data "$GRID/node0" --key "$GRID/keys/chris" --reason 'the title is wrong' --quiet || fail "return"
grid_wait r3 failed 10

# --- a person admits runs at T1; a revoke stops one -----------------------------------------------------------
# The policy is read again for each run; while it has a fault nothing is begun, and the node's log names the line.
sed -i 's/^admission: automatic/admission: sometimes/' "$GRID/node1/node.yaml"
grid_submit r4 a2
for n in $(seq 100); do grep -q "node.yaml, line 6: 'sometimes'" "$GRID/node1.log" && break; sleep 0.1; done
[ "$n" -lt 100 ] || fail "the node does not say what is wrong with its policy"
sed -i 's/^admission: sometimes/admission: person/' "$GRID/node1/node.yaml"
for n in $(seq 100); do a node runs --data "$GRID/node1" --format csv | grep -q '^r4,asking' && break; sleep 0.1; done
a node admit r4 --data "$GRID/node1" || fail "admit"
grid_wait r4 held 20
grid_submit r5 a2
for n in $(seq 100); do a node runs --data "$GRID/node1" --format csv | grep -q '^r5,asking' && break; sleep 0.1; done
a agreement revoke a2 --at "$ACCORD_HUB" --identity "$GRID/keys/cora" --reason 'a question of trust' --quiet > /dev/null || fail "revoke"
grid_wait r5 stopped 3
grid_wait r4 stopped 3
sleep 0.5
a node output approve r4 --data "$GRID/node0" --key "$GRID/keys/chris" 2> /dev/null && fail "an output of a revoked agreement was approved"
a run submit "$GRID/study.json" --agreement a2 --key "$GRID/keys/ada" --id r6 2> "$GRID/said" && fail "a run under a revoked agreement"
grep -q in-force "$GRID/said" || fail "the refusal does not name its rule: $(cat "$GRID/said")"

# --- the log tells it all -------------------------------------------------------------------------------------
a ledger copy "$GRID/hub/register.db" "$GRID/log" --quiet > /dev/null || fail "no copy of the log"
a ledger verify "$GRID/log" > /dev/null || fail "the log does not verify"
grep -h '"level":"error"' "$GRID"/*.log && fail "errors in the logs"
echo "a study over sites: same as pooled, nothing unreleased at the hub, two checkers, drop-out, revoke, admission"
