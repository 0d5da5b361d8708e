#!/usr/bin/env bash
# The part of run.sh that needs the credentials example's services (see credentials/with-services.sh): starts the bridge and the
# plugins, makes the calls, and stops everything again.
#
# Usage: tour.sh BUILD_DIR
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
build_dir="${1:?usage: tour.sh BUILD_DIR}"
bridge="$build_dir/bridge/atomemo-bridge"

step() { printf '\n=== %s\n' "$1"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
[[ -x "$bridge" ]] || fail "there is no $bridge: run examples/run.sh without --no-build"

# ---- Processes: each writes to a log of its own, and ends with this script.

work="$(mktemp -d /tmp/atomemo-tour.XXXXXX)"
declare -A pids=()

start() {
  local name="$1"
  shift
  "$@" >"$work/$name.log" 2>&1 &
  pids[$name]=$!
  echo "  $name (pid $!)"
}

# Stops a process and tells how it ended: all of them end with 0 on SIGTERM.
stop() {
  local status=0
  kill "${pids[$1]}" 2>/dev/null || true
  wait "${pids[$1]}" || status=$?
  unset "pids[$1]"
  return "$status"
}

cleanup() {
  local status=$?
  trap - EXIT INT TERM
  if [[ $status -ne 0 && $status -lt 128 ]]; then
    for log in "$work"/*.log; do
      printf '\n--- the end of %s\n' "${log##*/}"
      tail -n 15 "$log"
    done
  fi
  if [[ ${#pids[@]} -gt 0 ]]; then
    kill "${pids[@]}" 2>/dev/null || true
    for _ in {1..30}; do  # three seconds for calls in flight
      kill -0 "${pids[@]}" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "${pids[@]}" 2>/dev/null || true
  fi
  wait
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

# ---- Calls

calls=0
# Makes the call PLUGIN EVENT JSON and prints both directions; `answer` and `exit_code` are what came back.
show_call() {
  calls=$((calls + 1))
  printf '\n%2d. %s to %s\n    → %s\n' "$calls" "$2" "$1" "$3"
  exit_code=0
  # In the background, so that a signal need not wait for the answer.
  "$bridge" call --raw --hub "$hub" -- "$1" "$2" "$3" >"$work/call.out" 2>"$work/call.err" &
  pids[call]=$!
  wait "${pids[call]}" || exit_code=$?
  unset "pids[call]"
  answer="$(<"$work/call.out")"
  sed 's/^/    ← /' <<<"${answer:-$(<"$work/call.err")}"
}

# expect_answer PATTERN PLUGIN EVENT JSON: an answer in which the pattern occurs.
expect_answer() {
  show_call "${@:2}"
  [[ $exit_code -eq 0 ]] || fail "an error instead of an answer"
  grep -qE -- "$1" <<<"$answer" || fail "nothing in the answer matches $1"
}

# expect_error PATTERN PLUGIN EVENT JSON: an error in which the pattern occurs.
expect_error() {
  show_call "${@:2}"
  [[ $exit_code -eq 1 ]] || fail "no error came back"
  grep -qE -- "$1" <<<"$answer" || fail "nothing in the error matches $1"
}

# member PATH: a string inside `answer`, for instance member data/url.
member() {
  python3 -c 'import functools, json, sys
print(functools.reduce(lambda value, key: value[key], sys.argv[1].split("/"), json.load(sys.stdin)))' "$1" <<<"$answer"
}

# ---- The tour

step "Starting the hub, the bridge and three plugins"
export ATOMEMO_BRIDGE_SOCKET="$work/run/bridge.sock"
start bridge "$bridge" dev --listen 127.0.0.1:0 --socket "$ATOMEMO_BRIDGE_SOCKET" --files-dir "$work/files"
wait_for "the bridge" "$bridge" health
hub="$(grep -om1 'http://127.0.0.1:[0-9]*' "$work/bridge.log")"
start weather "$build_dir/examples/weather/weather"
start credentials "$build_dir/examples/credentials/credentials"
start python-echo env STUBS_DIR="${STUBS_DIR:-$build_dir/python-stubs}" "$root/examples/python-echo/run.sh"
for plugin in weather credentials python-echo; do
  wait_for "$plugin" curl --fail --silent "$hub/api/plugins/$plugin/definition"
done
echo "  hub: $hub"

step "Tools"
expect_answer '"temperature":19.2' weather invoke_tool \
  '{"tool_name": "current-weather", "parameters": {"city": "Berlin", "date": "2026-07-15"}}'
expect_error 'weather:unknown_city' weather invoke_tool '{"tool_name": "current-weather", "parameters": {"city": "Atlantis"}}'
expect_error 'sdk:tool_not_found' weather invoke_tool '{"tool_name": "no-such-tool", "parameters": {}}'
expect_answer '"complete":true' weather invoke_tool \
  '{"tool_name": "simulate-years", "parameters": {"city": "Paris", "years": 20, "pause_ms": 20}}'
expect_answer '"characters": 5' python-echo invoke_tool '{"tool_name": "echo-text", "parameters": {"text": "hello"}}'
expect_error 'ValueError' python-echo invoke_tool '{"tool_name": "echo-text", "parameters": {"text": ""}}'

step "Resource lists and mappings"
expect_answer '"value":"new-york"' weather locator_list \
  '{"tool_name": "climate-report", "method": "search_cities", "filter": "new", "parameters": {}}'
expect_answer '"id":"temperature"' weather resource_mapping \
  '{"tool_name": "climate-report", "method": "report_columns", "parameters": {}}'

step "Files: stored with the hub and read again (hub_call:get_upload_url, hub_call:get_file_url)"
expect_answer '"__type__":"file_ref"' weather invoke_tool '{"tool_name": "save-climate", "parameters": {"city": "Sydney"}}'
file="$(python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["data"]["file"]))' <<<"$answer")"
expect_answer '"July","13.4"' weather invoke_tool "{\"tool_name\": \"read-climate\", \"parameters\": {\"file\": $file}}"
expect_error 'HTTP status 404' weather invoke_tool \
  '{"tool_name": "read-climate", "parameters": {"file": {"__type__": "file_ref", "source": "oss", "res_key": "no/such.csv"}}}'

step "A language model, asked through the hub (hub_call:invoke_llm)"
expect_answer '"model":"example-model"' weather invoke_tool \
  '{"tool_name": "describe-climate", "parameters": {"city": "Paris", "model": {"__type__": "llm_config", "model": "example-model"}}}'

step "Credentials: an API key, and a login that PostgreSQL itself judges"
api_key="{\"base_url\": \"$ACCOUNT_SERVICE_URL\", \"api_key\": \"example-key\"}"
expect_answer 'Eva Example' credentials credential_auth_spec \
  "{\"credential_name\": \"account-api-key\", \"credential\": $api_key}"
login="\"host\": \"$PGHOST\", \"port\": $PGPORT, \"database\": \"$PGDATABASE\", \"user\": \"$PGUSER\""
expect_answer 'server_version' credentials credential_auth_spec \
  "{\"credential_name\": \"postgres-login\", \"credential\": {$login, \"password\": \"$PGPASSWORD\"}}"
expect_error 'credentials:login_refused' credentials credential_auth_spec \
  "{\"credential_name\": \"postgres-login\", \"credential\": {$login, \"password\": \"wrong\"}}"
expect_answer '"bytes":' credentials invoke_tool "{\"tool_name\": \"database-size\", \"parameters\": {\"credential_id\": \"c1\"},
       \"credentials\": {\"c1\": {$login, \"password\": \"$PGPASSWORD\"}}}"

step "OAuth2: where to send the user, what the code buys, and a fresh token"
client="\"base_url\": \"$ACCOUNT_SERVICE_URL\", \"client_id\": \"example-client\", \"client_secret\": \"example-secret\""
redirect='http://127.0.0.1:9/back'
expect_answer '"url":"http' credentials oauth2_build_authorize_url \
  "{\"credential_name\": \"account-oauth2\", \"credential\": {$client}, \"redirect_uri\": \"$redirect\", \"state\": \"s1\"}"
code="$(curl --silent --output /dev/null --write-out '%{redirect_url}' "$(member data/url)" | sed -E 's/.*[?&]code=([^&]*).*/\1/')"
expect_answer '"refresh_token":' credentials oauth2_get_token \
  "{\"credential_name\": \"account-oauth2\", \"credential\": {$client}, \"code\": \"$code\", \"redirect_uri\": \"$redirect\"}"
access_token="$(member data/parameters_patch/access_token)" refresh_token="$(member data/parameters_patch/refresh_token)"
expect_answer '"access_token":' credentials oauth2_refresh_token \
  "{\"credential_name\": \"account-oauth2\", \"credential\": {$client, \"refresh_token\": \"$refresh_token\"}}"
expect_answer 'eva@example.com' credentials invoke_tool "{\"tool_name\": \"who-am-i\", \"parameters\": {\"credential_id\": \"c2\"},
       \"credentials\": {\"c2\": {$client, \"access_token\": \"$access_token\"}}}"

step "An event that nobody knows"
expect_error 'sdk:method_not_supported' weather make_coffee '{}'

step "Stopping"
for name in weather credentials python-echo bridge; do
  stop "$name" || fail "$name ended with $?"
  echo "  $name ended with 0"
done

step "All $calls calls gave what they should"
