#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every unit test under valgrind: no invalid access, no definite leak. About 15 minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset dev --log-level=WARNING > /dev/null
cmake --build build/dev -j "$(nproc)"
one() {
  log=$(mktemp)
  if valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99 "$1" > "$log" 2>&1; then
    echo "clean   $(basename "$1")"
  else
    echo "FAULTY  $(basename "$1")"
    tail -n 30 "$log"
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
export -f one
find build/dev/tests -maxdepth 1 -type f -executable -name '*_test_*' ${VALGRIND_ONLY:+-name "$VALGRIND_ONLY"} | sort |
  xargs -P "$(nproc)" -I{} bash -c 'one {}'
