#!/usr/bin/env bash
# Generates the Python stubs of the contract into a folder, if they are missing or older than the contract.
#
# Usage: make-stubs.sh FOLDER        (then put FOLDER on PYTHONPATH)
# Needs protoc and grpc_python_plugin: Debian's protobuf-compiler and protobuf-compiler-grpc.
set -euo pipefail
folder="${1:?usage: make-stubs.sh FOLDER}"
proto="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../proto" && pwd)"
stamp="$folder/.made"

if [[ -e "$stamp" && -z "$(find "$proto" -name '*.proto' -newer "$stamp")" ]]; then
  exit 0
fi
mkdir -p "$folder"
protoc -I "$proto" --python_out="$folder" --grpc_out="$folder" \
  --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" "$proto"/atomemo/plugin/v1/*.proto
touch "$stamp"
