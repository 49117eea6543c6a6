#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The node's own pages: nobody in without an account, a change only with the session's token, no held number for an account that is
# not a checker's, hostile requests refused, and text that stays text.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
. "$SOURCE/tests/lib/totp.sh"
grid_make 3 300
GRID_NODE_LISTEN=127.0.0.1:0
grid_up 3
jq '.title = "Counts <script>alert(1)</script>"' "$GRID/study.json" > "$GRID/named.json" && mv "$GRID/named.json" "$GRID/study.json"
grid_submit r1 a1
grid_wait r1 held 30

node=$(grep -o '"url":"[^"]*"' "$GRID/node0.log" | cut -d'"' -f4)
[ -n "$node" ] || fail "the node says no address"
password='a long walk home'
account() { a node account add "$1" --data "$GRID/node0" --role "$2" --key "$GRID/keys/$3" --format csv <<< "$password" | tail -n 1 | cut -d, -f3; }
checker_secret=$(account chris checker chris)
controller_secret=$(account cora controller cora)
other_secret=$(account ada 'checker|controller' ada)
a node account add mallory --data "$GRID/node0" --role owner <<< "$password" > /dev/null 2>&1 && fail "a role that is none"

# visit STATUS METHOD PATH [curl options]: the answer's body is in $GRID/page
visit() {
  local expected=$1 method=$2 path=$3 code; shift 3
  code=$(curl -s -o "$GRID/page" -D "$GRID/head" -w '%{http_code}' -X "$method" "$@" "$node$path")
  [ "$code" = "$expected" ] || { head -c 2000 "$GRID/page" >&2; fail "$method $path: $code, expected $expected"; }
  ! grep -q '<script' "$GRID/page" || fail "$path: a script"
  [ "$code" = 303 ] || grep -qi "^content-security-policy: default-src 'none'" "$GRID/head" || fail "$path: no policy"
}
sign_in() { # account, secret: leaves the cookie in $cookie
  visit 303 POST /sign-in --data-urlencode "person=$1" --data-urlencode "password=$password" -d "code=$(one_time_code "$2")"
  cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: \(accord_node_[0-9a-f]*=[0-9a-f]*\);.*/\1/p' "$GRID/head")
  grep -qi '^set-cookie: .*HttpOnly; SameSite=Strict' "$GRID/head" || fail "the cookie: $(grep -i cookie "$GRID/head")"
  visit 200 GET / -H "Cookie: $cookie"
  csrf=$(grep -o 'name="csrf" value="[0-9a-f]*"' "$GRID/page" | head -n 1 | cut -d'"' -f4)
}

# --- nobody in without an account -------------------------------------------------------------------------
for path in / /runs/r1 /outputs/r1 /outputs/r1/pictures/x /stop; do visit 303 GET "$path"; done
for path in /runs/r1/admit /runs/r1/refuse /outputs/r1/approve /outputs/r1/return /stop /resume; do visit 303 POST "$path" -d reason=x; done
visit 401 POST /sign-in -d "person=chris&password=wrong+password+here&code=000000"
visit 401 POST /sign-in -d "person=nobody&password=x&code=1"
visit 400 POST /sign-in -H 'Content-Type: application/json' -d '{}'
visit 422 POST /sign-in -d "person=$(printf 'x%.0s' {1..80})"
visit 400 POST /sign-in -d 'person=%zz'
visit 400 POST /sign-in -d 'person=a&person=b'
visit 404 GET /nonsense
visit 404 PUT /stop
[ "$(curl -s -o /dev/null -w '%{http_code}' -d "$(head -c 70000 /dev/zero | tr '\0' x)" "$node/sign-in")" = 413 ] || fail "a form of 70 kB"

# --- a controller opens no output and a checker stops nothing --------------------------------------------
sign_in cora "$controller_secret"
visit 403 GET /outputs/r1 -H "Cookie: $cookie"
visit 403 GET /outputs/r1/pictures/x -H "Cookie: $cookie"
visit 403 POST /outputs/r1/approve -H "Cookie: $cookie" -d "csrf=$csrf"
visit 200 GET /runs/r1 -H "Cookie: $cookie"
grep -q '&lt;script&gt;alert(1)' "$GRID/page" || fail "the study's title became markup"
visit 403 POST /stop -H "Cookie: $cookie" -d "reason=x"
visit 403 POST /stop -H "Cookie: $cookie" -d "csrf=${csrf//[0-9]/0}&reason=x"
visit 422 POST /stop -H "Cookie: $cookie" -d "csrf=$csrf&reason=+"
visit 409 POST /runs/r1/admit -H "Cookie: $cookie" -d "csrf=$csrf"
visit 404 POST /runs/none/admit -H "Cookie: $cookie" -d "csrf=$csrf"
sign_in chris "$checker_secret"
visit 403 POST /stop -H "Cookie: $cookie" -d "csrf=$csrf&reason=x"
visit 404 GET "/outputs/..%2f..%2fnode.key" -H "Cookie: $cookie"
visit 404 GET /outputs/none -H "Cookie: $cookie"
visit 200 GET /outputs/r1 -H "Cookie: $cookie"
grep -q 'Requester will see' "$GRID/page" || fail "no table beside what the requester will see"
grep -q '&lt;script&gt;alert(1)' "$GRID/page" || fail "the output's title became markup"

# --- a party may not check; one person counts once --------------------------------------------------------
visit 303 POST /outputs/r1/approve -H "Cookie: $cookie" -d "csrf=$csrf"
visit 303 POST /outputs/r1/approve -H "Cookie: $cookie" -d "csrf=$csrf"
[ "$(grid_state r1)" = held ] || fail "one person's two approvals released it"
sign_in ada "$other_secret"
visit 403 POST /outputs/r1/approve -H "Cookie: $cookie" -d "csrf=$csrf"
grep -q 'That was not done' "$GRID/page" || fail "the refusal is not shown on the page"
[ "$(grid_state r1)" = held ] || fail "a party's approval counted"

# --- stop everything; the end of an account -----------------------------------------------------------------
visit 303 POST /stop -H "Cookie: $cookie" -d "csrf=$csrf" --data-urlencode 'reason=A <b>test</b>'
grid_wait r1 failed 10
visit 200 GET /stop -H "Cookie: $cookie"
grep -q 'A &lt;b&gt;test&lt;/b&gt;' "$GRID/page" || fail "the reason became markup"
grid_submit r2 a1
for ((n = 0; n < 100; n++)); do grep -q '"rule":"halted"' "$GRID/node0.log" && break; sleep 0.1; done
grep -q '"rule":"halted"' "$GRID/node0.log" || fail "a run that came later was not refused"
visit 303 POST /resume -H "Cookie: $cookie" -d "csrf=$csrf"
a node account remove ada --data "$GRID/node0" --quiet || fail "remove"
visit 303 GET / -H "Cookie: $cookie"
visit 303 GET /outputs/r1 -H "Cookie: $cookie"
echo "the node's pages: sessions, tokens, roles, verdicts, hostile forms, stop and resume"
