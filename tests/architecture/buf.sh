#!/usr/bin/env bash
# Prints the path of `buf` (a pinned version from npm), and fetches it first if need be: buf.sh CACHE_DIR.
# Exit code 77, ctest's "skipped", when it cannot be fetched.
set -euo pipefail
version=1.75.0
buf="$1/$version/node_modules/.bin/buf"
if [[ ! -x "$buf" ]]; then
  command -v npm >/dev/null || { echo "skipped: npm is not installed" >&2; exit 77; }
  # A cached npm answer is as good; a silent registry must not hold up the tests.
  npm install --prefix "$1/$version" --no-save --no-audit --no-fund --prefer-offline \
    --fetch-retries=1 --fetch-timeout=60000 "@bufbuild/buf@$version" >&2 || { echo "skipped: npm cannot fetch buf" >&2; exit 77; }
fi
echo "$buf"
