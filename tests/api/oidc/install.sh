#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts the real OpenID provider and its npm packages into a folder that tests share; says which. Fails where the registry cannot be reached.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
modules=${ACCORD_CACHE:-$here/../../../build}/oidc-provider
mkdir -p "$modules"
exec 9> "$modules/.lock"
flock 9
cp "$here"/{package.json,package-lock.json,provider.mjs} "$modules/"
cd "$modules"
[ -d node_modules/oidc-provider ] || timeout 120 npm ci --ignore-scripts --no-audit --no-fund >&2
printf '%s\n' "$modules"
