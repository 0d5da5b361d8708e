#!/usr/bin/env bash
# Fetches the official Phoenix JavaScript client, as the lock file names it.
#
# Usage: install.sh WORK_DIR
# Exit code 77, ctest's "skipped", when it is not in WORK_DIR yet and cannot be fetched.
set -euo pipefail
source_dir="$(cd "$(dirname "$0")" && pwd)" work_dir="$1"

command -v npm >/dev/null || { echo "skipped: npm is not installed"; exit 77; }
mkdir -p "$work_dir"
# The lock file of the last complete installation tells whether it is still the right one.
! cmp -s "$source_dir/package-lock.json" "$work_dir/installed-lock.json" || exit 0
cp "$source_dir/package.json" "$source_dir/package-lock.json" "$work_dir"
npm ci --prefix "$work_dir" --ignore-scripts --no-audit --no-fund --prefer-offline \
  --fetch-retries=1 --fetch-timeout=60000 || { echo "skipped: npm cannot fetch the client"; exit 77; }
cp "$source_dir/package-lock.json" "$work_dir/installed-lock.json"
