#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SIGKILL under write load, a read-only file, a full disk: no acknowledged entry is lost, no half entry remains, the state is
# that of the log, and what cannot be written is said. ACCORD_KILLS: how often (15; 'make kill' takes 100).
set -uo pipefail
dir=$(mktemp -d "${TMPDIR:-/tmp}/accord-kill-XXXXXX")
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
a() { "$ACCORD" "$@"; }
export ACCORD_REGISTER=$dir/register.db ACCORD_IDENTITY=$dir/stella
a key new "$dir/stella" --quiet > /dev/null
a register found "$ACCORD_REGISTER" --hub-identity "$dir/hub" --origin test.example/register --steward stella \
  --steward-key "$(a key show "$dir/stella" --format csv | tail -n 1)" || fail found

cat > "$dir/writer" <<'WRITER'
for ((i = 0; ; i++)); do
  "$ACCORD" body add "B$1-$i" --name "Body $i" --kind trust --quiet && echo "B$1-$i" >> "$2"
done
WRITER
: > "$dir/acked"
for ((kill = 0; kill < ${ACCORD_KILLS:-15}; kill++)); do
  setsid bash "$dir/writer" "$kill" "$dir/acked" 2> /dev/null & group=$!
  sleep "0.$(printf '%03d' $((RANDOM % 300 + 100)))"
  kill -KILL -- "-$group" 2> /dev/null
  wait "$group" 2> /dev/null
done
[ -s "$dir/acked" ] || fail "nothing was written at all"
a body list --limit 100000 --format csv | cut -d, -f1 | sort > "$dir/there"
sort "$dir/acked" | comm -23 - "$dir/there" > "$dir/lost"
[ -s "$dir/lost" ] && fail "acknowledged and lost: $(head -n 3 "$dir/lost")"
a ledger checkpoint "$ACCORD_REGISTER" --hub-identity "$dir/hub" > /dev/null || fail checkpoint
a ledger copy "$ACCORD_REGISTER" "$dir/copy" || fail copy
a ledger verify "$dir/copy" > /dev/null 2>&1 || fail "the log does not verify"
before=$(a body list --limit 100000 --format csv | sha256sum)
a register replay "$ACCORD_REGISTER" > /dev/null || fail replay
[ "$before" = "$(a body list --limit 100000 --format csv | sha256sum)" ] || fail "the state is not that of the log"

# A full disk: the write is refused, what was there is read. (A small file system of its own; as root only.)
mkdir "$dir/small"
if mount -t tmpfs -o size=700k tmpfs "$dir/small" 2> /dev/null; then
  trap 'umount "$dir/small"; rm -rf "$dir"' EXIT
  export ACCORD_REGISTER=$dir/small/register.db
  a register found "$ACCORD_REGISTER" --hub-identity "$dir/hub" --origin test.example/register --steward stella \
    --steward-key "$(a key show "$dir/stella" --format csv | tail -n 1)" || fail "found on a small disk"
  last=-1 code=0
  while [ "$last" -lt 2000 ]; do
    a body add "S$((last + 1))" --name "$(printf 'x%.0s' {1..150})" --kind trust --quiet > /dev/null 2> "$dir/err" || { code=$?; break; }
    last=$((last + 1))
  done
  [ "$code" = 10 ] || fail "a full disk: exit $code: $(cat "$dir/err")"
  [ "$(a body list --limit 100000 --format csv | tail -n +2 | grep -c '^S')" = $((last + 1)) ] || fail "reading on a full disk"
fi
echo "ok: $(wc -l < "$dir/acked") acknowledged"
