#!/usr/bin/env bash
# examples/run.sh, stopped in the middle of its calls: it ends soon, and so do all the processes that it started.
#
# Usage: run_stops_test.sh SIGNAL STATUS     (BUILD_DIR and STUBS_DIR as for run.sh; exit code 77: cannot be run here)
set -euo pipefail
signal="$1" expected="$2"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
output="$(mktemp)"
fail() { echo "FAILED: $*" >&2; cat "$output" >&2; exit 1; }
trap 'rm -f "$output"' EXIT

# wait_until SECONDS COMMAND...
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [[ $SECONDS -lt $deadline ]] || return 1
    sleep 0.05
  done
}
ended() { ! kill -0 "$1" 2>/dev/null; }
called_or_ended() { grep -q '^ *1\. ' "$output" || ended "$run"; }
all_ended() { for pid in $(grep -oP '\(pid \K\d+' "$output"); do ended "$pid" || return 1; done; }

# A process that is started in the background of a script ignores SIGINT, unless it has a signal mask of its own.
set -m
"$root/examples/run.sh" --no-build >"$output" 2>&1 &
run=$!
set +m
wait_until 90 called_or_ended || fail "no call is made"
kill "-$signal" "$run" 2>/dev/null || true
wait_until 10 ended "$run" || fail "it goes on after SIG$signal"
status=0
wait "$run" || status=$?
[[ $status -ne 77 ]] || exit 77
[[ $status -eq $expected ]] || fail "it ended with $status instead of $expected"
wait_until 5 all_ended || fail "a process is left"
echo "SIG$signal: all processes have ended"
