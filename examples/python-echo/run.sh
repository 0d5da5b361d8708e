#!/usr/bin/env bash
# Makes the stubs if they are missing, and runs the plugin.
#
# Usage: examples/python-echo/run.sh
# Environment: ATOMEMO_BRIDGE_SOCKET (default: where the bridge listens by default), STUBS_DIR (default build/python-stubs),
#   PYTHON (default: the first of python3 and /usr/bin/python3 that has grpcio and protobuf).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
stubs="${STUBS_DIR:-$here/../../build/python-stubs}"

for python in ${PYTHON:-python3 /usr/bin/python3 ''}; do
  "$python" -c 'import grpc, google.protobuf' 2>/dev/null && break
done
if [[ -z "$python" ]]; then
  echo "python-echo: no Python with grpcio and protobuf: apt-get install python3-grpcio python3-protobuf" >&2
  exit 1
fi
"$here/make-stubs.sh" "$stubs"
folder="${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/atomemo}"
export ATOMEMO_BRIDGE_SOCKET="${ATOMEMO_BRIDGE_SOCKET:-${folder:-/tmp/atomemo-$(id -u)}/bridge.sock}"
PYTHONPATH="$stubs" exec "$python" "$here/echo.py"
