#!/bin/bash
# What the entry point of the official image does, in so far as a deployment sees it: an
# empty data directory becomes a cluster of the superuser and database that the environment
# names, the scripts of /docker-entrypoint-initdb.d run once against a server that only
# this machine's socket reaches, and root becomes postgres.
set -euo pipefail

if [ "${1#-}" != "$1" ]; then set -- postgres "$@"; fi
if [ "$1" != postgres ]; then exec "$@"; fi

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres "$PGDATA" && chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$BASH_SOURCE" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?the superuser needs a password}"
  user="${POSTGRES_USER:-postgres}"
  database="${POSTGRES_DB:-$user}"
  # shellcheck disable=SC2086 # several arguments
  initdb -D "$PGDATA" -U "$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-} --no-sync
  printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
  PGUSER="$user" pg_ctl -D "$PGDATA" -o "$(printf '%q ' "${@:2}") -c listen_addresses='' -p 5432" -w start
  # psql of the scripts, as the image has it.
  export PGPASSWORD="$POSTGRES_PASSWORD" POSTGRES_USER="$user" POSTGRES_DB="$database"
  sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password -U "$user" -d "$@"; }
  if [ "$database" != postgres ]; then sql postgres -c "CREATE DATABASE \"$database\""; fi
  for f in /docker-entrypoint-initdb.d/*; do
    echo "init: $f"
    case "$f" in
    *.sh) if [ -x "$f" ]; then "$f"; else . "$f"; fi ;;
    *.sql) sql "$database" -f "$f" ;;
    *.sql.gz) gunzip -c "$f" | sql "$database" ;;
    esac
  done
  PGUSER="$user" pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
fi
exec "$@"
