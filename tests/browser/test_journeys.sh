#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The browser journeys, on the register and the nodes that the demo leaves running. JOURNEY=name does one; SCREENSHOTS is where
# the pictures of the pages go. JOURNEYS is another script to run on the same (bench/pages.mjs). Skipped only where there is no Chromium at all.
set -euo pipefail
chromium=${CHROMIUM:-$(command -v chromium || true)}
[ -n "$chromium" ] || { echo "there is no chromium ('make deps' installs it)"; exit 77; }
bash "$SOURCE/scripts/ui.sh" packages
work=$(mktemp -d "${TMPDIR:-/tmp}/accord-browser-XXXXXX")
demo=
: > "$work/told"
end() {
  [ -z "$demo" ] || { kill "$demo" 2> /dev/null; wait "$demo" 2> /dev/null; } || true
  rm -rf "$work"
}
trap end EXIT

RUN_DIR=$work/run PERSONS=${PERSONS:-2000} KEEP=1 bash "$SOURCE/demo/run.sh" > "$work/told" 2>&1 < /dev/null &
demo=$!
until grep -q 'still running: open' "$work/told"; do
  kill -0 "$demo" 2> /dev/null || { tail -n 30 "$work/told"; exit 1; }
  sleep 0.2
done
ACCORD_HUB=$(grep -o 'open http://[0-9.:]*' "$work/told" | cut -d' ' -f2)
export ACCORD_HUB CHROMIUM=$chromium DEMO=$work/run SCREENSHOTS=${SCREENSHOTS:-$SOURCE/build/screenshots}
node "$SOURCE/${JOURNEYS:-tests/browser/run.mjs}" ${JOURNEY:+"$JOURNEY"} || { [ -z "${BROWSER_LOGS:-}" ] || tail -n 40 "$work"/run/node-*.log; grep -hE '"level":"(warn|error)"' "$work"/run/*.log; exit 1; }
