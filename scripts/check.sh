#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The checks that need no test run: format, layers, one door per library, licence lines, static analysis.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/layers.sh
missing=$(git ls-files '*.[ch]' '*.sh' '*.ts' '*.tsx' 'CMakeLists.txt' '*.cmake' | xargs -r grep -L 'SPDX-License-Identifier: Apache-2.0' || true)
[ -z "$missing" ] || { echo "check: no SPDX line in: $missing" >&2; exit 1; }
git ls-files '*.[ch]' | xargs clang-format-14 --dry-run --Werror
cmake --preset release --log-level=WARNING > /dev/null
git ls-files 'src/*.c' | xargs -P "$(nproc)" -n 6 clang-tidy-14 --quiet -p build/release 2> /dev/null
echo "check: format, layers, licences and static analysis are clean"
