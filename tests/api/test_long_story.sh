#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The story of an item that changed thousands of times: every step is on some page, once and in order, with links there and back; the API and
# the command line give all of it too.
set -euo pipefail
. "$SOURCE/tests/lib/filled_hub.sh"
filled_hub 300 0 2 0 9000
project=j1
steps() { grep -oE 'aria-label="Entry [0-9]+ of the log"' <<< "$1" | grep -oE '[0-9]+'; }

path=/projects/$project pages=0
while [ -n "$path" ]; do
  page=$(curl -sf "$hub$path") || fail "$path"
  steps "$page" >> "$work/steps"
  pages=$((pages + 1))
  path=$(grep -oE '<a href="[^"]*" rel="next"' <<< "$page" | sed 's/.*href="\([^"]*\)".*/\1/' || true)
done
n=$(wc -l < "$work/steps")
[ "$n" -gt 2500 ] || fail "only $n steps on $pages pages"
[ "$pages" = $(((n + 199) / 200)) ] || fail "$n steps on $pages pages"
sort -nu "$work/steps" | cmp -s - "$work/steps" || fail "the steps are not in order, or one comes twice"
grep -q "Steps: 201 to 400 of $(printf "%'d" "$n" | sed 's/^\([0-9]*\)\([0-9]\{3\}\)$/\1,\2/')" <(curl -sf "$hub/projects/$project?page=2") || fail "which steps are shown"
grep -q "<a href=\"/projects/$project?page=1\" rel=\"prev\"" <(curl -sf "$hub/projects/$project?page=2") || fail "no way back"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$hub/projects/$project?page=$((pages + 1))")" = 404 ] || fail "a page behind the last"
! grep -q 'rel="next"' <(curl -sf "$hub/bodies/QKS") || fail "a short story has pages"

# What the log says about the project alone, by the API and the command line.
from=0
: > "$work/api"
while [ "$from" != null ]; do
  answer=$(curl -sf "$hub/api/v1/log/entries?subject=project:$project&limit=700&from=$from") || fail "the API from $from"
  jq '.items[].seq' <<< "$answer" >> "$work/api"
  from=$(jq .next_from <<< "$answer")
done
"$ACCORD" ledger tail "$hub" --subject "project:$project" --format csv | tail -n +2 | cut -d, -f1 > "$work/cli"
cmp -s "$work/api" "$work/cli" || fail "the API gives $(wc -l < "$work/api") entries, the command line $(wc -l < "$work/cli")"
[ "$(wc -l < "$work/api")" -gt 2500 ] && sort -nu "$work/api" | cmp -s - "$work/api" || fail "the API's entries: $(wc -l < "$work/api")"
[ "$(curl -sf "$hub/api/v1/log/entries?subject=project:$project&limit=2&brief=true" | jq '.items | length')" = 2 ] || fail "a limit"
[ "$(curl -sf "$hub/api/v1/log/entries?from=999999999" | jq -c '[.items, .next_from]')" = '[[],null]' ] || fail "behind the end"
echo "a story of $n steps is read on $pages pages"
