#!/usr/bin/env bash
# Judges the vectors with the printed JSON Schemas, by ajv (a pinned version from npm).
#
# Usage: json_schema_test.sh DEFINITION_TOOL CACHE_DIR
# Exit code 77, ctest's "skipped", when ajv is not in CACHE_DIR and cannot be fetched.
set -euo pipefail
tool="$1" cache_dir="$2"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
version=8.17.1

command -v node >/dev/null || { echo "skipped: node is not installed"; exit 77; }
if [[ ! -d "$cache_dir/$version/node_modules/ajv" ]]; then
  command -v npm >/dev/null || { echo "skipped: npm is not installed"; exit 77; }
  # A cached npm answer is as good; a silent registry must not hold up the tests.
  npm install --prefix "$cache_dir/$version" --no-save --no-audit --no-fund --prefer-offline \
    --fetch-retries=1 --fetch-timeout=60000 "ajv@$version" || { echo "skipped: npm cannot fetch ajv"; exit 77; }
fi
NODE_PATH="$cache_dir/$version/node_modules" node "$here/json_schema_test.cjs" "$tool"
