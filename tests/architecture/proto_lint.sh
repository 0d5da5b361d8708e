#!/usr/bin/env bash
# Runs `buf lint` over the contract.
#
# Usage: proto_lint.sh PROTO_DIR CACHE_DIR
# Exit code 77, ctest's "skipped", when buf is not in CACHE_DIR and cannot be fetched.
set -euo pipefail
buf="$("$(dirname "${BASH_SOURCE[0]}")/buf.sh" "$2")"
cd "$1"
"$buf" lint
echo "buf lint: no findings"
