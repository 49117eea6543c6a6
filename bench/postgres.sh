#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# PostgreSQL on the same data, with the keys and indexes of OHDSI's CDM 5.4 scripts: a private cluster on a unix socket,
# not run by root. Needs Debian's postgresql-15. CPU is that of the server's children (backend and parallel workers), the
# mean over the runs behind a warm-up; a query whose warm-up takes over a minute is not run again. Prints the lines of JSON
# that report.mjs reads.
#
#   postgres.sh DATA FOLDER RUNS
set -euo pipefail
data=$(realpath "$1") folder=$2 runs=$3
queries=${BENCH_QUERIES:-$(dirname "$0")/queries}
bin=/usr/lib/postgresql/15/bin
[ -x $bin/postgres ] || { echo "postgres.sh: install Debian's postgresql-15 first" >&2; exit 1; }
rm -rf "$folder"; mkdir -p "$folder"; folder=$(realpath "$folder")
as_user=()
if [ "$(id -u)" -eq 0 ]; then chown postgres "$folder"; as_user=(runuser -u postgres --); fi
threads=${ACCORD_THREADS:-$(nproc)}

"${as_user[@]}" $bin/initdb -D "$folder/db" -A trust -U accord > "$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
cat >> "$folder/db/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$folder'
shared_buffers = 4GB
work_mem = 256MB
maintenance_work_mem = 1GB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 16GB
autovacuum = off
jit = off
max_parallel_workers_per_gather = $((threads - 1))
END
"${as_user[@]}" $bin/postgres -D "$folder/db" >> "$folder/log" 2>&1 &
launched=$!
trap 'server=$(head -n 1 "$folder/db/postmaster.pid" 2> /dev/null) && kill -INT "$server"; wait $launched; rm -rf "$folder"' EXIT
for _ in $(seq 100); do $bin/pg_isready -q -h "$folder" -U accord -d postgres && break; sleep 0.1; done
server=$(head -n 1 "$folder/db/postmaster.pid")
sql() { psql -X -q -v ON_ERROR_STOP=1 -h "$folder" -U accord -d postgres "$@"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# Of the children that have ended: the backend of a question takes a moment to give its memory back.
children_ms() {
  while pgrep -P "$server" -f 'postgres: accord' > /dev/null; do sleep 0.05; done
  sleep 0.2
  awk -v hertz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($14 + $15) * 1000 / hertz) }' "/proc/$server/stat"
}

type_of() {
  case $1 in
    *_source_value | *_reason | *_name | domain_id | vocabulary_id | concept_class_id | relationship_id) echo varchar ;;
    *_datetime) echo timestamp ;; *_date) echo date ;; *_id | *_id_1 | *_id_2) echo bigint ;;
    value_as_number | quantity | range_*) echo numeric ;;
    *_of_birth | days_supply | refills | *_of_separation) echo integer ;; *) echo varchar ;;
  esac
}
load_table() {
  local table=$1 columns='' column
  for column in $(head -n 1 "$data/$table.csv" | tr ',' ' '); do columns+="${columns:+, }$column $(type_of "$column")"; done
  sql -c "BEGIN; CREATE TABLE $table ($columns)" -c "\\copy $table FROM '$data/$table.csv' (FORMAT csv, HEADER, FREEZE)" -c 'COMMIT' \
    || { echo "postgres.sh: $table could not be loaded" >&2; exit 1; }
}
index_tables() {
  local table
  sql <<< 'ALTER TABLE person ADD PRIMARY KEY (person_id); ALTER TABLE observation_period ADD PRIMARY KEY (observation_period_id);
    CREATE INDEX ON observation_period (person_id); CREATE INDEX ON concept_ancestor (ancestor_concept_id);
    CREATE INDEX ON concept_ancestor (descendant_concept_id); ALTER TABLE concept ADD PRIMARY KEY (concept_id);'
  for table in visit:visit_occurrence condition:condition_occurrence drug:drug_exposure measurement:measurement; do
    local name=${table#*:} kind=${table%%:*}
    sql -c "ALTER TABLE $name ADD PRIMARY KEY (${name}_id)" -c "CREATE INDEX ON $name (person_id)" -c "CREATE INDEX ON $name (${kind}_concept_id)"
    [ "$name" = visit_occurrence ] || sql -c "CREATE INDEX ON $name (visit_occurrence_id)"
  done
  sql -c 'VACUUM ANALYZE'
}
cpu=$(children_ms) start=$(now_ms)
for table in person observation_period visit_occurrence condition_occurrence drug_exposure measurement procedure_occurrence \
  observation death concept concept_ancestor concept_relationship; do load_table "$table"; done
index_tables
bytes=$(sql -At -c "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
echo "{\"engine\":\"postgres\",\"step\":\"load\",\"wall_ms\":$(($(now_ms) - start)),\"cpu_ms\":$(($(children_ms) - cpu)),\"bytes\":$bytes}"

for file in "$queries"/*.sql; do
  cpu=$(children_ms) start=$(now_ms) n=1
  sql -At -F , -f "$file" > "$folder/answer"
  wall=$(($(now_ms) - start))
  if [ "$wall" -lt 60000 ]; then
    cpu=$(children_ms) start=$(now_ms) n=$runs
    repeated=(); for ((i = 0; i < runs; i++)); do repeated+=(-f "$file"); done
    sql -o /dev/null "${repeated[@]}"
    wall=$(($(now_ms) - start))
  fi
  answer=$(awk -F, '{ printf "%s[", (NR > 1 ? "," : ""); for (i = 1; i <= NF; i++) printf "%s\"%s\"", (i > 1 ? "," : ""), $i; printf "]" }' "$folder/answer")
  echo "{\"engine\":\"postgres\",\"step\":\"query\",\"query\":\"$(basename "$file" .sql)\",\"layout\":\"OHDSI\",\"wall_ms\":$((wall / n)),\"cpu_ms\":$((($(children_ms) - cpu) / n)),\"answer\":[$answer]}"
done
