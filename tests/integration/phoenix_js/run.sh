#!/usr/bin/env bash
# Runs the official Phoenix JavaScript client as a plugin against a development hub.
#
# Usage: run.sh HUB_BINARY WORK_DIR
# Exit code 77, ctest's "skipped", when the client is not in WORK_DIR and cannot be fetched.
set -euo pipefail
source_dir="$(cd "$(dirname "$0")" && pwd)" hub="$1" work_dir="$2"

"$source_dir/install.sh" "$work_dir"
cp "$source_dir"/*.mjs "$work_dir"
cd "$work_dir"
DEVHUB="$hub" exec node --test phoenix_client_test.mjs
