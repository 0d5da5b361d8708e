#!/usr/bin/env bash
# What is too long for every change: sanitizers, clang-tidy, fuzzing, two hours of chaos, the benchmark. Goes on after a step that fails, and
# ends with a line for each; exit code 0 only if all passed. Wants a machine with nothing else to do.
#
# Usage: tests/long-run.sh [STEP]...      (default: asan tidy fuzz chaos benchmark)
#   -h, --help  print this
#
# Environment: FUZZ_SECONDS (a target, default 3600), CHAOS_SECONDS (default 7200), JOBS.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

run_asan() { tests/run.sh --asan; }
run_tidy() { tests/run.sh --tidy; }
run_fuzz() { tests/fuzz/run.sh --seconds "${FUZZ_SECONDS:-3600}"; }
run_chaos() {
  tests/run.sh --list >/dev/null && cmake --build build/release --target chaos &&
    build/release/tests/integration/chaos/chaos --seconds "${CHAOS_SECONDS:-7200}"
}
run_benchmark() { tests/benchmark/run.sh; }

steps=()
for step in "$@"; do
  case "$step" in
    asan | tidy | fuzz | chaos | benchmark) steps+=("$step") ;;
    -h | --help) usage; exit 0 ;;
    *) echo "tests/long-run.sh: unknown step '$step'" >&2; usage >&2; exit 2 ;;
  esac
done
[[ ${#steps[@]} -gt 0 ]] || steps=(asan tidy fuzz chaos benchmark)

results=()
failed=0
for step in "${steps[@]}"; do
  printf '\n##### %s\n' "$step"
  begin=$SECONDS
  if "run_$step"; then result=passed; else result=FAILED failed=1; fi
  results+=("$(printf '%-10s %-6s %6d s' "$step" "$result" $((SECONDS - begin)))")
done
printf '\n'
printf '%s\n' "${results[@]}"
exit "$failed"
