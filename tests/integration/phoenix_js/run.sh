#!/usr/bin/env bash
# Runs the official Phoenix JavaScript client as a plugin against a development hub.
#
# Usage: run.sh HUB_BINARY WORK_DIR
# Exit code 77, ctest's "skipped", when the client is not in WORK_DIR and cannot be fetched.
set -euo pipefail
source_dir="$(cd "$(dirname "$0")" && pwd)" hub="$1" work_dir="$2"

command -v npm >/dev/null || { echo "skipped: npm is not installed"; exit 77; }
mkdir -p "$work_dir"
# The lock file of the last complete installation tells whether it is still the right one.
if ! cmp -s "$source_dir/package-lock.json" "$work_dir/installed-lock.json"; then
  cp "$source_dir/package.json" "$source_dir/package-lock.json" "$work_dir"
  npm ci --prefix "$work_dir" --ignore-scripts --no-audit --no-fund --prefer-offline \
    --fetch-retries=1 --fetch-timeout=60000 || { echo "skipped: npm cannot fetch the client"; exit 77; }
  cp "$source_dir/package-lock.json" "$work_dir/installed-lock.json"
fi
cp "$source_dir"/*.mjs "$work_dir"
cd "$work_dir"
DEVHUB="$hub" exec node --test phoenix_client_test.mjs
