#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The register on the command line, from founding to a proof that stands by itself; what is wrong is refused by name.
set -euo pipefail
dir=$(mktemp -d "${TMPDIR:-/tmp}/accord-register-XXXXXX")
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
a() { "$ACCORD" "$@"; }
key() { a key show "$dir/$1" --format csv | tail -n 1; }
# refused CODE TEXT COMMAND...: exits with the code and says the text
refused() {
  local code=$1 text=$2 got=0; shift 2
  a "$@" > "$dir/out" 2> "$dir/err" || got=$?
  [ "$got" = "$code" ] || fail "$*: exit $got instead of $code: $(cat "$dir/err")"
  grep -qF -- "$text" "$dir/err" || fail "$*: expected '$text': $(cat "$dir/err")"
}
export ACCORD_REGISTER=$dir/register.db ACCORD_IDENTITY=$dir/stella
for who in stella lea pat wit; do a key new "$dir/$who" --quiet > /dev/null; done
[ "$(stat -c %a "$dir/stella")" = 600 ] || fail "a key that others can read"
refused 6 'never overwritten' key new "$dir/stella"
found=(register found "$ACCORD_REGISTER" --hub-identity "$dir/hub" --origin test.example/register --steward stella --steward-key "$(key stella)")
a "${found[@]}"
a "${found[@]}" # again: nothing changes
[ "$(a ledger tail "$ACCORD_REGISTER" --format csv | wc -l)" = 2 ] || fail "founding twice is one entry"

# bodies in time: 42 boards in 2023, 36 from April 2026
a register import "$SOURCE"/vocab/*.tsv
[ "$(a body list --kind icb --on 2023-06-01 --format csv | wc -l)" = 43 ] || fail "ICBs of 2023"
[ "$(a body list --kind icb --on 2026-06-01 --format csv | wc -l)" = 37 ] || fail "ICBs of 2026"
a body environments --format json > "$dir/out"
jq -e 'length == 12 and all(.[]; .minimum_count > 0 and (.prices | length > 0) and (.contact | startswith("https://")))' "$dir/out" > /dev/null ||
  fail "twelve secure data environments, each with smallest count, prices and contact: $(cat "$dir/out")"
entries=$(a ledger tail "$ACCORD_REGISTER" --count 1 --format csv | tail -n 1 | cut -d, -f1)
a register import "$SOURCE/vocab/icb-bodies.tsv"
[ "$(a ledger tail "$ACCORD_REGISTER" --count 1 --format csv | tail -n 1 | cut -d, -f1)" = "$entries" ] || fail "an import twice adds nothing"

# refusals name the field or the rule; exit codes are those of the manual
refused 3 '$.body.kind: expected one of' body add T1 --name x --kind hospital
refused 3 '$.body.name: is missing' body add T1 --kind trust
refused 2 "'accord body' has no 'ad'" body ad T1
refused 2 'unknown option --nam; did you mean --name?' body add T1 --nam x
refused 6 'rule exists' body add QKS --name x --kind icb
refused 5 'rule permission' body suspend QKS --reason x --identity "$dir/lea"
refused 4 'there is no body' body show none

# a need, an offer, a match
a person register lea --name 'Lea Ng' --body QKS --identity "$dir/lea" --quiet
a grant offer lea.lead.QKS --person lea --role lead --body QKS --until 2099-01-01 --quiet
a grant hold lea.lead.QKS --identity "$dir/lea" --quiet
a signal draft copd --body QKS --side need --title 'COPD diagnosis' --type capability --rank 1 --population 300000 \
  --codes '[{"scheme":"qof","code":"COPD"}]' --identity "$dir/lea" --quiet
refused 3 'rule vocabulary' signal draft x --body QKS --side need --title x --type data --codes '[{"scheme":"qof","code":"X"}]' --identity "$dir/lea"
refused 3 '$.body.codes[2]: the code COPD of qof is there already, as [0]' signal draft x --body QKS --side need --title x --type data \
  --codes '[{"scheme":"qof","code":"COPD"},{"scheme":"qof","code":"AST"},{"scheme":"qof","code":"COPD"}]' --identity "$dir/lea"
for bad in $'bell \a' $'\xe2\x80\xaeturned' $'\xef\xbb\xbf'; do
  refused 3 '$.body.title: expected text without control characters' signal draft x --body QKS --side need --title "x$bad" --type data --codes '[{"scheme":"qof","code":"COPD"}]' --identity "$dir/lea"
done
refused 3 '$.personal: expected text without control characters' person register eve --name $'Eve\b' --identity "$dir/wit"
a signal publish copd --identity "$dir/lea" --quiet
a person register pat --name Pat --identity "$dir/pat" --quiet
a body apply acme --name 'Acme Ltd' --kind company --identity "$dir/pat" --quiet
a body register acme --quiet
a signal draft spiro --body acme --side offer --title Spirometry --type capability --codes '[{"scheme":"qof","code":"COPD"}]' --identity "$dir/pat" --quiet
a signal publish spiro --identity "$dir/pat" --quiet
# 1/1 of the codes, rank 1, 300,000/(300,000 + 100,000), no stage said: 0.375
[ "$(a match QKS --format csv | tail -n 1)" = acme,0.3750,copd,1,spiro,qof:COPD,1.0000,0.3750 ] || fail "match: $(a match QKS --format csv)"
refused 11 'the search' search "$(printf 'a%.0s' {1..5000})"
[ "$(a search 'copd*' --format json | jq -r '.[0].id')" = copd ] || fail search
a export use-register | head -n 1 | tr ',' '\n' | wc -l | grep -qx 31 || fail "31 columns"
a export disclosure-uk --output "$dir/d.xlsx" && file_kind=$(head -c 2 "$dir/d.xlsx") && [ "$file_kind" = PK ] || fail xlsx
a export atom > "$dir/feed" && [ "$(grep -c '<entry>' "$dir/feed")" = $(($(a ledger tail "$ACCORD_REGISTER" --count 1 --format csv | tail -n 1 | cut -d, -f1) + 1)) ] || fail "every entry is in the feed"

[ "$(a transfer total --format csv | tail -n 1)" = 'all,0,£0.00,£0.00,£0.00,£0.00' ] || fail "the total of no transfer: $(a transfer total --format csv)"

# a project: an incomplete draft is kept, what it lacks is listed; one answer fills every form
a project draft p1 --body QKS --title 'COPD at home' --parties '[{"body":"QKS","role":"lead"},{"body":"acme"}]' --cost-per-year 100000 \
  --answers '{"project.lay":"We look for people with COPD."}' --identity "$dir/lea" --quiet
a project check p1 --format csv > "$dir/out"
for rule in triple-benefit uk-benefit contributions roles-complete additive; do grep -q "rule $rule" "$dir/out" || fail "project check: $rule"; done
grep -q '^substitution,"additive' "$dir/out" || fail "the class of the substitution case"
grep -q 'names no group of people' "$dir/out" || fail "the warning that nobody is named"
a project report p1 --format json | jq -e '.measures == [] and .groups == []' > /dev/null || fail "a project's report"
refused 2 'asked of a hub' annex read none --identity "$dir/lea"
a project form p1 --format csv | grep -q 'We look for people with COPD' || fail "the answer in the form"
refused 3 'rule triple-benefit' project submit p1 --identity "$dir/lea"
a agreement draft g1 --title COPD --template "$(printf '0%.0s' {1..64})" --purpose 'Find COPD' --access nhs_runs --use commercial --from 2026-01-01 \
  --to 2099-01-01 --annex '{"analyses":["any"],"studies":["any"]}' --quote '[{"code":"application","quantity":2}]' \
  --parties '[{"body":"QKS","role":"lead_site"},{"body":"acme","role":"partner"}]' --identity "$dir/lea" --quiet
a agreement edit g1 --exit-plan 'It ends with the term.' --identity "$dir/pat" --quiet
a agreement sheet g1 --format csv | grep -q '^quote,"\?£2862.00' || fail "the quote on the sheet: $(a agreement sheet g1)"
[ "$(a agreement diff g1 --format csv | tail -n 1 | cut -d, -f4-)" = 'exit_plan,It ends with the term.' ] || fail "who set which field"

# the log: sign, witness, copy, verify, prove; one flipped byte fails
a ledger checkpoint "$ACCORD_REGISTER" --hub-identity "$dir/hub" > /dev/null
a ledger witness "$ACCORD_REGISTER" --add "$(a ledger vkey --name w.example/1 --identity "$dir/wit")" > /dev/null
a ledger copy "$ACCORD_REGISTER" "$dir/copy"
a ledger cosign "$dir/copy" --name w.example/1 --identity "$dir/wit" > "$dir/note"
a ledger witness "$ACCORD_REGISTER" --keep "$dir/note" > /dev/null
a ledger copy "$ACCORD_REGISTER" "$dir/copy"
a ledger verify "$dir/copy" --format json 2> /dev/null | jq -e '.[0].witnesses == 1' > /dev/null || fail "a witness counts"
grep -q 'Lea Ng' "$dir/copy" && fail "a personal text in a copy"
sed '40s/"time":"20/"time":"21/' "$dir/copy" > "$dir/bad"
refused 8 'entry 38: ' ledger verify "$dir/bad"
a ledger prove "$ACCORD_REGISTER" 7 > "$dir/proof"
a ledger check "$dir/proof" > /dev/null
jq '.entry.time = "2001-01-01T00:00:00Z"' "$dir/proof" > "$dir/badproof"
refused 8 'does not lead' ledger check "$dir/badproof"

# replay gives the same state
one=$(a register replay "$ACCORD_REGISTER" --format csv | tail -n 1)
[ "$one" = "$(a register replay "$ACCORD_REGISTER" --format csv | tail -n 1)" ] || fail "two replays differ"

# erasure: the name is gone, the log still verifies
a person erase lea --identity "$dir/lea" --quiet
a person show lea | jq -e '.name.hashed | length == 64' > /dev/null || fail "the name is still there"
grep -qa 'Lea Ng' "$ACCORD_REGISTER" && fail "the erased name is still in the file"
a ledger checkpoint "$ACCORD_REGISTER" --hub-identity "$dir/hub" > /dev/null
a ledger copy "$ACCORD_REGISTER" "$dir/copy" && a ledger verify "$dir/copy" > /dev/null 2>&1 || fail "the log after an erasure"
echo ok
