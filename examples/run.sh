#!/usr/bin/env bash
# Shows everything at work: installs and builds what is missing, starts the embedded hub with the bridge, a PostgreSQL and the
# three example plugins, makes a call of every kind, and tells what came back. Ends with 0 only if all of it is as it should be.
#
# Usage: examples/run.sh [--no-build]
#   --no-build   take what is in BUILD_DIR, and install nothing
#
# Environment: BUILD_DIR (default build/release, shared with tests/run.sh), JOBS (default: the number of processors).
# Nothing of it stays behind but the build folder. Needs no account, and no network but for the installation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { printf '\n=== %s (%d s)\n' "$1" "$SECONDS"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

build=true
case "${1:-}" in
  '') ;;
  --no-build) build=false ;;
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
  *) fail "unknown option '$1': see --help" ;;
esac
build_dir="${BUILD_DIR:-build/release}"

if $build; then
  step "Installing what is missing"
  cmake/install-dependencies.sh build examples
  step "Building in $build_dir"
  cmake --preset release -B "$build_dir" --log-level=WARNING >/dev/null
  NINJA_STATUS="  [%f/%t %es] " cmake --build "$build_dir" --parallel "${JOBS:-$(nproc)}" \
    --target atomemo-bridge weather credentials
fi
bridge="$(find "$build_dir/bridge" -name atomemo-bridge -type f)"
[[ -x "$bridge" ]] || fail "there is no atomemo-bridge in $build_dir: run without --no-build"

# ---- Processes: all are children of this script, write to a log of their own, and end with it.

work="$(mktemp -d /tmp/atomemo-examples.XXXXXX)"
pids=()
start() {
  local name="$1"
  shift
  "$@" >"$work/$name.log" 2>&1 &
  pids+=($!)
  echo "  $name (pid $!)"
}

cleanup() {
  local status=$?
  trap - EXIT INT TERM
  if [[ $status -ne 0 ]]; then
    for log in "$work"/*.log; do
      [[ ! -s "$log" ]] || { printf '\n--- the end of %s\n' "${log##*/}"; tail -n 15 "$log"; }
    done
  fi
  [[ ${#pids[@]} -eq 0 ]] || kill "${pids[@]}" 2>/dev/null || true
  wait
  stop_postgres
  rm -rf "$work"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# wait_for WHAT COMMAND...: until the command succeeds, for 30 seconds at most.
wait_for() {
  local what="$1" deadline=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    [[ $SECONDS -lt $deadline ]] || fail "$what does not come up"
    sleep 0.1
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# ---- PostgreSQL: a cluster of its own, reached over a Unix socket only; never as root, which it refuses.

postgres_as() { if [[ $EUID -eq 0 ]]; then runuser -u postgres -- "$@"; else "$@"; fi; }
readonly db_password="example-$RANDOM$RANDOM"

start_postgres() {
  local bin
  bin="$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)"
  [[ -x "$bin/initdb" ]] || fail "PostgreSQL is not installed"
  pg_ctl="$bin/pg_ctl"
  db="$work/postgres"
  mkdir "$db"
  echo "$db_password" >"$db/password"
  [[ $EUID -ne 0 ]] || { chmod 0711 "$work"; chown -R postgres "$db"; }
  postgres_as "$bin/initdb" --pgdata "$db/data" --username example --pwfile "$db/password" --auth scram-sha-256 --no-sync \
    >"$work/initdb.log" 2>&1
  postgres_as "$pg_ctl" --pgdata "$db/data" --wait --silent --log "$db/server.log" \
    --options "-c listen_addresses='' -c unix_socket_directories='$db' -c fsync=off" start >"$work/pg_ctl.log" 2>&1
  echo "  postgres (socket in $db)"
}

stop_postgres() {
  [[ ! -e "${db:-}/data/postmaster.pid" ]] || postgres_as "$pg_ctl" --pgdata "$db/data" --mode immediate --silent stop || true
}

# ---- Calls

calls=0
# show_call PLUGIN EVENT JSON: makes the call and prints both directions; `answer` and `exit_code` are what came back.
show_call() {
  calls=$((calls + 1))
  printf '\n%2d. %s → %s\n    → %s\n' "$calls" "$2" "$1" "$3"
  exit_code=0
  answer="$("$bridge" call "$1" "$2" "$3" --hub "$hub" 2>&1)" || exit_code=$?
  printf '%s\n' "$answer" | sed 's/^/    ← /'
}

# expect_answer PATTERN CALL...: an answer without error, in which the pattern occurs.
expect_answer() {
  local pattern="$1"
  shift
  show_call "$@"
  [[ $exit_code -eq 0 ]] || fail "$2: expected an answer, got an error"
  grep -qE -- "$pattern" <<<"$answer" || fail "$2: expected /$pattern/ in the answer"
}

# expect_error PATTERN CALL...: an error, in which the pattern occurs.
expect_error() {
  local pattern="$1"
  shift
  show_call "$@"
  [[ $exit_code -ne 0 ]] || fail "$2: expected an error, got an answer"
  grep -qE -- "$pattern" <<<"$answer" || fail "$2: expected /$pattern/ in the error"
}
