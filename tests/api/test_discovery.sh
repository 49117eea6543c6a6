#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A node works off a cohort discovery task API: right answers, reasons for what it does not answer, nothing without the site's approval.
set -uo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; cat "$work/log" 2> /dev/null; exit 1; }
a() { "$ACCORD" "$@"; }
cd "$work" || exit 1

a synth --out omop --persons 400 --seed 3 --quiet > /dev/null || fail "synth"
a node import omop --store S --quiet > /dev/null 2>&1 || fail "import"
a node init --data N --quiet > /dev/null
sed -i 's/required: true/required: false/' N/node.yaml
printf 'p:w\n' > password
chmod 600 password

query() { # UUID RULES
  printf '{"project":"p","owner":"o","collection":"c1","protocol_version":"v2","char_salt":"s","uuid":"%s","cohort":{"groups":[{"rules":[%s],"rules_oper":"AND"}],"groups_oper":"OR"}}' "$1" "$2"
}
rule() { printf '{"varname":"OMOP","varcat":"%s","type":"TEXT","oper":"%s","value":"%s"}' "$1" "$2" "$3"; }
{
  printf '['
  query men "$(rule Person = 8507)"; printf ','
  query nobody "$(rule Condition = 1)"; printf ','
  query unknown-sex "$(rule Person = 999999999)"; printf ','
  query half-range '{"varname":"OMOP=46236952","varcat":"Measurement","type":"NUM","oper":"=","value":"abc..3"}'; printf ','
  printf '{"analysis":"DISTRIBUTION","code":"ICD-MAIN","uuid":"icd","collection":"c1","owner":"o"},'
  printf '{"analysis":"DREAMS","uuid":"dreams"},'
  printf '"{ no json",{"uuid":"../../../admin","cohort":{}},{"uuid":17,"cohort":{}}]'
} > tasks.json
node "$SOURCE/tests/lib/task_server.mjs" tasks.json out.jsonl > port &
server=$!
for _ in $(seq 50); do [ -s port ] && break; sleep 0.1; done
url=http://127.0.0.1:$(cat port)/api
work_off() { a node discovery --data N --store S --url "$url" --collection c1 --queue a --user u --password-file password --every 1 --once > log 2>&1; }

# --- not without approval, not with a password that others can read, not with a wrong one ----------------------
work_off && fail "it answers though nobody approved that"
grep -q 'approved_by' log || fail "the refusal does not say what to add"
printf 'discovery:\n  approved_by: Dr Controller\n' >> N/node.yaml
chmod 644 password
work_off && fail "a password that others can read"
grep -q 'chmod 600' log || fail "the refusal does not say what to do"
chmod 600 password
printf 'wrong' > password
work_off && fail "a wrong password"
grep -q '401' log || fail "the refusal does not name the server's answer"
[ ! -e out.jsonl ] || fail "something was sent"
printf 'p:w\n' > password
sed -i 's/required: false/required: true/' N/node.yaml
work_off && fail "opt-outs of unknown age"
grep -q 'opt-outs' log || fail "the refusal does not name the opt-outs"
sed -i 's/required: true/required: false/' N/node.yaml

# --- every task is answered once ---------------------------------------------------------------------------------
work_off || fail "it did not work off the tasks"
answer() { jq -c "select(.url == \"/api/task/result/$1/c1\") | .body | [.status, .queryResult.count, .message]" out.jsonl; }
men=$(a node discovery <(query men "$(rule Person = 8507)") --store S | jq .queryResult.count)
[ "$men" -gt 100 ] && [ "$((men % 5))" = 0 ] || fail "men: $men"
[ "$(answer men)" = "[\"ok\",$men,\"\"]" ] || fail "men: $(answer men)"
[ "$(answer nobody)" = '["ok",0,""]' ] || fail "nobody: $(answer nobody)"
[ "$(answer unknown-sex | jq -c '.[0:2]')" != "[\"ok\",400]" ] || fail "an unknown sex became everybody"
answer half-range | jq -e '.[0] == "error" and (.[2] | contains("value"))' > /dev/null || fail "half-range: $(answer half-range)"
answer icd | jq -e '.[0] == "error" and (.[2] | contains("code"))' > /dev/null || fail "icd: $(answer icd)"
answer dreams | jq -e '.[0] == "error"' > /dev/null || fail "dreams: $(answer dreams)"
[ "$(wc -l < out.jsonl)" = 6 ] || fail "expected six results: $(jq -c .url out.jsonl)"
grep -q unexpected out.jsonl && fail "it asked for something else: $(grep unexpected out.jsonl)"
grep -q 'usable uuid' log || fail "the log does not tell of the unusable ids"
grep -q 'p:w' log && fail "the log has the password"

# --- the same question again is answered, one that isolates a few persons with it is not ------------------------
# Men of all ages, then of 41 and over: with a minimum of 10 the difference would be the few of up to 40... unless it is large.
start_over() { rm -f out.jsonl; kill "$server"; wait "$server" 2> /dev/null; node "$SOURCE/tests/lib/task_server.mjs" tasks.json out.jsonl > port & server=$!; : > port; for _ in $(seq 50); do [ -s port ] && break; sleep 0.1; done; url=http://127.0.0.1:$(cat port)/api; }
of_age() { printf '%s,{"varname":"AGE","varcat":"Person","type":"NUM","oper":"=","value":"%s|200"}' "$(rule Person = 8507)" "$1"; }
exact() { "$ACCORD" node discovery <(query x "$(of_age "$1")") --store S --policy exact.yaml | jq .queryResult.count; }
printf 'name: exact\nversion: 1\ninherits: sde-10\napproved_by: a test\nminimum: 2\nrounding: none\n' > exact.yaml
all=$(exact 0)
for age in $(seq 1 60); do # the first age that leaves out between 1 and 9 men
  few=$((all - $(exact "$age")))
  [ "$few" -ge 1 ] && break
done
[ "$few" -ge 1 ] && [ "$few" -le 9 ] || fail "no age leaves out a few men: $few"
printf '[%s,%s,%s,%s]' "$(query all "$(of_age 0)")" "$(query again "$(of_age 0)")" "$(query "fewer" "$(of_age "$age")")" \
  "$(query half "$(of_age 60)")" > tasks.json
sed -i 's/^disclosure:.*/disclosure: exact10.yaml/' N/node.yaml
printf 'name: exact\nversion: 1\ninherits: sde-10\napproved_by: a test\nrounding: none\n' > exact10.yaml
start_over
work_off || fail "it did not work off the second tasks"
[ "$(answer all | jq -c '.[0:2]')" = "[\"ok\",$all]" ] || fail "all: $(answer all)"
[ "$(answer again)" = "$(answer all)" ] || fail "the same question again: $(answer again)"
answer fewer | jq -e '.[0] == "error" and .[1] == 0' > /dev/null || fail "a difference of $few men was given away: $(answer fewer)"
answer fewer | grep -q '[1-9]' && fail "the refusal has a number in it: $(answer fewer)"
answer half | jq -e '.[0] == "ok"' > /dev/null || fail "half: $(answer half)"
[ "$(stat -c %a N/guard.db)" = 600 ] || fail "the guard's book can be read by others"
echo "cohort discovery: ok"
