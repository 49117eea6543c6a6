#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A full disk and one that became read-only: commands are refused with a reason, reads go on, nothing half-done is left, and
# the hub goes on by itself when there is room again. Needs root, for a small disk of memory of its own.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
mkdir -p "$GRID/keys" "$GRID/hub"
mount -t tmpfs -o size=6m none "$GRID/hub" 2> /dev/null || { echo "a disk cannot be mounted here"; exit 77; }
trap 'grid_stop; umount -l "$GRID/hub"; grid_end' EXIT
a key new "$GRID/keys/steward" --quiet > /dev/null
a register found "$GRID/hub/register.db" --hub-identity "$GRID/hub/hub.key" --origin test.example/register --steward stella \
  --steward-key "$(key steward)" --quiet
act steward body add b0 --name "The first" --kind trust
grid_hub
api=$ACCORD_HUB/api/v1
post() { # ID: the code of a command that adds this body
  a body add "$1" --name "Body $1" --kind trust --lay "$(head -c 3000 /dev/zero | tr '\0' x)" --at "$GRID/hub/register.db" --identity "$GRID/keys/steward" \
    --dry-run 2> /dev/null | curl -s -o "$GRID/body" -w '%{http_code}' -H 'Content-Type: application/json' -d @- "$api/commands"
}
reads() { curl -sf "$api/register/body/b0" | grep -q 'The first' || fail "$1: an item cannot be read"
  curl -sf "$ACCORD_HUB/bodies" > /dev/null || fail "$1: a page cannot be read"
  curl -sf "$api/log/entries/1/proof" > "$GRID/proof" && a ledger check "$GRID/proof" > /dev/null 2>&1 || fail "$1: no proof"; }
entries() { curl -sf "$api/hub" | jq .entries; }
refused() { jq -e '.detail | test("no space|full|read-only|cannot be written|readonly"; "i")' "$GRID/body" > /dev/null || fail "$1 is not said: $(cat "$GRID/body")"; }

# --- full ----------------------------------------------------------------------------------------------------------
[ "$(post b1)" = 201 ] || fail "a command on a disk with room: $(cat "$GRID/body")"
head -c 100000000 /dev/zero > "$GRID/hub/filler" 2> /dev/null
code=201
for ((i = 0; i < 400 && code == 201; i++)); do code=$(post "c$i"); done
[ "$code" = 507 ] || fail "a full disk gave $code: $(cat "$GRID/body")"
refused 'a full disk'
before=$(entries)
reads 'on a full disk'
[ "$(curl -s -o /dev/null -w '%{http_code}' "$api/register/body/c$((i - 1))")" = 404 ] || fail "half of a refused command is there"
rm "$GRID/hub/filler"
[ "$(post again)" = 201 ] || fail "with room again: $(cat "$GRID/body")"
[ "$(entries)" = $((before + 1)) ] || fail "entries were lost"

# --- read-only -----------------------------------------------------------------------------------------------------
grid_stop
mount -o remount,ro "$GRID/hub" || fail "cannot make the disk read-only"
a hub --data "$GRID/hub" --listen 127.0.0.1:0 2> "$GRID/said" && fail "a hub that cannot write began"
[ -s "$GRID/said" ] || fail "no word of the read-only disk"
mount -o remount,rw "$GRID/hub"
grid_hub
[ "$(entries)" = $((before + 1)) ] || fail "entries were lost"
a register replay "$GRID/hub/register.db" --quiet > /dev/null || fail "the log does not replay"
echo "a full disk: refused by name, reads go on, and it goes on with room; a read-only one is said at the start"
