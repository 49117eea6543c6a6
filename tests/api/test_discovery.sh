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
echo "cohort discovery: ok"
