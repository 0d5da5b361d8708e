#!/usr/bin/env bash
# Builds libFuzzer's targets in build/fuzz and runs them, as many side by side as there are processors.
#
# Usage: tests/fuzz/run.sh [--seconds N] [--seed N] [TARGET]...      (default: 15 seconds each, all targets; `--seconds 3600` for an hour each)
#   --seed N    of what libFuzzer chooses by chance; the same inputs each time where the corpus is the same. 0, the default: another one each time
#   TARGET      answer, definition, frame, hub_call, hub_reply, journal, pattern or settings
#   -h, --help  print this
#
# What fails is left in build/fuzz/tests/fuzz/findings; run a target with such a file as its argument to see it again. What is learnt on
# the way is kept in build/fuzz/tests/fuzz/corpus for the next run. Environment: BUILD_DIR, JOBS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }
step() { printf '\n=== %s (%d s)\n' "$1" "$SECONDS"; }

seconds=15
seed=0
targets=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    --seconds) seconds="${2:?--seconds needs a number}"; shift ;;
    --seed) seed="${2:?--seed needs a number}"; shift ;;
    -h | --help) usage; exit 0 ;;
    -*) echo "tests/fuzz/run.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
build_dir="${BUILD_DIR:-build/fuzz}"
jobs="${JOBS:-$(nproc)}"
select=()
[[ ${#targets[@]} -eq 0 ]] || select=(-R "^fuzz\.($(IFS='|'; echo "${targets[*]}"))\$")

step "Installing what is missing"
cmake/install-dependencies.sh build fuzz

step "Configuring $build_dir"
cmake --preset fuzz -B "$build_dir" -DATOMEMO_FUZZ_SECONDS="$seconds" -DATOMEMO_FUZZ_SEED="$seed" --log-level=WARNING

step "Building with $jobs jobs"
NINJA_STATUS="[%f/%t %es] " cmake --build "$build_dir" --parallel "$jobs" --target fuzzers

step "Fuzzing for $seconds seconds a target"
ctest --test-dir "$build_dir" --output-on-failure --no-tests=error --parallel "$jobs" "${select[@]}"
