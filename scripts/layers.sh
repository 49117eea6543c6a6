#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An include points only downward, modules on one line do not know each other, and each library has one door.
set -euo pipefail
cd "$(dirname "$0")/.."
declare -A layer=([base]=0 [synth]=1 [store]=1 [source]=1 [ledger]=2 [stats]=2 [cohort]=2 [disclose]=2 [study]=3 [govern]=3 [grid]=4 [http]=5 [cli]=6)
bad=0
while IFS=: read -r file include; do
  from=$(cut -d/ -f2 <<< "$file"); to=$(sed -E 's/.*"([a-z]+)\/.*/\1/' <<< "$include")
  [ "$from" = "$to" ] && continue
  if [ "${layer[$to]:-99}" -ge "${layer[$from]:--1}" ]; then echo "layers: $file includes $to/" >&2; bad=1; fi
done < <(grep -rHoE '^#include "[a-z]+/' src)
door() { # header pattern, the file that may include it
  local found; found=$(grep -rlE "^#include <($1)" src | grep -vE "^src/($2)$" || true)
  [ -z "$found" ] || { echo "layers: only src/$2 may include <$1>: $found" >&2; bad=1; }
}
door 'jansson' 'base/json.c'
door 'sqlite3' 'base/db.c'
door 'sodium|openssl' 'base/(crypto|jws|jws_sign).c'
door 'curl/' 'base/http_client.c'
door 'microhttpd|gnutls' 'http/server.c'
door 'zstd|zlib' 'base/(stream|zip|csv).c'
door 'xlsxwriter' 'govern/xlsx.c'
door 'coin/' 'disclose/solver.c'
door 'roaring/' 'disclose/persons.c'
door 'yaml' 'base/config.c'
exit $bad
