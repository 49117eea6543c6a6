#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A full disk, one that turns read-only while the hub runs, files that were made unchangeable, a limit of file sizes: commands are
# refused with a reason, reads go on, nothing half-done is left, and the hub goes on by itself when it can write again. Needs root,
# for small disks of its own; parts that this machine cannot do are said and left out.
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

# --- no file may grow ----------------------------------------------------------------------------------------------
wait_refused() { # CODE WHAT: commands are refused so (what is written into pages that are there already may still pass)
  local code=201 i
  for ((i = 0; i < 40 && code == 201; i++)); do code=$(post "$3$i"); done
  [ "$code" = "$1" ] || fail "$2 gave $code: $(cat "$GRID/body")"
  refused "$2"
  [ "$(post "$3-next")" = "$1" ] || fail "$2, again: $(cat "$GRID/body")"
}
goes_on() { # WHAT: what was written before is there, and the next command is taken
  local before; before=$(entries)
  [ "$(post "$1-on")" = 201 ] || fail "after $1: $(cat "$GRID/body")"
  [ "$(entries)" = $((before + 1)) ] || fail "entries were lost after $1"
}
if prlimit --pid "${GRID_PID[hub]}" --fsize=4096:unlimited 2> /dev/null; then
  wait_refused 507 'a limit of file sizes' f
  reads 'under a limit of file sizes'
  prlimit --pid "${GRID_PID[hub]}" --fsize=unlimited:unlimited
  goes_on limit
else
  echo "limits cannot be set here"
fi
before=$(entries)

# --- read-only -----------------------------------------------------------------------------------------------------
grid_stop
mount -o remount,ro "$GRID/hub" || fail "cannot make the disk read-only"
a hub --data "$GRID/hub" --listen 127.0.0.1:0 2> "$GRID/said" && fail "a hub that cannot write began"
[ -s "$GRID/said" ] || fail "no word of the read-only disk"
mount -o remount,rw "$GRID/hub"
grid_hub
[ "$(entries)" = "$before" ] || fail "entries were lost"
grid_stop

# --- turning read-only while the hub runs: files made unchangeable, then a disk that the kernel gave up on ------------
cp -a "$GRID/hub" "$GRID/plain"
hub_in() { # DIR: the hub over another folder
  "$ACCORD" hub --data "$1" --listen 127.0.0.1:0 2> "$GRID/hub.log" &
  GRID_PID[hub]=$!
  for _ in $(seq 100); do ACCORD_HUB=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$GRID/hub.log" | head -n 1) && [ -n "$ACCORD_HUB" ] && break; sleep 0.1; done
  export ACCORD_HUB; api=$ACCORD_HUB/api/v1
}
hub_in "$GRID/plain"
[ "$(post before)" = 201 ] || fail "on a plain folder: $(cat "$GRID/body")"
if chattr +i "$GRID"/plain/*.db* 2> /dev/null; then
  wait_refused 503 'an unchangeable file' u
  reads 'with unchangeable files'
  chattr -i "$GRID"/plain/*.db*
  goes_on unchangeable
else
  echo "files cannot be made unchangeable here"
fi
grid_stop
truncate -s 60M "$GRID/image" && mkfs.ext4 -q -F "$GRID/image" 2> /dev/null && mkdir "$GRID/disk"
if mount -o loop,errors=remount-ro "$GRID/image" "$GRID/disk" 2> /dev/null; then
  trap 'grid_stop; umount -l "$GRID/disk" 2> /dev/null; umount -l "$GRID/hub"; grid_end' EXIT
  trigger=/sys/fs/ext4/$(basename "$(findmnt -no SOURCE "$GRID/disk")")/trigger_fs_error
  cp -a "$GRID"/plain/. "$GRID/disk/" && sync -f "$GRID/disk"
  hub_in "$GRID/disk"
  [ "$(post before2)" = 201 ] || fail "on a disk: $(cat "$GRID/body")"
  before2=$(entries)
  if echo 1 2> /dev/null > "$trigger"; then
    wait_refused 503 'a disk that turned read-only' r
    reads 'on a disk that turned read-only'
    grid_stop
    umount "$GRID/disk" || fail "the disk is held by somebody"
    e2fsck -fy "$GRID/image" > /dev/null 2>&1
    mount -o loop "$GRID/image" "$GRID/disk" || fail "the disk does not come back"
    hub_in "$GRID/disk"
    [ "$(entries)" -ge "$before2" ] || fail "entries were lost on the disk that turned read-only"
    goes_on disk
  else
    echo "this kernel cannot be told to give a disk up"
  fi
  grid_stop
else
  echo "no loop device here"
fi
a register replay "$GRID/hub/register.db" --quiet > /dev/null || fail "the log does not replay"
echo "full, limited, unchangeable or read-only: refused by name, reads go on, and so does the hub when it can write again"
