#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A site's data that grew by a few persons: its guard leaves the repeated study to a person there, and the person's yes is for the data that it was
# asked about, not for what is imported meanwhile.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
grid_make 3 3000
grid_up 3
import() { # PERSONS: new data of site 1
  a synth --out "$GRID/data-$1" --persons "$1" --seed 1 --site 'South East London' --quiet > /dev/null || fail "synth of $1"
  a node import "$GRID/data-$1" --store "$GRID/store1" --quiet > /dev/null 2>&1 || fail "import of $1"
}
answers() { curl -sf "$ACCORD_HUB/api/v1/log/entries?subject=run:$1&limit=1000" | jq -c '[.items[] | select(.actor == "'"$site"'") | .verb]'; }
deferred() { # RUN TIMES
  local n
  for ((n = 0; n < 300; n++)); do [ "$(answers "$1" | jq '[.[] | select(. == "run.defer")] | length')" = "$2" ] && return 0; sleep 0.1; done
  fail "the guard asked a person: $(answers "$1")"
}
site=$(a node status --data "$GRID/node1" --format csv | sed -n 's/^key,//p')
grid_submit r1
grid_wait r1 held 30
grid_approve r1
grid_wait r1 released 20
[ "$(answers r1)" = '["run.admit","run.part"]' ] || fail "the first study was not simply taken: $(answers r1)"

import 3060
grid_submit r2
deferred r2 1
import 3120
a node admit r2 --data "$GRID/node1" > /dev/null || fail "admit"
deferred r2 2
a node admit r2 --data "$GRID/node1" > /dev/null || fail "admit again"
grid_wait r2 held 30
echo "a site that grew: a person there is asked, about the data that there are"
