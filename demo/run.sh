#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The story of one partnership, from an ICB's needs and OMOP files at three NHS sites to one safe table that everybody can read and
# to what came of it, with the commands that a person would type. KEEP=1 leaves hub and nodes running; DATA=dir1,dir2,... takes your own folders of OMOP CDM CSV files;
# PERSONS sets the size of the synthetic sites.
set -euo pipefail
cd "$(dirname "$0")/.."
accord=${ACCORD:-$PWD/build/release/accord}
source demo/lib.sh
source demo/partnership.sh

persons=${PERSONS:-50000}
work=${RUN_DIR:-$PWD/demo/run}
study=$PWD/demo/study.json
[ ! -t 1 ] || KEEP=${KEEP:-1}
begin "$work"

step "Three NHS sites with their own patient data (OMOP CDM)"
make_sites
for site in "${sites[@]}"; do
  say "${site_name[$site]}: $(rows_of "$site")"
done

step "Each site imports its files into its own patient store"
for site in "${sites[@]}"; do
  import_site "$site"
done

step "The hub: a public register on a log that nobody can rewrite"
start_hub

step "Bodies, people and nodes join; everybody has their own key"
join_bodies
join_people
start_nodes

step "A company and a university join, checked; an ICB's ranked needs meet their offers, with the reasons"
join_partners
publish_needs_and_offers

step "The three open a project from the first need: what it replaces, and answers that are given once"
open_project

step "Five perspectives review it; who has an interest is recused by the system"
review_project

step "An agreement with a quote and a share for the NHS: its summary is public first; it binds when all have signed"
make_agreement

step "The partner's analyst submits a study: adults with COPD by sex, age and deprivation"
run_id=copd-1
show "$accord" run submit "$study" --agreement copd --id $run_id --key "$(key_of analyst)" --hub "$hub"
admit_where_asked $run_id
show "$accord" run wait $run_id --held --hub "$hub"
show "$accord" run status $run_id --hub "$hub"

step "Nothing leaves before two checkers, of no party, have approved it at the lead node"
output=$("$accord" node output list --data "$work/$lead/node" --format csv | tail -n 1 | cut -d, -f1)
told "$accord" node output show "$output" --data "$work/$lead/node"
"$accord" node output show "$output" --data "$work/$lead/node" > "$work/held.txt"
say "what the checkers read: $(grep -c . "$work/held.txt") lines, $(grep -o '\[c\]' "$work/held.txt" | wc -l) cells hidden"
show "$accord" node output approve "$output" --data "$work/$lead/node" --key "$(key_of checker-1)"
show "$accord" node output approve "$output" --data "$work/$lead/node" --key "$(key_of checker-2)"
show "$accord" run wait $run_id --hub "$hub"

step "The released result, as everybody can read it at the hub"
"$accord" run result $run_id --hub "$hub" | tee "$work/result.txt"

step "Is it right? The same study on the pooled rows, under the same rules"
compare_with_pooled

step "What was released is opened to everybody; fees fall due, are recorded and disclosed"
open_output
record_money

step "Did it help? A measure against its baseline; a guardrail that is breached pauses the project"
measure_benefit

step "The whole story is on the log, and anyone can check it without us"
show "$accord" ledger tail "$hub" --count 18
run "$accord" ledger copy "$hub" "$work/log.jsonl"
show "$accord" ledger verify "$work/log.jsonl"
prove_entry

finish
