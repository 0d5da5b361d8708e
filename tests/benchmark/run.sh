#!/usr/bin/env bash
# Builds what is needed and measures the bridge; `--help` names the options.
#
#   tests/benchmark/run.sh --quick
#   tests/benchmark/run.sh --quick --bridge before=PATH --bridge after=build/release/bridge/atomemo-bridge
#   tests/benchmark/run.sh                       everything, which takes about an hour
#
# Environment: BUILD_DIR (default build/release), JOBS (default: the number of processors).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)" root="$here/../.."
build_dir="${BUILD_DIR:-$root/build/release}"

if [[ ! " $* " =~ \ (-h|--help)\  ]]; then
  "$root/cmake/install-dependencies.sh" build test benchmark
  cmake --preset release -S "$root" -B "$build_dir" --log-level=WARNING >/dev/null
  cmake --build "$build_dir" --parallel "${JOBS:-$(nproc)}" --target benchmark_programs
fi
exec python3 "$here/measure" --build-dir "$build_dir" "$@"
