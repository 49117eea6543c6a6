#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the web UI into ui/dist when its sources are newer (npm packages by the lock file, no install scripts). 'ui.sh packages'
# sees only to the packages, for the browser tests.
set -euo pipefail
cd "$(dirname "$0")/../ui"
exec 9> .lock
flock 9
made=dist/files.inc
[ "${1:-}" != packages ] && [ -f "$made" ] && [ -z "$(find src ../docs/study.schema.json package-lock.json vite.config.ts -newer "$made" -print -quit)" ] && exit 0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
packages() { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --no-audit --no-fund; }
pages() { [ "${1:-}" = packages ] || { npx tsc --noEmit && npx vite build; }; }
if ! packages > "$log" 2>&1 || ! pages "$@" >> "$log" 2>&1; then
  cat "$log" >&2
  echo "ui: the web UI could not be built; is the npm registry there?" >&2
  exit 1
fi
[ "${1:-}" != packages ] || exit 0
(cd dist && gzip -9 -n -k -f ./*.js ./*.css && printf '    asset "%s"\n' *.js *.css > files.inc)
