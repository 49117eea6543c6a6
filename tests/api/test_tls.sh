#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TLS: a hub with a certificate, a node that trusts its authority and one that does not, old protocols, wrong files.
set -uo pipefail
. "$SOURCE/tests/lib/grid.sh"
mkdir -p "$GRID/keys" "$GRID/hub"
a key new "$GRID/keys/steward" --quiet > /dev/null
a register found "$GRID/hub/register.db" --hub-identity "$GRID/hub/hub.key" --origin test.example/register --steward stella \
  --steward-key "$(key steward)" --quiet
act steward body add T0 --name 'A trust' --kind trust
act steward node invite n0 --body T0 --until "$GRID_UNTIL" --token-hash "$(printf token0 | sha256sum | cut -d' ' -f1)"
cert() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -addext "subjectAltName=IP:127.0.0.1" \
  -keyout "$GRID/$1.key" -out "$GRID/$1.pem" 2> /dev/null; }
cert hub; cert other
cp -r "$GRID/hub" "$GRID/second" # for a hub that must not start

"$ACCORD" hub --data "$GRID/hub" --listen 127.0.0.1:0 --tls-cert "$GRID/hub.pem" --tls-key "$GRID/hub.key" > "$GRID/hub.log" 2>&1 &
GRID_PID[hub]=$!
for n in $(seq 100); do url=$(grep -so '"url":"[^"]*"' "$GRID/hub.log" | cut -d'"' -f4); [ -n "$url" ] && break; sleep 0.05; done
[ "${url%%:*}" = https ] || fail "the hub does not say that it serves https: $url"
curl -sf --cacert "$GRID/hub.pem" "$url/api/v1/hub" | jq -e .key > /dev/null || fail "no answer over TLS"
curl -s --cacert "$GRID/other.pem" "$url/api/v1/hub" && fail "another authority's certificate was enough"
curl -s --cacert "$GRID/hub.pem" --tls-max 1.1 "$url/api/v1/hub" && fail "TLS 1.1 was spoken"
curl -s "http://${url#https://}/api/v1/hub" | grep -q key && fail "plain HTTP on the TLS port"

a node init --data "$GRID/node0" --quiet > /dev/null
enrol() { a node enrol --data "$GRID/node0" --hub "$1" --name n0 --token-file - --quiet "${@:2}" <<< token0 > /dev/null 2> "$GRID/said"; }
enrol "$url" && fail "enrolled at a hub whose certificate nobody vouches for"
grep -qi certificate "$GRID/said" || fail "the error does not speak of the certificate: $(cat "$GRID/said")"
enrol "$url" --ca "$GRID/hub.pem" --hub-key 'x+00000000+AAAA' && fail "enrolled at a hub of another key"
enrol "http://hub.example.nhs.uk" && fail "plain HTTP to another machine"
enrol "$url" --ca "$GRID/hub.pem" || fail "enrolment over TLS: $(cat "$GRID/said")"
enrol "$url" --ca "$GRID/hub.pem" || fail "enrolling again is harmless: $(cat "$GRID/said")"
a node status --data "$GRID/node0" | grep -q 'T0' || fail "the node does not know its body"

a hub --data "$GRID/second" --listen 127.0.0.1:0 --tls-cert "$GRID/hub.pem" 2> "$GRID/said" && fail "a certificate without its key"
a hub --data "$GRID/second" --listen 127.0.0.1:0 --tls-cert "$GRID/hub.pem" --tls-key "$GRID/none" 2> "$GRID/said" && fail "a key that is not there"
a hub --data "$GRID/second" --listen 127.0.0.1:0 --tls-cert "$GRID/hub.log" --tls-key "$GRID/hub.key" 2> "$GRID/said" && fail "a certificate that is none"
grep -qi certificate "$GRID/said" || fail "the error does not speak of the certificate: $(cat "$GRID/said")"
echo "TLS: a hub with a certificate, pinned authority, no old protocols"
