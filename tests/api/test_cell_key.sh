#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A policy that prints counts with the noise of their persons' keys: three nodes with masked sums of counts and of keys release the
# tables that one run over the three stores prints under the same secret; a second run tells nothing more; another secret, other noise.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
cat > "$GRID/policy.yaml" << 'YAML'
name: noisy
version: 1
rounding: cell_key
noise_most: 5
noise_variance: 3
noise_skip: 2
YAML
grid_make 3 3000
GRID_AGREEMENT_OPTIONS=(--policy "$("$ACCORD" disclose policy "$GRID/policy.yaml" --format json)")
grid_agreement a2 3
for i in 0 1 2; do sed -i "s|^disclosure:.*|disclosure: $GRID/policy.yaml|" "$GRID/node$i/node.yaml"; done
grep -q policy.yaml "$GRID/node0/node.yaml" || fail "the nodes keep their profile"
local_run() { # node's folder, file
  a study run "$GRID/study.json" --store "$GRID/store0" --store "$GRID/store1" --store "$GRID/store2" --policy "$GRID/policy.yaml" \
    --node "$1" --format json --quiet > "$2" || fail "the same study over the three stores"
}
tables() { jq -cS .tables "$1"; }

a study run "$GRID/study.json" --store "$GRID/store0" --policy "$GRID/policy.yaml" > /dev/null 2> "$GRID/said" && fail "noise without a secret"
grep -q -- --node "$GRID/said" || fail "it does not say where the secret lies: $(cat "$GRID/said")"
mkdir "$GRID/alone" "$GRID/elsewhere"
local_run "$GRID/alone" "$GRID/local.json"
local_run "$GRID/alone" "$GRID/again.json"
local_run "$GRID/elsewhere" "$GRID/other.json"
[ "$(stat -c %a "$GRID/alone/record.key")" = 600 ] || fail "others can read the secret"
cmp "$GRID/local.json" "$GRID/again.json" || fail "a second run has other noise"
cmp -s <(tables "$GRID/local.json") <(tables "$GRID/other.json") && fail "two secrets give the same noise"
a disclose verify "$GRID/local.json" > /dev/null || fail "verify refuses the noisy tables"
secret=$(cut -d: -f2 "$GRID/alone/record.key")
grep -qF "$secret" "$GRID/local.json" && fail "the secret is in the document"
[ "$(jq -r .record.context.record_key "$GRID/local.json" | wc -c)" = 17 ] || fail "the record does not name the secret"
# Noise it is: most printed counts are not the true ones, all within 5 of them, none from 1 to 9.
a study run "$GRID/study.json" --store "$GRID/store0" --store "$GRID/store1" --store "$GRID/store2" --policy gel-5 --format json --quiet > "$GRID/exact.json" ||
  fail "the exact tables"
jq -e --slurpfile exact "$GRID/exact.json" '[.tables[0].cells, $exact[0].tables[0].cells] | transpose
  | map(select(.[0].value and .[1].value and .[1].value > 0) | .[0].value - .[1].value)
  | length > 20 and all(. >= -5 and . <= 5) and (map(select(. != 0)) | length) > length / 3' "$GRID/local.json" > /dev/null || fail "this is no noise"
jq -e '[.tables[].cells[].value // empty | select(. > 0 and . < 10)] | length == 0' "$GRID/local.json" > /dev/null || fail "a small count is printed"

for i in 0 1 2; do cp "$GRID/alone/record.key" "$GRID/node$i/record.key"; done
grid_up 3
for run in k1 k2; do
  grid_submit $run a2
  grid_wait $run held 20
  grid_approve $run
  grid_wait $run released 10
  a run result $run --format json > "$GRID/$run.json"
  cmp <(tables "$GRID/$run.json") <(tables "$GRID/local.json") || fail "$run is not what one run over the stores prints"
done
jq -e --arg id "$(jq -r .record.context.record_key "$GRID/local.json")" '.record.context | (.sites | length) == 3 and
  (.record_keys | map(.site) | sort) == (.sites | sort) and all(.record_keys[]; .id == $id)' "$GRID/k1.json" > /dev/null ||
  fail "the record does not name each site's secret: $(jq -c .record.context "$GRID/k1.json")"
find "$GRID/hub" "$GRID/hub.log" -type f -exec cat {} + | grep -qaF "$secret" && fail "the secret is at the hub"
echo "cell keys over three nodes: as over the three stores, and asking again tells nothing more"
