#!/usr/bin/env bash
# Runs `buf breaking`: nothing that was in the contract's settled revision is gone, renamed, renumbered or of another type.
#
# Usage: proto_breaking.sh PROTO_DIR CACHE_DIR
# Exit code 77, ctest's "skipped", when buf is not in CACHE_DIR and cannot be fetched.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
buf="$("$here/buf.sh" "$2")"
image="$here/contract_revision_1.binpb"
"$buf" breaking "$1" --against "$image"

# A check that never finds anything is none: these changes must be found.
changed="$(mktemp -d)"
trap 'rm -rf "$changed"' EXIT
for change in 's/string request_id = 1;/string request_id = 99;/' 's/string tool_name = 2;/bytes tool_name = 2;/'; do
  cp -r "$1/." "$changed"
  sed -i "$change" "$changed/atomemo/plugin/v1/plugin_service.proto"
  if "$buf" breaking "$changed" --against "$image" > "$changed/found.txt"; then
    echo "not found: $change"
    exit 1
  fi
  sed 's/^/found, as it should be: /' "$changed/found.txt" | head -1
done
echo "buf breaking: nothing of the settled revision has changed"
