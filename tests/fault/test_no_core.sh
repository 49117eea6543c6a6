#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A crash leaves no memory behind: keys and patients' rows are in no core file, whatever the machine's limit says.
set -uo pipefail
dir=$(mktemp -d "${TMPDIR:-/tmp}/accord-core-XXXXXX")
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
cd "$dir" || exit 1
ulimit -c unlimited 2> /dev/null || { echo "core files cannot be allowed here"; exit 77; }
# crash COMMAND...: what the shell says of its end by SIGABRT
crash() { rm -f out err; bash -c '"$@" > out 2> err & pid=$!; for i in {1..400}; do [ -s out ] || [ -s err ] && break; sleep 0.05; done; kill -ABRT $pid; wait $pid' - "$@" 2>&1; }
said=$(crash sh -c 'echo ready; exec sleep 30')
grep -q 'core dumped' <<< "$said" || { echo "no program leaves a core file here"; exit 77; }
"$ACCORD" key new stella --quiet > /dev/null
mkdir hub && "$ACCORD" register found hub/register.db --hub-identity hub/hub.key --origin test.example/register --steward stella \
  --steward-key "$("$ACCORD" key show stella --format csv | tail -n 1)" --quiet
said=$(crash "$ACCORD" hub --data hub --listen 127.0.0.1:0)
grep -q '"event":"hub.serving"' err || fail "the hub did not start: $(cat err)"
grep -q 'Aborted' <<< "$said" || fail "the hub was not ended by the signal: $said"
grep -q 'core dumped' <<< "$said" && fail "the hub left a core file"
echo "a crash leaves no core file"
