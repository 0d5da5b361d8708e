#!/usr/bin/env bash
# Lists what is not formatted as .clang-format says. Exit code 77, ctest's "skipped", without clang-format 14: other versions differ.
#
# Usage: tests/architecture/format.sh [--fix]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v clang-format >/dev/null && [[ "$(clang-format --version)" == *" 14."* ]] || { echo "clang-format 14 is not here"; exit 77; }
mapfile -t files < <(git ls-files '*.cc' '*.h')
[[ ${#files[@]} -gt 0 ]] || { echo "no git checkout"; exit 77; }
[[ "${1:-}" != --fix ]] || exec clang-format -i "${files[@]}"
clang-format --dry-run --Werror "${files[@]}" || { echo "tests/architecture/format.sh --fix formats it"; exit 1; }
