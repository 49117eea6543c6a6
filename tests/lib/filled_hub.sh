# SPDX-License-Identifier: Apache-2.0
# A hub over a register with many items, for tests to source: in $work, at $hub. Both end with the test.
#
#   filled_hub BODIES PEOPLE PROJECTS DATASETS ENTRIES   how many, as for accord_bench_register fill
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2> /dev/null || true; wait; rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
filled_hub() {
  "$ACCORD" key new "$work/steward.key" --quiet > /dev/null
  "$ACCORD" register found "$work/register.db" --hub-identity "$work/hub.key" --origin test.example/register --steward stella \
    --steward-key "$("$ACCORD" key show "$work/steward.key" --format csv | tail -n 1)" --quiet
  "$ACCORD" register import "$SOURCE"/vocab/*.tsv --at "$work/register.db" --identity "$work/steward.key" --quiet > /dev/null
  "$(dirname "$ACCORD")/accord_bench_register" fill "$work" "$@" > /dev/null
  "$ACCORD" hub --data "$work" --listen 127.0.0.1:0 2> "$work/log" &
  pid=$!
  for _ in $(seq 600); do hub=$(grep -oE 'http://127[^" ]+' "$work/log" | head -n 1) && [ -n "$hub" ] && return; sleep 0.1; done
  fail "the hub did not start: $(cat "$work/log")"
}
