#!/usr/bin/env bash
# Builds the images, runs compose.yaml for real, makes calls through it, and checks what the containers may not do.
#
# Usage: docker/test.sh [--keep]
#   --keep   leave the containers running at the end (and the private daemon, if there is one)
#
# Uses the Docker that answers. Where none does, and this is root on Debian: installs docker.io, and starts a daemon of its own in
# $ATOMEMO_DOCKER_DIR (default /var/tmp/atomemo-docker), whose images are kept so that the next run is quick.
# Where debian:bookworm-slim cannot be pulled, mmdebstrap makes one from Debian's packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source docker/private-daemon.sh

keep=false
case "${1:-}" in
  '') ;;
  --keep) keep=true ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' docker/test.sh; exit 2 ;;
esac
readonly project=atomemo-test
compose_files=(-f docker/compose.yaml)

step() { printf '\n=== %s (%d s)\n' "$1" "$SECONDS"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
passed=0
pass() { passed=$((passed + 1)); echo "  ok: $*"; }

compose() { "${compose_command[@]}" -p "$project" "${compose_files[@]}" "$@"; }
container() { compose ps -q "$1"; }

cleanup() {
  local status=$?
  trap - EXIT
  if [[ $status -ne 0 && -n "${compose_command:-}" ]]; then
    compose logs --tail=40 2>/dev/null || true
  fi
  if ! $keep; then
    [[ -z "${compose_command:-}" ]] || compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    stop_private_daemon
  fi
  exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Makes one call through the containers; prints the answer on one line.
call() { "$docker" exec "$(container hub)" atomemo-bridge call --raw "$@"; }

# Repeats a call until it is answered: plugins connect in their own time.
call_until_answered() {
  local deadline=$((SECONDS + 60))
  until call "$@" 2>/dev/null; do
    [[ $SECONDS -lt $deadline ]] || return 1
    sleep 0.5
  done
}

wait_until_healthy() {
  local deadline=$((SECONDS + 60))
  until [[ "$("$docker" inspect -f '{{.State.Health.Status}}' "$(container "$1")")" == healthy ]]; do
    [[ $SECONDS -lt $deadline ]] || fail "$1 does not become healthy"
    sleep 0.2
  done
}

expect_calls_answered() {
  call_until_answered python-echo invoke_tool '{"tool_name": "echo-text", "parameters": {"text": "hello"}}' |
    grep -q hello || fail "no answer from python-echo $1"
  pass "the Python plugin answers $1"
  call_until_answered weather invoke_tool '{"tool_name": "current-weather", "parameters": {"city": "Berlin"}}' |
    grep -q '"temperature"' || fail "no answer from weather $1"
  pass "the C++ plugin answers $1"
}

expect_confined() {
  local id
  id="$(container "$1")"
  [[ "$("$docker" exec "$id" id -u)" == 10001 ]] || fail "$1 does not run as uid 10001"
  ! "$docker" exec "$id" touch /etc/probe 2>/dev/null || fail "$1 can write to its root"
  [[ "$("$docker" exec "$id" grep CapEff /proc/1/status | tr -d 'CapEff:\t0')" == "" ]] || fail "$1 has capabilities"
  [[ "$("$docker" exec "$id" grep NoNewPrivs /proc/1/status | tr -dc '01')" == 1 ]] || fail "$1 may gain privileges"
  pass "$1 runs as uid 10001 with a read-only root and no capabilities"
}

step "Finding Docker"
find_or_start_docker
find_compose
"$docker" version --format '  server {{.Server.Version}}'
can_make_bridge_networks || compose_files+=(-f docker/compose.no-bridge-network.yaml)
ensure_base_image

step "Building the images"
for target in bridge plugin-weather plugin-python; do
  image="atomemo-$target"
  DOCKER_BUILDKIT=1 "$docker" build --network host -f docker/Dockerfile --target "$target" -t "$image" .
done
"$docker" images --format '  {{.Repository}}: {{.Size}}' | grep atomemo-

step "Starting hub, bridge and plugins"
compose down --volumes --timeout 5 >/dev/null 2>&1 || true
compose up --detach --no-build
wait_until_healthy bridge
pass "the bridge's own health check says healthy"

step "Calling"
expect_calls_answered "after the start"

step "Looking at what the containers may not do"
for service in hub bridge weather python-echo; do
  expect_confined "$service"
done
for plugin in weather python-echo; do
  interfaces="$("$docker" exec "$(container "$plugin")" ls /sys/class/net)"
  [[ "$interfaces" == lo ]] || fail "$plugin has a network: $interfaces"
done
pass "the plugins have no network"

step "Restarting the bridge under its plugins"
"$docker" stop --time 30 "$(container bridge)" >/dev/null
exit_code="$("$docker" inspect -f '{{.State.ExitCode}}' "$(compose ps -aq bridge 2>/dev/null || container bridge)")"
[[ "$exit_code" == 0 ]] || fail "the bridge ended with $exit_code on SIGTERM"
pass "the bridge ends with 0 on SIGTERM"
compose start bridge
wait_until_healthy bridge
expect_calls_answered "after the bridge's restart"

step "All $passed checks passed"
