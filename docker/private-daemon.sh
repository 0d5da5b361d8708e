# Sourced by test.sh: finds a Docker that works, or runs one in a folder of its own.
#
# Sets: docker (the client's path), compose_command (array), private_daemon_pid (when one was started).

private_dir="${ATOMEMO_DOCKER_DIR:-/var/tmp/atomemo-docker}"
private_daemon_pid=
compose_command=()

find_or_start_docker() {
  if docker="$(command -v docker)" && "$docker" version >/dev/null 2>&1; then
    return
  fi
  [[ $EUID -eq 0 ]] || fail "no Docker daemon answers, and starting a private one needs root"
  cmake/install-dependencies.sh docker
  docker=/usr/bin/docker  # Debian's own, which fits its daemon and has BuildKit built in.
  export DOCKER_HOST="unix://$private_dir/docker.sock"
  "$docker" version >/dev/null 2>&1 || start_private_daemon
}

start_private_daemon() {
  mkdir -p "$private_dir"
  echo "  starting a private daemon in $private_dir"
  # Without a network bridge and without iptables: it must not touch the machine's network.
  dockerd --data-root "$private_dir/data" --exec-root "$private_dir/exec" --pidfile "$private_dir/dockerd.pid" \
    -H "$DOCKER_HOST" --storage-driver overlay2 --iptables=false --ip6tables=false --bridge=none \
    >"$private_dir/dockerd.log" 2>&1 &
  private_daemon_pid=$!
  local deadline=$((SECONDS + 60))
  until "$docker" version >/dev/null 2>&1; do
    kill -0 "$private_daemon_pid" 2>/dev/null || { tail -n 20 "$private_dir/dockerd.log" >&2; fail "dockerd ended"; }
    [[ $SECONDS -lt $deadline ]] || fail "dockerd does not answer: see $private_dir/dockerd.log"
    sleep 0.2
  done
}

stop_private_daemon() {
  [[ -n "$private_daemon_pid" ]] || return 0
  kill "$private_daemon_pid" 2>/dev/null || true
  wait "$private_daemon_pid" 2>/dev/null || true
  umount "$private_dir/exec/netns/default" 2>/dev/null || true
  private_daemon_pid=
}

find_compose() {
  if "$docker" compose version >/dev/null 2>&1; then
    compose_command=("$docker" compose)
  else
    command -v docker-compose >/dev/null || cmake/install-dependencies.sh docker
    compose_command=(docker-compose)
  fi
}

can_make_bridge_networks() {
  [[ "$("$docker" network ls --quiet --filter driver=bridge | wc -l)" -gt 0 ]]
}

ensure_base_image() {
  local image=debian:bookworm-slim
  if "$docker" image inspect "$image" >/dev/null 2>&1 || timeout 60 "$docker" pull --quiet "$image" >/dev/null 2>&1; then
    return
  fi
  [[ $EUID -eq 0 ]] || fail "$image cannot be pulled, and making it needs root"
  echo "  $image cannot be pulled: making it from Debian's packages"
  command -v mmdebstrap >/dev/null || cmake/install-dependencies.sh docker
  local tarball
  tarball="$(mktemp --suffix=.tar)"
  mmdebstrap --quiet --variant=minbase bookworm "$tarball"
  "$docker" import --change 'CMD ["bash"]' "$tarball" "$image" >/dev/null
  rm -f "$tarball"
}
