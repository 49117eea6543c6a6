#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A hub is backed up while it is written to, its disk is lost, and it comes back whole from the backup and anybody's copy of the log:
# every acknowledged entry, the same tree, the same tables; nodes that read the log before go on. Wrong copies change nothing.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
refused() { # CODE TEXT COMMAND...
  local code=$1 text=$2 got=0; shift 2
  a "$@" > "$GRID/out" 2> "$GRID/err" || got=$?
  [ "$got" = "$code" ] || fail "$*: exit $got instead of $code: $(cat "$GRID/err")"
  grep -qF -- "$text" "$GRID/err" || fail "$*: expected '$text': $(cat "$GRID/err")"
}
root() { a ledger checkpoint "$1" --hub-identity "$GRID/hub.key" | sed -n 2,3p; }
digest() { a register replay "$1" --format csv | tail -n 1; }
grid_make 3 300
grid_up 3
cp "$GRID/hub/hub.key" "$GRID/hub.key"

# --- a backup while the register is written to -------------------------------------------------------------------
(for ((i = 0; i < 2000; i++)); do a body add "W$i" --name "Writer $i" --kind trust --at "$GRID/hub/register.db" --identity "$GRID/keys/steward" --quiet || break; done) > "$GRID/writer.log" 2>&1 &
writer=$!
sleep 0.5
grid_submit r1
grid_wait r1 held 30
a backup "$GRID/hub" --to "$GRID/saved" --format csv > "$GRID/files" || fail "backup"
a backup "$GRID/node1" --to "$GRID/saved-node" --quiet > /dev/null || fail "backup of a node"
kill "$writer"; wait "$writer" 2> /dev/null
for file in hub.key grid.db register.db; do grep -q "^$file,[1-9]" "$GRID/files" || fail "the backup lacks $file"; done
[ "$(stat -c %a "$GRID/saved/hub.key" "$GRID/saved/register.db" "$GRID/saved" | tr '\n' ' ')" = "600 600 700 " ] || fail "others can read the backup"
cmp -s "$GRID/node1/node.key" "$GRID/saved-node/node.key" || fail "the node's key"
for db in "$GRID"/saved/*.db "$GRID"/saved-node/*.db; do [ "$(sqlite3 "$db" 'pragma integrity_check')" = ok ] || fail "$db is damaged"; done
a ledger copy "$GRID/saved/register.db" "$GRID/saved.copy" --quiet > /dev/null && a ledger verify "$GRID/saved.copy" --quiet > /dev/null || fail "the log in the backup does not verify"
refused 6 'a backup never overwrites' backup "$GRID/hub" --to "$GRID/saved"
refused 4 'is no folder of a hub' backup "$GRID/keys" --to "$GRID/none"
[ -e "$GRID/none" ] || [ -e "$GRID/none.partial" ] && fail "a refused backup left something"

# --- more is acknowledged, a witness keeps a copy, then the disk is lost ------------------------------------------
grid_approve r1
grid_wait r1 released 20
act steward body add after --name 'After the backup' --kind trust
a ledger copy "$ACCORD_HUB" "$GRID/copy" --quiet > /dev/null || fail "copy"
grid_kill hub
before=$(root "$GRID/hub/register.db") tables=$(digest "$GRID/hub/register.db")
mv "$GRID/hub" "$GRID/lost"

# --- wrong copies change nothing -----------------------------------------------------------------------------------
cp -r "$GRID/saved" "$GRID/hub"
was=$(digest "$GRID/hub/register.db")
sed '0,/Writer/s//Wr1ter/' "$GRID/copy" > "$GRID/forged"
refused 8 'does not hash to its leaf' register restore "$GRID/hub/register.db" "$GRID/forged"
head -c 20000 "$GRID/copy" > "$GRID/cut"
refused 8 'middle of a line' register restore "$GRID/hub/register.db" "$GRID/cut"
a key new "$GRID/keys/other" --quiet > /dev/null
a register found "$GRID/other.db" --hub-identity "$GRID/other.key" --origin other.example/register --steward stella --steward-key "$(key other)" --quiet
a ledger checkpoint "$GRID/other.db" --hub-identity "$GRID/other.key" > /dev/null && a ledger copy "$GRID/other.db" "$GRID/other.copy" --quiet > /dev/null || fail "copy of another log"
refused 8 'another key' register restore "$GRID/hub/register.db" "$GRID/other.copy"
[ "$(digest "$GRID/hub/register.db")" = "$was" ] || fail "a refused copy changed the register"

# --- backup and copy: nothing acknowledged is lost, and the sites go on ---------------------------------------------
added=$(a register restore "$GRID/hub/register.db" "$GRID/copy" --format csv | tail -n 1)
[ "$added" -ge 3 ] || fail "only $added entries came back"
[ "$(a register restore "$GRID/hub/register.db" "$GRID/copy" --format csv | tail -n 1)" = 0 ] || fail "restoring twice adds"
[ "$(root "$GRID/hub/register.db")" = "$before" ] || fail "another tree than before the loss"
[ "$(digest "$GRID/hub/register.db")" = "$tables" ] || fail "other tables than before the loss"
grid_hub
[ "$(grid_state r1)" = released ] || fail "the run is not released any more"
grid_submit r2
grid_wait r2 held 60
grep -q 'does not continue\|of it before' "$GRID"/node?.log && fail "a node took the restored log for another one"

# --- from a copy and the key alone ------------------------------------------------------------------------------------
refused 2 '--hub-identity' register restore "$GRID/new.db" "$GRID/copy"
refused 5 "another hub's log" register restore "$GRID/new.db" "$GRID/copy" --hub-identity "$GRID/other.key"
refused 8 'middle of a line' register restore "$GRID/new.db" "$GRID/cut" --hub-identity "$GRID/hub.key"
[ ! -e "$GRID/new.db" ] && [ ! -e "$GRID/new.db.partial" ] || fail "a refused copy left a register"
a register restore "$GRID/new.db" "$GRID/copy" --hub-identity "$GRID/hub.key" --quiet > /dev/null || fail "from nothing"
[ "$(root "$GRID/new.db")" = "$before" ] && [ "$(digest "$GRID/new.db")" = "$tables" ] || fail "from nothing: not the same"
echo "backup under load, disk lost, everything acknowledged back"
