#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. Cheap to run again: only what changed is built.
#
# Usage: tests/run.sh [--asan|--tidy] [-R REGEX] [--list]
#   --asan      build with AddressSanitizer and UBSan, and run the suite so
#   --tidy      build everything with Clang, its thread-safety analysis and clang-tidy; runs no test
#   -R REGEX    run only the tests whose name matches
#   --list      build, then list the tests instead of running them
#   -h, --help  print this
#
# Environment: BUILD_DIR (default build/<preset>), JOBS (default: the number of processors).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }
step() { printf '\n=== %s (%d s)\n' "$1" "$SECONDS"; }

preset=release
sections=(build test examples)
ctest_options=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    --asan) preset=asan ;;
    --tidy) preset=tidy sections+=(tidy) ;;
    -R) ctest_options+=(-R "${2:?-R needs a regular expression}"); shift ;;
    --list) ctest_options+=(-N) ;;
    -h | --help) usage; exit 0 ;;
    *) echo "tests/run.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
build_dir="${BUILD_DIR:-build/$preset}"
jobs="${JOBS:-$(nproc)}"

step "Installing what is missing"
cmake/install-dependencies.sh "${sections[@]}"

step "Configuring $build_dir"
cmake --preset "$preset" -B "$build_dir" --log-level=WARNING

step "Building with $jobs jobs"
NINJA_STATUS="[%f/%t %es] " cmake --build "$build_dir" --parallel "$jobs"
[[ "$preset" != tidy ]] || { step "Clean: Clang and clang-tidy found nothing"; exit 0; }

step "Running the tests"
# One after another where a test says so (RUN_SERIAL), otherwise as many as there are processors.
ctest --test-dir "$build_dir" --output-on-failure --no-tests=error --parallel "$jobs" "${ctest_options[@]}"
