# SPDX-License-Identifier: Apache-2.0
# What demo/run.sh tells of the partnership around the runs: needs, offers, the project, its reviews, the agreement, money and measures.

project=copd-found
last_year=$(date -u -d '-1 year' +%F)
# refused WHO NOUN VERB...: a command that the rules must refuse; its refusal is shown.
refused() {
  local command=("$accord" "${@:2}" --at "$hub" --identity "$(key_of "$1")")
  told "${command[@]}"
  if "${command[@]}" > "$work/last.txt" 2>&1; then
    echo "demo: the register accepted what a rule forbids: ${*:2}" >&2
    exit 1
  fi
  grep -q 'rule ' "$work/last.txt" || { cat "$work/last.txt" >&2; exit 1; }
  say "refused: $(sed 's/^accord[^:]*: //' "$work/last.txt" | head -n 1)"
}
# pick PATTERN COMMAND...: tells the command and shows those lines of its answer.
pick() {
  told "${@:2}"
  "${@:2}" | grep -E "$1" | sed 's/^ */   /'
}

# --- needs and offers --------------------------------------------------------------------------------

join_partners() {
  local kind perspective
  as stella body add easton --name "University of Easton" --kind university
  for kind in dspt cyber_essentials abpi_signatory; do
    as stella body check breathe --kind $kind --until "$until_day"
  done
  for kind in dspt cyber_essentials; do
    as stella body check easton --kind $kind --until "$until_day" > /dev/null
  done
  person lea "Lea Marsh" "$lead" lead > /dev/null
  person lena "Lena Fry" breathe lead > /dev/null
  person uma "Uma Castell" easton lead > /dev/null
  person ulf "Ulf Castell" easton signatory > /dev/null
  for perspective in patient clinical research finance commercial; do
    person "$perspective" "A $perspective reviewer" northwick reviewer "$perspective" > /dev/null
  done
  person finn "Finn Abara" northwick reviewer finance > /dev/null
  say "… likewise the university's checks, the leads of the three, and a reviewer for each perspective"
}

signal() { # WHO, id, options...: drafts and publishes a need or an offer
  as "$1" signal draft "${@:2}"
  as "$1" signal publish "$2" > /dev/null
}
publish_needs_and_offers() {
  as stella register import vocab/{qof,medicines-optimisation,core20plus5,pathway-stage,five-safes,red-questions,prices-sde,tiers}.tsv
  signal lea copd-diagnosis --body "$lead" --side need --rank 1 --title "COPD that nobody has diagnosed" --type capability \
    --codes '[{"scheme":"qof","code":"COPD"}]' --stage diagnostics --population 60000 --evidence "A third of expected cases are on no register"
  signal lea inhaler-carbon --body "$lead" --side need --rank 2 --title "Inhalers with less carbon" --type capability \
    --codes '[{"scheme":"medicines-optimisation","code":"mo11"},{"scheme":"qof","code":"AST"}]' --stage treatment --population 90000
  signal lena find-copd --body breathe --side offer --title "Spirometry where it is missing" --type capability \
    --codes '[{"scheme":"qof","code":"COPD"}]' --stage diagnostics
  signal uma greener-inhalers --body easton --side offer --title "Inhaler reviews that patients designed" --type capability \
    --codes '[{"scheme":"medicines-optimisation","code":"mo11"},{"scheme":"qof","code":"COPD"}]' --stage treatment
  show "$accord" match "$lead" --at "$work/hub/register.db"
  show "$accord" match breathe --at "$work/hub/register.db"
  show "$accord" suggest --at "$work/hub/register.db" --limit 2
}

# --- the project -------------------------------------------------------------------------------------

open_project() {
  as lea project draft $project --json @demo/project.json --body "$lead" --signals copd-diagnosis --parties "[
    {\"body\":\"$lead\",\"role\":\"lead\",\"contributions\":[{\"type\":\"data\",\"what\":\"records, at its node\",\"value\":6000000}]},
    {\"body\":\"breathe\",\"role\":\"partner\",\"contributions\":[{\"type\":\"cash\",\"what\":\"the vans\",\"value\":7000000}]},
    {\"body\":\"easton\",\"role\":\"evaluator\",\"contributions\":[{\"type\":\"capability\",\"what\":\"the evaluation\",\"value\":2000000}]}]"
  refused lea project submit $project
  as lea project edit $project --substitutes "[
    {\"line\":\"recall\",\"what\":\"Recall by letter\",\"owner\":\"$lead\",\"cost_per_year\":9000000,\"cash_releasing\":true},
    {\"line\":\"clinic\",\"what\":\"The weekend clinic\",\"owner\":\"$lead\",\"cost_per_year\":6000000,\"cash_releasing\":true}]"
  as "board-$lead" project confirm $project --line recall
  show "$accord" project check $project --at "$work/hub/register.db"
  as stella vocabulary load short-form --version 1 --source "A custodian's own short form" \
    --rows '[{"code":"data.needed","label":"What will you read?"},{"code":"data.optout","label":"Do opt-outs apply?"},{"code":"outputs.smallest","label":"Smallest count?"}]'
  show "$accord" project form $project --form short-form --at "$work/hub/register.db"
  as lea project submit $project
}

propose_measures() {
  as lea measure propose diagnosed --project $project --title "People newly diagnosed" --role benefit --for patients --unit people --better higher --target 1400
  as lea measure propose wait --project $project --title "Wait for spirometry" --role guardrail --for patients --unit days --better lower --floor 42
  as patient measure accept diagnosed
  as patient measure accept wait > /dev/null
  as lea measure baseline diagnosed --baseline 1200 --date "$last_year" --source "QOF register, last year"
  as lea measure baseline wait --baseline 30 --date "$last_year" --source "Diagnostic waits" > /dev/null
}
review_project() {
  local perspective
  propose_measures
  as finn person declare finn --interests '[{"kind":"financial","body":"breathe"}]'
  as lea review ask finn-finance --about project:$project --perspective finance --person finn
  pick '"recused":' "$accord" review show finn-finance --at "$hub"
  refused finn review give finn-again --about project:$project --perspective finance --verdict yes
  for perspective in patient clinical research finance; do
    as $perspective review give $perspective --about project:$project --perspective $perspective --verdict yes > /dev/null
  done
  refused lea project approve $project
  as commercial review give commercial --about project:$project --perspective commercial --verdict yes
  as lea project approve $project
}

# --- the agreement -----------------------------------------------------------------------------------

draft_agreement() {
  local site parties='' template
  template=$(printf 'SDE data access agreement 8.0' | sha256sum | cut -c1-64)
  for site in "${sites[@]}"; do
    parties+="{\"body\":\"$site\",\"role\":\"$([ "$site" = "$lead" ] && echo lead_site || echo site)\"},"
  done
  as stella template publish daa-8 --name "SDE data access agreement" --kind DAA --version 8.0 --hash "$template"
  as sid agreement draft copd --title "Undiagnosed COPD" --project $project --template "$template" \
    --parties "[$parties{\"body\":\"breathe\",\"role\":\"partner\"},{\"body\":\"easton\",\"role\":\"partner\"}]" \
    --annex '{"analyses":["count","crosstab","inequality","variation","survival","standardised_rate","pathways"],"studies":["any"]}' --from "$today" --to "$until_day" \
    --purpose "Find people with COPD who have no diagnosis yet" --access nhs_runs --use commercial \
    --exit-plan "The work ends with the term; nothing is kept but what was released." \
    --quote '[{"code":"application","quantity":1},{"code":"set-up","quantity":3}]' --prices prices-sde --nhs-share-percent 40 \
    --mechanisms "[{\"kind\":\"upfront\",\"from\":\"breathe\",\"to\":\"$lead\",\"amount\":2500000},
      {\"kind\":\"royalty\",\"from\":\"breathe\",\"to\":\"$lead\",\"rate_percent\":2,\"floor\":500000,\"cap\":20000000}]"
  as cerys agreement check copd
}
make_agreement() {
  local site
  draft_agreement
  refused sid agreement sign copd
  as "board-$lead" agreement summarise copd --summary "Three NHS bodies, Breathe Analytics and the University of Easton count adults with COPD by sex, age and deprivation, to find where people go without a diagnosis. Patient data stays where it is."
  for site in "${sites[@]}"; do
    as "board-$site" agreement sign copd
  done
  as sid agreement sign copd
  as ulf agreement sign copd
  as lea project start $project
  pick '^(term|state|party|quote|mechanism|NHS) ' "$accord" agreement sheet copd --at "$work/hub/register.db"
}

# --- after the release -------------------------------------------------------------------------------

open_output() {
  as lea artefact open "$output" --licence OGL-UK-3.0 --title "Adults with COPD by sex, age and deprivation" \
    --lay "Where people with COPD are known to the NHS, and where fewer are than one would expect."
}
record_money() {
  as "board-$lead" transfer due copd.t2
  as sid transfer make copd.t2 --date "$today" --category joint-working
  show "$accord" transfer list --at "$hub"
  run "$accord" export use-register --at "$work/hub/register.db" --output "$work/use-register.csv"
  run "$accord" export disclosure-uk --at "$work/hub/register.db" --output "$work/disclosure-uk.xlsx"
  show "$accord" export disclosure-uk --at "$work/hub/register.db"
}
measure_benefit() {
  say "(these readings are made up for the demonstration)"
  as lea measure read diagnosed --value 1420 --date "$today" --source "QOF register, this year" --final true
  pick '"(baseline|target|value|state)":' "$accord" measure show diagnosed --at "$hub"
  as lea measure read wait --value 49 --date "$today" --source "Diagnostic waits"
  show "$accord" project list --at "$hub"
}
prove_entry() {
  told "$accord" ledger prove "$hub" "artefact:$output"
  "$accord" ledger prove "$hub" "artefact:$output" > "$work/proof.json"
  show "$accord" ledger check "$work/proof.json"
}
