#!/usr/bin/env bash
# Installs a Debian package of a server as root, for its programs only: its service
# does not run afterwards, on no port, and Postgres gets no cluster.
#
#   deploy/test/install-service.sh postgresql|redis-server|nginx-light|…
set -euo pipefail
package="$1"

# One at a time: two test runs may find the same thing missing.
exec 8>"/tmp/qcat-install-service.lock"
flock 8

undo=()
cleanup() { [ "${#undo[@]}" -eq 0 ] || rm -f "${undo[@]}"; }
trap cleanup EXIT

if [ ! -e /usr/sbin/policy-rc.d ]; then # asked before a service starts: 101 is no
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  undo+=(/usr/sbin/policy-rc.d)
fi
no_cluster=/etc/postgresql-common/createcluster.d/qcat.conf
if [ "$package" = postgresql ] && [ ! -e "$no_cluster" ]; then
  mkdir -p "${no_cluster%/*}"
  echo 'create_main_cluster = false' >"$no_cluster"
  undo+=("$no_cluster")
fi

export DEBIAN_FRONTEND=noninteractive
install() {
  apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confold "$package"
}
already="$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)"
install || { apt-get update -q -o DPkg::Lock::Timeout=300 && install; }

# Where another policy allowed the start after all.
if [ "$already" != 'install ok installed' ]; then
  if [ -d /run/systemd/system ]; then
    systemctl disable --now "$package" || true
  elif [ -x "/etc/init.d/$package" ]; then
    "/etc/init.d/$package" stop >/dev/null 2>&1 || true
  fi
fi
