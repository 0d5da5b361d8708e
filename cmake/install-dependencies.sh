#!/usr/bin/env bash
# Installs the Debian 12 packages that the project needs, if they are not there yet.
#
# Usage: cmake/install-dependencies.sh [build|test|benchmark|examples|tidy|fuzz|docker]...     (default: build test)
#
# Asks nothing, and does not touch the network when everything is present. Needs root or sudo only to install.
set -euo pipefail

build_packages=(
  ca-certificates ccache cmake g++ git ninja-build protobuf-compiler protobuf-compiler-grpc python3
  libabsl-dev libasio-dev libcli11-dev libcurl4-openssl-dev libgmock-dev libgrpc++-dev libgtest-dev libpqxx-dev
  libprotobuf-dev libsimdjson-dev libssl-dev libunistring-dev libwebsocketpp-dev nlohmann-json3-dev
)
test_packages=(clang clang-format curl nodejs npm openssl procps python3-grpcio python3-protobuf python3-venv spin)
benchmark_packages=(nodejs npm strace util-linux valgrind)
example_packages=(curl postgresql python3-grpcio python3-protobuf)
tidy_packages=(clang clang-tidy)
fuzz_packages=(clang libclang-rt-14-dev)
docker_packages=(docker.io docker-compose mmdebstrap)

# Packages of which only the command matters: other builds of them (NodeSource, Docker CE) are as good.
declare -A command_of=([docker.io]=dockerd [docker-compose]=docker-compose [nodejs]=node [npm]=npm)

fail() {
  echo "install-dependencies: $*" >&2
  exit 1
}

is_installed() {
  local command="${command_of[$1]:-}"
  if [[ -n "$command" ]] && command -v "$command" >/dev/null; then
    return 0
  fi
  [[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

run_as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "installing packages needs root or sudo. Missing: ${missing[*]}"
  fi
}

wanted=()
[[ $# -gt 0 ]] || set -- build test
for section in "$@"; do
  case "$section" in
    build) wanted+=("${build_packages[@]}") ;;
    test) wanted+=("${test_packages[@]}") ;;
    benchmark) wanted+=("${benchmark_packages[@]}") ;;
    examples) wanted+=("${example_packages[@]}") ;;
    tidy) wanted+=("${tidy_packages[@]}") ;;
    fuzz) wanted+=("${fuzz_packages[@]}") ;;
    docker) wanted+=("${docker_packages[@]}") ;;
    *) fail "unknown section '$section' (known: build test benchmark examples tidy fuzz docker)" ;;
  esac
done

missing=()
if command -v dpkg-query >/dev/null; then
  for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
else
  fail "this is not Debian or a relative of it: install these yourself: ${wanted[*]}"
fi
[[ ${#missing[@]} -gt 0 ]] || exit 0

echo "Installing ${#missing[@]} packages: ${missing[*]}"
apt_get=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600)
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
# apt's chatter is shown only when it fails.
run_as_root "${apt_get[@]}" update >"$log" 2>&1 || { cat "$log" >&2; fail "apt-get update failed"; }
run_as_root "${apt_get[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
  { cat "$log" >&2; fail "apt-get install failed"; }
