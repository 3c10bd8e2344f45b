#!/usr/bin/env bash
# Backups as the operations manual names them. The work is done by `qcat backup`; see
# docs/backup.md.
#
#   backup.sh backup [FLAG…]         make one; the server may run
#   backup.sh list [FLAG…]           newest first
#   backup.sh verify [NAME|FILE]     check one, the newest unless named
#   backup.sh restore NAME|FILE      into an empty database and data directory
#   backup.sh cleanup [FLAG…]        remove those older than BACKUP_RETENTION_DAYS
#
# FLAGs are those of `qcat backup`; `--json` goes with each. After a backup that was
# made in BACKUP_DIR, cleanup runs by itself, so that one line of cron is enough:
#
#   0 2 * * * /app/backup/backup.sh backup
#
# Environment:
#   QCAT_BIN               the program; else ../qcat or ../../bin/qcat, seen from here, or PATH
#   BACKUP_DIR             folder of the backups; /app/backups where that exists, else ./backups
#   BACKUP_RETENTION_DAYS  30
#   BACKUP_KEEP_ALL        1: backup does not clean up
#   QCAT_DATA_DIR          the server's data directory; ./data
#   DATABASE_URL, or DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD
#                          Postgres; without, the embedded store
set -euo pipefail

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"; }

fail() {
  printf 'backup.sh: %s\n' "$*" >&2
  exit 2
}

here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"

# program prints the path of qcat.
program() {
  local candidate
  if [ -n "${QCAT_BIN:-}" ]; then
    [ -x "$QCAT_BIN" ] || fail "QCAT_BIN=$QCAT_BIN is no program"
    echo "$QCAT_BIN"
    return
  fi
  for candidate in "$here/../qcat" "$here/../../bin/qcat"; do
    [ -f "$candidate" ] && [ -x "$candidate" ] && echo "$candidate" && return
  done
  command -v qcat || fail "there is no qcat here: set QCAT_BIN"
}

[ $# -gt 0 ] || { usage >&2 && exit 2; }
command="$1"
shift
case "$command" in
backup | create | list | verify | restore | cleanup) qcat="$(program)" ;;
-h | --help | help) usage && exit 0 ;;
*) usage >&2 && fail "unknown command $command" ;;
esac

# What root makes here belongs to whom the data directory belongs to, who could not read it
# otherwise: in the container of Postgres, `docker exec` is root.
owner="$(stat -c %u:%g "${QCAT_DATA_DIR:-.}" 2>/dev/null || echo 0:0)"
if [ "$(id -u)" -eq 0 ] && [ "${owner%%:*}" -ne 0 ] && command -v setpriv >/dev/null; then
  exec setpriv --reuid="${owner%%:*}" --regid="${owner##*:}" --clear-groups -- "$0" "$command" "$@"
fi

case "$command" in
backup | create)
  "$qcat" backup create "$@"
  case " $* " in *" --backup-dir"*) exit 0 ;; esac # cleanup would look elsewhere
  [ "${BACKUP_KEEP_ALL:-0}" = 1 ] || "$qcat" backup cleanup >&2
  ;;
*) exec "$qcat" backup "$command" "$@" ;;
esac
