# SPDX-License-Identifier: Apache-2.0
# What demo/run.sh is told with: printing, keys, processes, and the steps that need more than one command.

bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
[ -t 1 ] || bold='' dim='' plain=''
declare -A site_name site_data site_body

step() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '   %s\n' "$*"; }
quoted() { local out='' w; for w in "$@"; do [[ $w =~ ^[A-Za-z0-9_./:=,@-]+$ ]] && out+=" $w" || out+=" '${w//$'\n'/ }'"; done; printf '%s' "${out:1}"; }
told() { local line; line=$(quoted accord "${@:2}" | tr -s ' '); line=${line//$work\//}; line=${line//$PWD\//}; printf '   %s$ %s%s\n' "$dim" "${line:0:150}" "$plain"; }
# run: tells the command and hides what it says unless it fails; show: lets its answer be seen.
run() {
  told "$@"
  "$@" > "$work/last.txt" 2>&1 || { cat "$work/last.txt" >&2; exit 1; }
}
show() { told "$@"; "$@" 2>&1 | sed 's/^/   /'; }

processes=()
begin() {
  mkdir -p "$1"
  stop_old "$1"
  rm -rf "$1"
  mkdir -p "$1/keys" "$1/hub"
  trap stop_all EXIT
  trap 'exit 130' INT TERM
}
stop_old() { [ -f "$1/pids" ] && xargs -r kill < "$1/pids" 2> /dev/null && sleep 1; true; }
stop_all() {
  [ ${#processes[@]} -gt 0 ] && kill "${processes[@]}" 2> /dev/null
  wait
  processes=()
}
start() { # name, command...: in the background, with its log
  "${@:2}" > "$work/$1.log" 2>&1 &
  processes+=($!)
  echo $! >> "$work/pids"
}

key_of() {
  [ -f "$work/keys/$1" ] || "$accord" key new "$work/keys/$1" > /dev/null
  printf '%s' "$work/keys/$1"
}
public_of() { "$accord" key show "$(key_of "$1")" | grep -oE '[0-9a-f]{64}' | head -n 1; }
# as WHO NOUN VERB...: a command of the register, signed with WHO's key.
as() { run "$accord" "${@:2}" --at "$hub" --identity "$(key_of "$1")"; }

# Where nearly everybody at a site is counted, its differencing guard leaves the study to a person there, who lets it take place.
admit_where_asked() { # RUN
  local site status
  while status=$("$accord" run status "$1" --hub "$hub" --format json) && ! grep -qE '"state": ?"(held|failed|declined|stopped)"' <<< "$status"; do
    for site in "${sites[@]}"; do
      "$accord" node runs --data "$work/$site/node" --format csv | grep -q "^$1,asking" || continue
      say "the differencing guard of ${site_name[$site]} leaves it to a person there, who looks and lets it take place"
      show "$accord" node admit "$1" --data "$work/$site/node"
    done
    sleep 0.2
  done
}

# --- sites ---------------------------------------------------------------------------------------

synthetic=("Kent and Medway" "South East London" "West Yorkshire")
make_sites() {
  local dirs=() i=0 dir
  sites=()
  [ -n "${DATA:-}" ] && IFS=, read -ra dirs <<< "$DATA"
  for dir in "${dirs[@]}"; do
    i=$((i + 1))
    [ -d "$dir" ] || { echo "demo: DATA: there is no folder '$dir'" >&2; exit 1; }
    add_site "site-$i" "$(basename "$dir")" "$(cd "$dir" && pwd)"
  done
  [ ${#dirs[@]} -gt 0 ] && [ ${#dirs[@]} -lt 3 ] && say "a masked sum needs three sites: synthetic ones make up the number"
  i=0
  while [ ${#sites[@]} -lt 3 ]; do
    local name=${synthetic[$i]} id
    id=$(tr 'A-Z ' 'a-z-' <<< "$name")
    run "$accord" synth --persons "$persons" --seed $((2026 + i)) --site "$name" --out "$work/$id/omop" --quiet
    add_site "$id" "$name" "$work/$id/omop"
    i=$((i + 1))
  done
  lead=${sites[0]}
}
add_site() {
  sites+=("$1")
  site_name[$1]=$2
  site_data[$1]=$3
  mkdir -p "$work/$1"
}
rows_of() { # persons of a site, from its PERSON table
  local file
  file=$(find -L "${site_data[$1]}" -maxdepth 1 -iname 'person.csv*' | head -n 1)
  case $file in
    *.gz) gzip -dc "$file" ;;
    *.zst) zstd -dcq "$file" ;;
    *) cat "$file" ;;
  esac | awk 'END { print NR - 1 " persons" }'
}
# The national data opt-outs of a site: made up for synthetic persons (one in twenty), none known for other data.
opt_outs_of() {
  echo person_id
  [[ ${site_data[$1]} == "$work"/* ]] || return 0
  cut -d, -f1 "${site_data[$1]}/person.csv" | awk 'NR > 1 && NR % 20 == 0'
}
import_site() { # what was left out goes to a file; the summary line is told
  opt_outs_of "$1" > "$work/$1/opt-outs.csv"
  told "$accord" node import "${site_data[$1]}" --store "$work/$1/store" --opt-outs "$work/$1/opt-outs.csv"
  "$accord" node import "${site_data[$1]}" --store "$work/$1/store" --opt-outs "$work/$1/opt-outs.csv" --on-error skip > "$work/$1/import.txt" 2> "$work/$1/import.log" ||
    { cat "$work/$1/import.log" >&2; exit 1; }
  say "${site_name[$1]}: $(tail -n 1 "$work/$1/import.log")"
}

# --- the register ----------------------------------------------------------------------------------

today=$(date -u +%F)
until_day=$(date -u -d '+300 days' +%F)
origin=demo.accord.example/register

start_hub() {
  run "$accord" register found "$work/hub/register.db" --hub-identity "$work/hub/hub.key" --origin "$origin" \
    --steward stella --steward-key "$(public_of stella)" --name "A national body"
  told "$accord" hub --data "$work/hub" --listen 127.0.0.1:0
  start hub "$accord" hub --data "$work/hub" --listen "127.0.0.1:${PORT:-0}"
  for _ in $(seq 100); do
    hub=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$work/hub.log" | head -n 1) && [ -n "$hub" ] && break
    sleep 0.1
  done
  [ -n "$hub" ] || { cat "$work/hub.log" >&2; exit 1; }
  say "the hub listens at $hub"
}

person() { # id, name, body, role [, scope]: registers, is trained and declares, is offered and holds the role
  local grant=$1.$4.$3${5:+.$5}
  as "$1" person register "$1" --name "$2" --body "$3"
  as stella person prove "$1" --kind safe-researcher --until "$until_day"
  as stella person prove "$1" --kind output-checking --until "$until_day"
  as "$1" person declare "$1" --nil true
  as stella grant offer "$grant" --person "$1" --role "$4" --body "$3" --until "$until_day" ${5:+--scope "$5"}
  as "$1" grant hold "$grant"
}

# The boards of England from the published list. Those that are the demo's synthetic sites take part under short names of their
# own, so their rows are left out of it.
declare -A board_ods=(["Kent and Medway"]=QKS ["South East London"]=QKK ["West Yorkshire"]=QWO)
join_bodies() {
  local site ods taken='^$'
  for site in "${sites[@]}"; do
    ods=${board_ods[${site_name[$site]}]:-}
    taken+=${ods:+"|^$ods"$'\t'}
    as stella body add "$site" --name "NHS ${site_name[$site]}" --kind icb ${ods:+--ods "$ods" --region "$(awk -F '\t' -v ods="$ods" '$1 == ods { print $4 }' vocab/icb-bodies.tsv)"}
  done
  grep -vE "$taken" vocab/icb-bodies.tsv > "$work/boards.tsv"
  as stella register import "$work/boards.tsv"
  as stella body add breathe --name "Breathe Analytics Ltd" --kind company
  as stella body add northwick --name "University of Northwick" --kind university
}
join_people() {
  local site
  for site in "${sites[@]}"; do
    person "board-$site" "Board member of ${site_name[$site]}" "$site" signatory > /dev/null
  done
  person sid "Sid Okafor" breathe signatory > /dev/null
  person cerys "Cerys Pugh" national certifier > /dev/null
  person checker-1 "Chris Adeyemi" northwick checker > /dev/null
  person checker-2 "Carol Whitfield" northwick checker > /dev/null
  person analyst "Ada Byron-King" breathe analyst
  say "… and likewise a signatory of each party, a certifier and two output checkers"
}

start_nodes() {
  local site token
  for site in "${sites[@]}"; do
    local data=$work/$site/node
    token=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
    (umask 077; echo "$token" > "$work/$site/token")
    as stella node invite "node-$site" --body "$site" --token-hash "$(printf %s "$token" | sha256sum | cut -c1-64)" --until "$until_day"
    run "$accord" node init --data "$data"
    run "$accord" node enrol --data "$data" --hub "$hub" --name "node-$site" --token-file "$work/$site/token"
    told "$accord" node run --data "$data" --store "$work/$site/store" --listen 127.0.0.1:0
    start "node-$site" "$accord" node run --data "$data" --store "$work/$site/store" --listen 127.0.0.1:0
  done
}

# --- the result --------------------------------------------------------------------------------------

compare_with_pooled() {
  local site table
  if [ -n "${DATA:-}" ]; then
    told "$accord" study run "$study" $(printf -- '--store %s ' "${sites[@]}")
    "$accord" study run "$study" $(for site in "${sites[@]}"; do printf -- '--store %s ' "$work/$site/store"; done) --quiet > "$work/pooled.txt"
  else
    mkdir -p "$work/pooled/omop"
    for table in "$work/${sites[0]}"/omop/*.csv; do
      table=$(basename "$table")
      case $table in
        concept*|vocabulary*|cdm_source*) cp "$work/${sites[0]}/omop/$table" "$work/pooled/omop/" ;;
        *) { head -n 1 "$work/${sites[0]}/omop/$table"; for site in "${sites[@]}"; do tail -n +2 "$work/$site/omop/$table"; done; } > "$work/pooled/omop/$table" ;;
      esac
    done
    { echo person_id; for site in "${sites[@]}"; do tail -n +2 "$work/$site/opt-outs.csv"; done; } > "$work/pooled/opt-outs.csv"
    run "$accord" node import "$work/pooled/omop" --store "$work/pooled/store" --opt-outs "$work/pooled/opt-outs.csv" --quiet
    told "$accord" study run "$study" --store "$work/pooled/store"
    "$accord" study run "$study" --store "$work/pooled/store" --quiet > "$work/pooled.txt"
    rm -rf "$work/pooled/omop"
  fi
  if diff "$work/result.txt" "$work/pooled.txt" > "$work/difference.txt"; then
    say "identical, every cell: the masked sums of ${#sites[@]} sites give exactly the pooled answer"
  else
    cat "$work/difference.txt" >&2
    echo "demo: the released result differs from the pooled one" >&2
    exit 1
  fi
}

# Accounts for the people of the story, so that it can be done again by hand in the browser. A real installation has none: people
# make their own.
password='three sites and one story'
make_accounts() {
  local who
  printf 'account\tkey\ttotp_secret\n' > "$work/accounts.tsv"
  for who in lea "board-$lead" "${sites[@]:1}" lena sid uma ulf analyst stella cerys patient clinical research finance commercial; do
    [ -f "$work/keys/$who" ] || who=board-$who
    "$accord" account new "$who" --data "$work/hub" --key "$work/keys/$who" --format csv <<< "$password" | tail -n 1 | tr , '\t' >> "$work/accounts.tsv"
  done
}
# At the nodes: the checkers at the lead site, a board member who can admit, refuse and stop at each.
make_node_accounts() {
  local site
  printf 'account\tkey\ttotp_secret\n' > "$work/node-accounts.tsv"
  for site in "${sites[@]}"; do
    node_account "$site" "board-$site" controller
  done
  node_account "$lead" checker-1 checker
  node_account "$lead" checker-2 checker
}
node_account() { # site, person, role
  printf '%s/%s\n' "$1" "$("$accord" node account add "$2" --role "$3" --data "$work/$1/node" --key "$work/keys/$2" --format csv <<< "$password" | tail -n 1 | tr , '\t')" >> "$work/node-accounts.tsv"
}
tell_accounts() {
  say "sign in as one of these, all with the password '$password';"
  say "for the six digits: bash demo/code.sh ACCOUNT, or the secret in an authenticator app"
  awk -F '\t' 'NR > 1 { printf "     %-26s %s\n", $1, $3 }' "$work/accounts.tsv"
  say "and at the nodes' own pages (the name is the part behind the stroke), where runs are admitted and outputs checked:"
  local account secret
  while IFS=$'\t' read -r account _ secret; do
    printf '     %-40s %s  %s\n' "$account" "$secret" "$(grep -o '"url":"[^"]*"' "$work/node-${account%/*}.log" | cut -d'"' -f4)"
  done < <(tail -n +2 "$work/node-accounts.tsv")
}

finish() {
  printf '\n'
  say "done in $SECONDS s; everything is in $work"
  [ "${KEEP:-0}" != 0 ] || return 0
  make_accounts
  make_node_accounts
  tell_accounts
  say "hub and nodes are still running: open $hub in a browser; Ctrl-C stops them"
  wait
}
