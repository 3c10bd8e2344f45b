#!/usr/bin/env bash
# Installs what is missing of the programs that tests ask, as root where there is apt-get.
# Elsewhere it says what it did not find, and the tests go without.
#
#   deploy/test/programs.sh PROGRAM=PACKAGE…        nginx=nginx-light
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export PATH="$PATH:/usr/sbin:/sbin"
for pair in "$@"; do
  if command -v "${pair%%=*}" >/dev/null; then continue; fi
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    "$here/install-service.sh" "${pair#*=}" >&2
  else
    echo "programs: no ${pair%%=*} here (Debian: apt-get install ${pair#*=})" >&2
  fi
done
