#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lists of a register with more items than any answer holds: every one is on some page, once, and links lead there and back without a
# script; choices are made before the count; numbers are of the whole register.
set -euo pipefail
. "$SOURCE/tests/lib/filled_hub.sh"
filled_hub 1200 400 1300 0 0

# follow PATH REL: from page to page, the links of every item to stdout
follow() {
  local path=$1 rel=$2
  while [ -n "$path" ]; do
    curl -sf "$hub$path" > "$work/page" || fail "$path"
    grep -oE '<td role="cell" data-label="[^"]*"><a href="[^"]*">' "$work/page" | sed 's/.*href="\(.*\)">/\1/' | grep "^$3" || true
    path=$(grep -oE '<a href="[^"]*" rel="'"$rel"'"' "$work/page" | sed 's/.*href="\([^"]*\)".*/\1/; s/&amp;/\&/g' || true)
  done
}
whole() { # path, first segment of its items, how many
  follow "$1" next "$2" > "$work/items"
  [ "$(wc -l < "$work/items")" = "$3" ] || fail "$1: $(wc -l < "$work/items") items instead of $3"
  [ "$(sort -u "$work/items" | wc -l)" = "$3" ] || fail "$1: an item comes twice"
}
first=$(curl -sf "$hub/api/v1/register/body?brief=true&limit=1000")
rest=$(curl -sf "$hub/api/v1/register/body?brief=true&limit=1000&after=$(jq -r .next_after <<< "$first")")
bodies=$((1000 + $(jq '.items | length' <<< "$rest")))
[ "$bodies" -ge 1200 ] || fail "only $bodies organisations"
whole /projects /projects/ 1300
whole /bodies /bodies/ "$bodies"
whole '/signals?side=offer&stage=diagnostics' /signals/ 528
whole '/projects?state=submitted' /projects/ 260
entries=$(curl -sf "$hub/api/v1/hub" | jq .entries)
whole /log /log/ "$entries"

grep -q 'Projects: 51 to 100 of 1,300' <(curl -sf "$hub/projects?page=2") || fail "the count of a page"
grep -q '<a href="/projects?page=1" rel="prev">Previous page<span>1 of 26' <(curl -sf "$hub/projects?page=2") || fail "no way back"
! grep -q 'rel="next"' <(curl -sf "$hub/projects?page=26") || fail "a page behind the last"
grep -q 'Needs and offers that fit: 1 to 50 of 528' <(curl -sf "$hub/signals?side=offer&stage=diagnostics") || fail "the count of what fits"
grep -q '<strong>1,300</strong> projects' <(curl -sf "$hub/") || fail "the front page counts to some ceiling"
[ "$(curl -sf "$hub/projects" | grep -o '<option value="[^"]*">[^<]*' | grep -c 'NHS ')" -ge 36 ] || fail "a board that leads projects cannot be chosen"
for path in '/projects?page=27' '/uses?page=2' '/signals?side=offer&page=99'; do
  [ "$(curl -s -o /dev/null -w '%{http_code}' "$hub$path")" = 404 ] || fail "$path is there"
done
for page in 0 -1 x 99999999999999999999 9223372036854775807; do
  code=$(curl -s -o /dev/null -w '%{http_code}' "$hub/projects?page=$page")
  [ "$code" = 400 ] || [ "$code" = 404 ] || fail "page=$page: $code"
done
curl -sf "$hub/signals?side=%22%3E%3Cb%3E%26&page=1" > "$work/page"
grep -q 'None of them fits' "$work/page" || fail "a choice that nothing fits"
! grep -q '"><b>' "$work/page" || fail "a choice became markup"

# The front page's activity: every entry of the last four weeks once, also those that came since it was counted before.
active() { curl -sf "$hub/api/v1/activity" | jq '[.days[].entries[]] | add'; }
[ "$(curl -sf "$hub/api/v1/activity" | jq '(.days | length), (.kinds | length), (.days[-1].entries | length)' | xargs)" = "28 6 6" ] || fail "four weeks by kind"
[ "$(active)" = "$entries" ] || fail "$(active) entries are counted instead of $entries"
"$ACCORD" body add late --name 'Latecomers' --kind charity --at "$hub" --identity "$work/steward.key" --quiet > /dev/null
[ "$(active)" = $((entries + 1)) ] || fail "a new entry is not counted, or an old one twice"
grep -q 'steps were written to the log, on [12] of 28 days' <(curl -sf "$hub/") || fail "the front page's sentence"
