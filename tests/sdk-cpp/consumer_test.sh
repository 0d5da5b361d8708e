#!/usr/bin/env bash
# Usage: consumer_test.sh BUILD_DIR WORK_DIR CXX_FLAGS
# Installs the SDK from BUILD_DIR, and builds and runs a plugin that finds it with find_package.
set -euo pipefail
build=$1 work=$2 flags=$3
here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$work"
cmake --install "$build" --component atomemo_plugin --prefix "$work/prefix" >/dev/null
cmake -S "$here/consumer" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_FLAGS="$flags" >/dev/null
cmake --build "$work/build"

version=$("$work/build/greeter" --version)
[ "$version" = "greeter 1.2.3" ] || { echo "unexpected version: $version"; exit 1; }
"$work/build/greeter" --definition | grep -q '"name": "greet"' ||
  { echo "the definition lacks the tool"; exit 1; }
"$work/build/greeter" --self-test || { echo "the self-test failed"; exit 1; }
if "$work/build/greeter" --no-such-flag 2>/dev/null; then
  echo "an unknown flag was accepted"; exit 1
fi
