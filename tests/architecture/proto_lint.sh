#!/usr/bin/env bash
# Runs `buf lint` (a pinned version from npm) over the contract.
#
# Usage: proto_lint.sh PROTO_DIR CACHE_DIR
# Exit code 77, ctest's "skipped", when buf is not in CACHE_DIR and cannot be fetched.
set -euo pipefail
proto_dir="$1" cache_dir="$2"
version=1.75.0
buf="$cache_dir/$version/node_modules/.bin/buf"

if [[ ! -x "$buf" ]]; then
  command -v npm >/dev/null || { echo "skipped: npm is not installed"; exit 77; }
  # A cached npm answer is as good; a silent registry must not hold up the tests.
  npm install --prefix "$cache_dir/$version" --no-save --no-audit --no-fund --prefer-offline \
    --fetch-retries=1 --fetch-timeout=60000 "@bufbuild/buf@$version" || { echo "skipped: npm cannot fetch buf"; exit 77; }
fi
cd "$proto_dir"
"$buf" lint
echo "buf lint: no findings"
