#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the packages of packages.apt that are missing (Debian 12; as root or with sudo).
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=$(grep -v '^#' packages.apt)
missing=()
for entry in $wanted; do
  package=${entry%%:*}
  [ "$entry" != "$package" ] && command -v "${entry#*:}" > /dev/null && continue
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || { echo "deps: missing ${missing[*]}; install them as root (apt-get install)" >&2; exit 1; }
  as_root=(sudo)
fi
echo "deps: installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } > "$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "deps: the packages could not be installed; is the network there?" >&2
  exit 1
fi
