#!/usr/bin/env bash
# Shows everything at work: installs and builds what is missing, starts the embedded hub with the bridge, a PostgreSQL, an account
# service and the three example plugins, makes a call of every kind, and prints what came back. Ends with 0 only if every call
# gave what it should. Nothing stays behind but the build folder; after the installation no network is needed.
#
# Usage: examples/run.sh [--no-build]
#   --no-build   take what is in BUILD_DIR, and install nothing
#
# Environment: BUILD_DIR (default build/release, shared with tests/run.sh), JOBS (default: the number of processors).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { printf '\n=== %s (%d s)\n' "$1" "$SECONDS"; }

build=true
case "${1:-}" in
  '') ;;
  --no-build) build=false ;;
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
  *) echo "examples/run.sh: unknown option '$1': see --help" >&2; exit 2 ;;
esac
build_dir="$(realpath -m "${BUILD_DIR:-build/release}")"

if $build; then
  step "Installing what is missing"
  cmake/install-dependencies.sh build examples
  step "Building in $build_dir"
  cmake --preset release -B "$build_dir" --log-level=WARNING >/dev/null
  NINJA_STATUS="  [%f/%t %es] " cmake --build "$build_dir" --parallel "${JOBS:-$(nproc)}" \
    --target atomemo-bridge weather credentials
fi

step "Starting PostgreSQL and the account service"
exec examples/credentials/with-services.sh examples/tour.sh "$build_dir"
