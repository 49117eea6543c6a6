#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the web UI into ui/dist when its sources are newer (npm packages by the lock file, no install scripts).
set -euo pipefail
cd "$(dirname "$0")/../ui"
exec 9> .lock
flock 9
made=dist/app.js.gz
[ -f "$made" ] && [ -z "$(find src package-lock.json vite.config.ts -newer "$made" -print -quit)" ] && exit 0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --no-audit --no-fund; } > "$log" 2>&1 ||
   ! { npx tsc --noEmit && npx vite build; } >> "$log" 2>&1; then
  cat "$log" >&2
  echo "ui: the web UI could not be built; is the npm registry there?" >&2
  exit 1
fi
gzip -9 -n -k -f dist/app.js dist/app.css
touch "$made"
