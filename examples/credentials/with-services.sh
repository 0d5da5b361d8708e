#!/usr/bin/env bash
# Usage: with-services.sh COMMAND...
# Runs COMMAND with an account service and a PostgreSQL of its own, both gone afterwards. The command finds them by ACCOUNT_SERVICE_URL, and
# by PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD. Exit code 77 if PostgreSQL is not installed.
set -euo pipefail
provider="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/oauth2_provider.py"

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[[ -x "$bin/initdb" ]] || { echo "PostgreSQL is not installed"; exit 77; }
# PostgreSQL refuses to run as root.
as_user() { if [[ $EUID -eq 0 ]]; then runuser -u postgres -- "$@"; else "$@"; fi; }

work=$(mktemp -d /tmp/atomemo-services.XXXXXX)
provider_pid=
cleanup() {
  [[ -z "$provider_pid" ]] || kill "$provider_pid" 2>/dev/null || true
  [[ ! -e "$work/db/data/postmaster.pid" ]] ||
    as_user "$bin/pg_ctl" --pgdata "$work/db/data" --mode immediate --silent stop || true
  rm -rf "$work"
}
trap cleanup EXIT

# The provider prints its URL once it listens.
mkfifo "$work/url"
"$provider" --port 0 >"$work/url" &
provider_pid=$!
read -r ACCOUNT_SERVICE_URL <"$work/url"
export ACCOUNT_SERVICE_URL

mkdir "$work/db"
export PGPASSWORD=example-password
echo "$PGPASSWORD" >"$work/db/password"
[[ $EUID -ne 0 ]] || { chmod 0711 "$work"; chown -R postgres "$work/db"; }
(
  cd "$work/db"  # A folder that the user of the database may enter.
  as_user "$bin/initdb" --pgdata data --username example --pwfile password --auth scram-sha-256 --no-sync >"$work/initdb.log"
  as_user "$bin/pg_ctl" --pgdata data --wait --silent --log server.log \
    --options "-c listen_addresses='' -c unix_socket_directories='$work/db' -c fsync=off" start
)
export PGHOST="$work/db" PGPORT=5432 PGDATABASE=postgres PGUSER=example

# In the background, so that a signal is heeded at once; the command then ends first.
"$@" <&0 &
command=$!
stop() {
  trap - INT TERM
  kill "$command" 2>/dev/null || true
  wait "$command" || true
  exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM
wait "$command"
