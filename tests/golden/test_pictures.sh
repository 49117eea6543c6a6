#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every kind of picture as `accord disclose release` and `draw` write it, byte for byte as looked at and kept in pictures/ (after a
# change that is meant: UPDATE=1, and look at each again); and what holds for every picture: XML, nothing but shapes and text, no number
# of anybody who is hidden.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
fail() { echo "test_pictures: $*" >&2; exit 1; }
kept=$SOURCE/tests/golden/pictures
result=$kept/result.json

"$ACCORD" disclose release "$result" -o "$here/out"
"$ACCORD" disclose draw "$here/out/released.json" --output "$here/wide" --source "Breathing well in Cornwall" --result copd-1 --date 2026-11-23 > /dev/null
"$ACCORD" disclose draw "$here/out/released.json" --output "$here/narrow" --narrow > /dev/null
want=$(jq -r '.tables[] | select(.picture != "none") | .name' "$result" | sort)
[ "$(cd "$here/out" && ls -- *.svg | sed 's/\.svg$//')" = "$want" ] || fail "release wrote other pictures than the tables with one"
[ "$(cd "$here/narrow" && ls | sed 's/\.narrow\.svg$//')" = "$want" ] || fail "draw wrote other narrow pictures"

if [ -n "${UPDATE:-}" ]; then
  rm -f "$kept"/*.svg
  cp "$here"/wide/*.svg "$here"/narrow/{km_curve,practices_ratios,lines,hr_ratios,by_ethnicity_deprivation,rate}.narrow.svg "$kept"
fi
for file in "$kept"/*.svg; do
  name=$(basename "$file") folder=wide
  [[ $name != *.narrow.svg ]] || folder=narrow
  cmp -s "$here/$folder/$name" "$file" || fail "$name is not the picture that was looked at (diff $here/$folder/$name $file; UPDATE=1)"
done
[ "$(ls "$kept"/*.svg | grep -vc narrow)" = "$(wc -l <<< "$want")" ] || fail "a kind has no kept picture"

# No raw count that is hidden or was rounded is anywhere in a picture.
secret=$(jq -r '.tables[] | select(.type == "count" and .unit == "persons") | .cells[].persons | select(. % 5 != 0)' "$result" | sort -un)
[ "$(wc -l <<< "$secret")" -ge 40 ] || fail "the test's own table has too few raw counts"
for file in "$here"/wide/*.svg "$here"/narrow/*.svg; do
  if command -v xmllint > /dev/null; then xmllint --noout "$file" || fail "$file is no XML"; fi
  ! grep -qiE '<(script|style|image|use|a|foreignObject|animate|set)[ >]|(style|href|on[a-z]+) *=|url\([^#]|@import|<!' "$file" || fail "$file has more than shapes and text"
  grep -q 'role="img"' "$file" && grep -qE '<title id="title">[^<]+</title><desc id="desc">[^<]{20,}</desc>' "$file" || fail "$file does not say what it shows"
  ! grep -oE 'font-size="[0-9.]+"' "$file" | tr -dc '0-9.\n' | awk '$1 < 12 { bad = 1 } END { exit !bad }' || fail "$file has text under 12 pixels"
  { grep -oE '>[^<]*</(text|desc)>' "$file" | grep -oE '[0-9][0-9,]*(\.[0-9]+)?' | tr -d ,; } > "$here/numbers"
  case $file in */attrition*|*/by_*|*/lines*|*km_curve*)
    leak=$(grep -xFf <(awk '$1 > 40' <<< "$secret") "$here/numbers" || true)
    [ -z "$leak" ] || fail "$(basename "$file") shows raw counts: $(tr '\n' ' ' <<< "$leak")";;
  esac
done
hidden=$(jq '[.tables[] | select(.picture != "none") | .cells[] | select(.hidden)] | length' "$here/out/released.json")
[ "$hidden" -ge 30 ] || fail "the test's own result hides too little"
for name in attrition by_sex_age by_ethnicity_deprivation by_site rate practices_ratios hr_ratios balance lines spc checks_series; do
  grep -qF 'url(#hidden)" stroke' "$here/wide/$name.svg" && grep -qF 'It is not zero.' "$here/wide/$name.svg" || fail "$name does not draw what is suppressed"
done
grep -qF 'Dashed: steps' "$here/wide/km_curve.svg" || fail "the curve does not say what is merged"

# A curve of which no step may be shown has its whole frame, and says so.
jq '(.tables[] | select(.name == "km_curve") | .cells[]) |= (.denominator = 5 | .numerator = 0 | .persons = 5)' "$result" > "$here/few.json"
"$ACCORD" disclose release "$here/few.json" -o "$here/few"
grep -q '>100%<' "$here/few/km_curve.svg" && grep -q '>0%<' "$here/few/km_curve.svg" && ! grep -qE '>(1[2-9]0|200)%<' "$here/few/km_curve.svg" ||
  fail "an empty curve's axis is not from 0% to 100%"
grep -q 'no step of the curve may be shown' "$here/few/km_curve.svg" || fail "an empty curve does not say why"

# Wrong kinds are told, and a document that was changed is not drawn.
jq '.tables[0].picture = "funel"' "$result" > "$here/kind.json"
got=$("$ACCORD" disclose release "$here/kind.json" 2>&1) && fail "an unknown kind is taken"
grep -qF "\$.tables[0].picture: 'funel' is no kind of picture" <<< "$got" || fail "an unknown kind: $got"
sed 's/"value":41885/"value":41890/' "$here/out/released.json" > "$here/changed.json"
cmp -s "$here/out/released.json" "$here/changed.json" && fail "nothing was changed"
! "$ACCORD" disclose draw "$here/changed.json" --output "$here/x" 2> "$here/error" || fail "a changed document is drawn"
grep -qF 'not those of this record' "$here/error" || fail "a changed document: $(cat "$here/error")"
# A table that is not what its kind needs is drawn by its shape.
jq '.tables |= map(select(.name == "by_sex_age") | .picture = "funnel")' "$result" > "$here/shape.json"
"$ACCORD" disclose release "$here/shape.json" -o "$here/shape"
grep -qF '<desc id="desc">A pyramid' "$here/shape/by_sex_age.svg" || fail "a kind that does not fit is not drawn by its shape"
