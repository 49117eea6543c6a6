#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The register at scale: a hub with 36 ICBs, 2,000 bodies, 20,000 people, 10,000 projects and 1,000,000 entries, asked over
# HTTP by 64 connections, also while commands are written. Loopback only.
#   BENCH_SIZE=full|rems|small   rems = the size that REMS states: 1,000 catalogue items, 3,000 applications of 20 events
#   BENCH_SECONDS=10 BENCH_CONNECTIONS=64 BENCH_WRITES=20 (commands a second)
#   BENCH_DIR=DIR                keep the filled register there and use it again
set -euo pipefail
cd "$(dirname "$0")/.."
case ${BENCH_SIZE:-full} in
full) counts=(2000 20000 10000 0 1000000) ;;
rems) counts=(400 1000 3000 1000 66000) ;;
small) counts=(400 1000 2000 100 20000) ;;
*) echo "register.sh: BENCH_SIZE is full, rems or small" >&2; exit 2 ;;
esac
seconds=${BENCH_SECONDS:-10}
cmake --preset release --log-level=WARNING > /dev/null
cmake --build build/release --target accord accord_bench_register accord_bench_load -- --quiet
bin=$PWD/build/release
dir=${BENCH_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/accord-bench-XXXXXX")}
mkdir -p "$dir"
hub=
finish() { [ -z "$hub" ] || kill "$hub" 2> /dev/null || true; wait 2> /dev/null || true; [ -n "${BENCH_DIR:-}" ] || rm -rf "$dir"; }
trap finish EXIT
figures() { jq -r '"  \(.value)\t\(.unit)\t\(.figure)"' | column -t -s $'\t'; }

if [ ! -f "$dir/filled" ]; then
  "$bin/accord" key new "$dir/steward.key" --quiet > /dev/null
  "$bin/accord" register found "$dir/register.db" --hub-identity "$dir/hub.key" --origin bench.example/register --steward stella \
    --steward-key "$("$bin/accord" key show "$dir/steward.key" --format csv | tail -n 1)" --quiet
  "$bin/accord" register import vocab/*.tsv --at "$dir/register.db" --identity "$dir/steward.key" --quiet > /dev/null
  "$bin/accord_bench_register" fill "$dir" "${counts[@]}" | figures
  "$bin/accord_bench_register" pages "$dir" > "$dir/pages"
  touch "$dir/filled"
fi
"$bin/accord_bench_register" commands "$dir" $((${BENCH_WRITES:-20} * (seconds + 5))) > "$dir/commands"

start=$(date +%s%N)
"$bin/accord" hub --data "$dir" --listen 127.0.0.1:0 > /dev/null 2> "$dir/hub.log" &
hub=$!
until url=$(grep -o 'http://127.0.0.1:[0-9]*' "$dir/hub.log" | head -n 1) && curl -sf -o /dev/null "$url/api/v1/hub"; do
  kill -0 "$hub" || { cat "$dir/hub.log" >&2; exit 1; }
  sleep 0.02
done
echo "cold start to the first answer: $((($(date +%s%N) - start) / 1000000)) ms"
cpu() { awk -v hz="$(getconf CLK_TCK)" '{print ($14 + $15) / hz}' "/proc/$hub/stat"; }
load() { local before; before=$(cpu); "$bin/accord_bench_load" "${url##*:}" "${BENCH_CONNECTIONS:-64}" "$seconds" "$dir/pages" "$@" > "$dir/load.json" || echo "some requests failed" >&2; \
  jq -rs '["page", "requests", "1/s", "median ms", "p99 ms", "slowest ms"], (sort_by(.page)[] | [.page, .requests, .per_second, .median_ms, .p99_ms, .slowest_ms]),
    ["all", (map(.requests) | add), (map(.per_second) | add), "", "", ""] | @tsv' "$dir/load.json" | column -t -s $'\t'
  jq -rs --argjson s "$(awk "BEGIN{print $(cpu) - $before}")" '"hub, CPU per request: \($s * 1000 / (map(.requests) | add) * 1000 | round / 1000) ms"' "$dir/load.json"; }
echo "reads, ${BENCH_CONNECTIONS:-64} connections:"
load
echo "the same beside ${BENCH_WRITES:-20} commands a second:"
load "$dir/commands" "${BENCH_WRITES:-20}"
grep -E 'VmHWM|RssAnon' "/proc/$hub/status" | sed 's/^/hub, /'
kill "$hub"; wait "$hub" 2> /dev/null || true; hub=
"$bin/accord_bench_register" measure "$dir" | figures
