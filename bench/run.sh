#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Accord beside its peers on the same data in the same run: import, bytes per event, latency of queries, memory. Ends with
# one table; fails when two engines answer a question differently. Settings (environment):
#   BENCH_PERSONS   persons (1000000)              BENCH_PROFILE  bench-1m or bench-dense (bench-1m)
#   BENCH_RUNS      warm runs of each query (5)    BENCH_DIR      where the data goes (a new folder under TMPDIR, removed)
#   BENCH_PEERS     duckdb, postgres, or none; several in quotes (duckdb)
#   BENCH_COMPRESS  zstd makes the data a fifth of the size, for Accord alone (none)
set -euo pipefail
cd "$(dirname "$0")/.."
persons=${BENCH_PERSONS:-1000000} profile=${BENCH_PROFILE:-bench-1m} runs=${BENCH_RUNS:-5} peers=${BENCH_PEERS:-duckdb} compress=${BENCH_COMPRESS:-none}
accord=$PWD/build/release/accord bench=$PWD/bench
export PATH="$PATH:/usr/sbin"

dir=${BENCH_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/accord-bench-XXXXXX")}
mkdir -p "$dir"
[ -n "${BENCH_DIR:-}" ] || trap 'rm -rf "$dir"' EXIT
results=$dir/results.jsonl
: > "$results"
say() { echo "bench: $*" >&2; }

# measured ENGINE STEP COMMAND...: runs it and records wall, CPU and peak memory.
measured() {
  local engine=$1 step=$2; shift 2
  /usr/bin/time -q -o "$dir/time" -f '%e %U %S %M' "$@" > "$dir/out" || { cat "$dir/out" >&2; return 1; }
  awk -v engine="$engine" -v step="$step" '{ printf "{\"engine\":\"%s\",\"step\":\"%s\",\"wall_ms\":%d,\"cpu_ms\":%d,\"peak_kib\":%d}\n",
    engine, step, $1 * 1000, ($2 + $3) * 1000, $4 }' "$dir/time" >> "$results"
}
bytes_of() { du -sb "$1" | cut -f1; }

cmake --build build/release --target accord_bench accord_bench_floor > "$dir/out" 2>&1 || { cat "$dir/out" >&2; exit 1; }
if [[ $peers == *duckdb* ]]; then
  mkdir -p build/bench
  cp bench/package.json bench/package-lock.json bench/*.mjs build/bench/
  # Not 'npm ci': that refuses a lock without the packages of other platforms. Versions and hashes are the lock's either way.
  [ -d build/bench/node_modules/@duckdb ] || npm install --no-save --ignore-scripts --no-audit --no-fund --prefix build/bench > "$dir/out" 2>&1 || { cat "$dir/out" >&2; exit 1; }
fi

data=$dir/data
[ "$compress" = none ] || [ "$peers" = none ] || { echo "bench: peers read plain files only; set BENCH_PEERS=none" >&2; exit 2; }
if [ ! -d "$data" ]; then
  say "making $persons persons ($profile)"
  "$accord" synth --profile "$profile" --persons "$persons" --compress "$compress" \
    --out "$data" --format csv > "$dir/rows.csv"
fi
rows=$(awk -F, '{ n += $2 } END { print n }' "$dir/rows.csv")
echo "{\"engine\":\"data\",\"step\":\"data\",\"persons\":$persons,\"profile\":\"$profile\",\"rows\":$rows,\"bytes\":$(bytes_of "$data")}" >> "$results"

say "Accord: import"
rm -rf "$dir/store"
measured accord import "$accord" node import "$data" --store "$dir/store" --quiet
echo "{\"engine\":\"accord\",\"step\":\"size\",\"bytes\":$(bytes_of "$dir/store")}" >> "$results"
say "Accord: queries"
build/release/accord_bench "$dir/store" "$runs" bench/queries/*.json >> "$results"
library=${ACCORD_SHARED:-../shared}/data/circe/cohorts/library
if [ -d "$library" ]; then
  node bench/phenotypes.mjs "$library" > "$dir/phenotypes.json"
  build/release/accord_bench "$dir/store" "$runs" "$dir/phenotypes.json" | sed 's/"step":"open"/"step":"open again"/; s/"step":"query"/"step":"alone"/' >> "$results"
fi
build/release/accord_bench "$dir/store" "$runs" bench/whole/*.json | sed 's/"step":"open"/"step":"open again"/; s/"step":"query"/"step":"alone"/' >> "$results"
ACCORD_THREADS=1 build/release/accord_bench "$dir/store" "$runs" bench/queries/{q05,q11,q12}.json | grep -v '"step":"open"' >> "$results"
say "the floor"
build/release/accord_bench_floor "$dir/store" "$runs" bench/queries >> "$results"

if [[ $peers == *duckdb* ]]; then
  say "DuckDB: import"
  rm -f "$dir/duck.db"
  export BENCH_QUERIES=$bench/queries
  node build/bench/duckdb.mjs load "$data" "$dir/duck.db" >> "$results"
  say "DuckDB: the second layout"
  node build/bench/duckdb.mjs cluster "$dir/duck.db" >> "$results"
  say "DuckDB: queries"
  node build/bench/duckdb.mjs query "$dir/duck.db" "$runs" >> "$results"
fi
if [[ $peers == *postgres* ]]; then
  say "PostgreSQL: import and queries"
  chmod o+x "$dir" # its server is another user where this one is root
  bash bench/postgres.sh "$data" "$dir/postgres" "$runs" >> "$results"
fi
node bench/report.mjs "$results"
