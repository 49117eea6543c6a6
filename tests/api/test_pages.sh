#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The public pages: readable without a script, under a policy without 'unsafe-', with files that come from this server alone.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$pid" 2> /dev/null || true; wait; rm -rf "$work"' EXIT
"$ACCORD" key new "$work/steward" > /dev/null
steward=$("$ACCORD" key show "$work/steward" | grep -oE '[0-9a-f]{64}')
"$ACCORD" register found "$work/register.db" --hub-identity "$work/hub.key" --origin test.example/register --steward stella \
  --steward-key "$steward" > /dev/null
"$ACCORD" hub --data "$work" --listen 127.0.0.1:0 2> "$work/log" &
pid=$!
for _ in $(seq 50); do hub=$(grep -oE 'http://127[^" ]+' "$work/log" | head -n 1) && [ -n "$hub" ] && break; sleep 0.1; done
"$ACCORD" body add acme --name 'Acme <b>& Sons</b>' --kind company --at "$hub" --identity "$work/steward" > /dev/null

fail() { echo "$*" >&2; exit 1; }
# Every board of the map has a tile and a row before the register knows any; then it is vacant, and one that the map lacks comes behind.
count() { grep -o "$1" "$work/boards" | wc -l; }
curl -s "$hub/boards" > "$work/boards"
[ "$(count '<li class="accord-tile accord-tile--absent ')" = 36 ] || fail "$(count '<li class="accord-tile') tiles of boards instead of 36"
[ "$(count '<strong class="nhsuk-tag nhsuk-tag--grey">not here yet')" = 36 ] || fail "the table has not the 36 boards of the map"
for href in $(grep -oE 'href="#board-[^"]*"' "$work/boards" | sed 's/.*#\(.*\)"/\1/'); do
  [ "$(count "id=\"$href\"")" = 1 ] || fail "a tile leads nowhere: $href"
done
"$ACCORD" body add kent --name 'NHS Kent & Medway' --kind icb --ods QKS --at "$hub" --identity "$work/steward" > /dev/null
"$ACCORD" body add atlantis --name 'NHS Atlantis' --kind icb --at "$hub" --identity "$work/steward" > /dev/null
"$ACCORD" body add old --name 'NHS That Was' --kind icb --from 2022-07-01 --to 2026-03-31 --at "$hub" --identity "$work/steward" > /dev/null
curl -s "$hub/boards" > "$work/boards"
[ "$(count '<li class="accord-tile accord-tile--absent ')" = 35 ] || fail "Kent is here, and 35 are not"
[ "$(count '<strong class="nhsuk-tag nhsuk-tag--yellow">vacant')" = 2 ] || fail "two boards without a lead are vacant"
grep -q '<li class="accord-tile accord-tile--vacant accord-column-6 accord-row-8"><a href="/bodies/kent"><strong>Kent</strong> vacant' "$work/boards" || fail "the tile of Kent"
grep -q 'accord-column-0 accord-row-0"><a href="/bodies/atlantis">' "$work/boards" || fail "a board that the map does not know"
grep -q 'Of 37 boards, 0 have a lead, 2 are vacant and 35 are not here yet' "$work/boards" || fail "the sum over the boards"
! grep -q 'That Was' "$work/boards" || fail "a board that ended in March 2026"
menu=$(curl -s "$hub/" | grep -oE '<li><a href="[^"]*"' | sed 's/.*"\(.*\)"/\1/')
[ "$(wc -w <<< "$menu")" -ge 8 ] || fail "the menu is too short: $menu"
for path in $menu /bodies/acme /transfers /measures /log/0; do
  code=$(curl -s -o "$work/page" -D "$work/head" -w '%{http_code}' "$hub$path")
  [ "$code" = 200 ] || fail "$path: $code"
  grep -q '<h1>' "$work/page" || fail "$path: no heading"
  grep -qi '^content-type: text/html' "$work/head" || fail "$path: not HTML"
  grep -qi "^content-security-policy: default-src 'none'; script-src 'self'" "$work/head" || fail "$path: policy"
  ! grep -qi 'unsafe-' "$work/head" || fail "$path: an unsafe policy"
  ! grep -qE '<script>|<style|style=|onclick|(src|href)="(https?:)?//' "$work/page" || fail "$path: inline code, or another host"
done
curl -s "$hub/bodies/acme" | grep -q 'Acme &lt;b&gt;&amp; Sons&lt;/b&gt;' || fail "the text of a body became markup"
cmp <(curl -s "$hub/bodies/acme") <(curl -s --compressed "$hub/bodies/acme") || fail "a compressed page differs"

# A browser reads of what is not there on a page with the menu; a program gets the problem as data.
for path in /nowhere /bodies/nobody '/projects?page=99' /log/999999 /uses/x; do
  curl -s -D "$work/head" -H 'Accept: text/html,application/xhtml+xml;q=0.9' "$hub$path" > "$work/page"
  grep -q '^HTTP/1.1 404' "$work/head" && grep -qi '^content-type: text/html' "$work/head" && grep -qi "^content-security-policy: default-src 'none'" "$work/head" ||
    fail "$path: $(cat "$work/head")"
  grep -q '<h1>Page not found</h1>' "$work/page" && grep -q 'href="/projects"' "$work/page" || fail "$path: $(cat "$work/page")"
  curl -s "$hub$path" | jq -e '.status == 404 and .code == "NOT_FOUND"' > /dev/null || fail "$path: not a problem document"
done
[ "$(curl -s -o "$work/page" -w '%{http_code}' -H 'Accept: text/html' "$hub/projects?page=x")" = 400 ] && grep -q '<h1>This did not work</h1>' "$work/page" || fail "a wrong page number: $(cat "$work/page")"
curl -s -H 'Accept: text/html' "$hub/api/v1/register/body/nobody" | jq -e '.status == 404' > /dev/null || fail "the API answers with a page"
curl -s -D "$work/head" -o "$work/page" -H 'Accept-Encoding: gzip' "$hub/bodies/acme"
grep -qi '^content-encoding: gzip' "$work/head" || fail "a page does not go compressed"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$hub/bodies/nobody")" = 404 ] || fail "a body that is not there"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$hub/nonsense")" = 404 ] || fail "a page that is not there"
for file in app.js app.css; do
  etag=$(curl -sI "$hub/assets/$file" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
  [ -n "$etag" ] || fail "$file: no ETag"
  [ "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $etag" "$hub/assets/$file")" = 304 ] || fail "$file: not 304"
  cmp <(curl -s "$hub/assets/$file") <(curl -s --compressed "$hub/assets/$file") || fail "$file: gzip differs"
  ! curl -s "$hub/assets/$file" | grep -oE 'url\((https?:)?//[^)]*' || fail "$file: another host"
done
