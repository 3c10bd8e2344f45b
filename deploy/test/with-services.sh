#!/usr/bin/env bash
# Runs a command with a Postgres and a Redis that tests may fill and empty:
#
#   deploy/test/with-services.sh [--durable] COMMAND [ARGUMENT…]
#
# Each of the two comes from the first of these that there is:
#
#   1. DATABASE_URL, REDIS_URL: a server that runs already; it must answer.
#   2. Installed programs (QCAT_POSTGRES_BIN, QCAT_REDIS_BIN, PATH, the usual
#      folders): a throw-away server in a temporary folder, on a free port of the
#      loopback address, with a password of its own.
#   3. As root where there is apt-get: the distribution's packages, installed
#      without their services, then as in 2.
#
# COMMAND runs with DATABASE_URL, REDIS_URL, QCAT_POSTGRES_BIN (the folder of
# initdb, pg_ctl and postgres), QCAT_REDIS_BIN (the program redis-server) and
# QCAT_REQUIRE_SERVICES=1, which makes a test without its server fail instead of
# skip. Its exit status is this script's; 69 means that the services are not to be
# had. A throw-away Postgres does not sync, unless --durable asks for it: what is
# measured needs that.
#
# However this script ends, kill -9 included, the servers are stopped and their
# folder removed: a process of its own waits for that (see watch). Several may run
# at once.
# shellcheck disable=SC2016 # the programs given to bash -c expand their own arguments
# shellcheck disable=SC2317 # functions handed over by name and in traps are reached
set -euo pipefail

readonly unavailable=69 # EX_UNAVAILABLE of sysexits.h
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here

die() {
  printf 'with-services: %s\n' "$*" >&2
  exit "$unavailable"
}

usage() {
  sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"
}

# --- finding programs -------------------------------------------------------

# postgres_bin prints the folder of a whole Postgres server.
postgres_bin() {
  local dir found
  if [ -n "${QCAT_POSTGRES_BIN:-}" ]; then
    [ -x "$QCAT_POSTGRES_BIN/initdb" ] || die "QCAT_POSTGRES_BIN=$QCAT_POSTGRES_BIN holds no initdb"
    echo "$QCAT_POSTGRES_BIN"
    return
  fi
  found="$(command -v pg_ctl || true)"
  if [ -n "$found" ]; then
    dir="$(dirname "$(readlink -f "$found")")"
    [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && echo "$dir" && return
  fi
  for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin \
    /opt/homebrew/opt/postgresql*/bin | sort -rV); do
    [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && echo "$dir" && return
  done
  return 1
}

# redis_bin prints the path of a Redis server.
redis_bin() {
  if [ -n "${QCAT_REDIS_BIN:-}" ]; then
    [ -x "$QCAT_REDIS_BIN" ] || die "QCAT_REDIS_BIN=$QCAT_REDIS_BIN is no program"
    echo "$QCAT_REDIS_BIN"
    return
  fi
  command -v redis-server || command -v valkey-server
}

# find_or_install NAME FINDER PACKAGE URL BIN prints what FINDER finds, after
# installing PACKAGE where there is nothing. Where the variable URL names a server,
# programs are not needed by all: some tests stop a server of their own.
find_or_install() {
  "$2" && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    "$here/install-service.sh" "$3" >&2 || die "installing $3 failed"
    "$2" || die "$3 is installed, but there is no $1"
  elif [ -n "${!4:-}" ]; then
    echo "with-services: no programs of $1 here; tests that start one of their own will fail" >&2
  else
    die "no $1 here. Install it (Debian: apt-get install $3), or set $4 to one that runs," \
      "or $5 to where its programs are"
  fi
}

# --- servers that run already -----------------------------------------------

# address_of URL DEFAULT_PORT prints "host port" of a URL.
address_of() {
  local rest="${1#*://}"
  rest="${rest%%[/?]*}"
  rest="${rest##*@}"
  case "$rest" in
  \[*\]:*) echo "$(expr "$rest" : '\[\(.*\)\]') ${rest##*:}" ;;
  \[*\]) echo "$(expr "$rest" : '\[\(.*\)\]') $2" ;;
  *:*) echo "${rest%:*} ${rest##*:}" ;;
  *) echo "${rest:-localhost} $2" ;;
  esac
}

# answers HOST PORT says whether somebody accepts connections there.
answers() { timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null; }

check_database_url() {
  local host port
  if command -v psql >/dev/null; then
    PGCONNECT_TIMEOUT=5 psql "$DATABASE_URL" -XAtqc 'SELECT 1' >/dev/null ||
      die "DATABASE_URL is set, but no Postgres answers there"
    return
  fi
  read -r host port <<<"$(address_of "$DATABASE_URL" 5432)"
  answers "$host" "$port" || die "DATABASE_URL is set, but nobody answers at $host:$port"
}

check_redis_url() {
  local host port
  if command -v redis-cli >/dev/null; then
    [ "$(timeout 5 redis-cli --no-auth-warning -u "${REDIS_URL/:\/\/:/://default:}" PING 2>&1)" = PONG ] ||
      die "REDIS_URL is set, but no Redis answers there"
    return
  fi
  read -r host port <<<"$(address_of "$REDIS_URL" 6379)"
  answers "$host" "$port" || die "REDIS_URL is set, but nobody answers at $host:$port"
}

# --- throw-away servers -----------------------------------------------------

# secret prints 128 random bits in hexadecimal.
secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# any_port prints a port below those that the kernel hands out for connections;
# whether it is free is seen when the server binds it.
any_port() { echo $((20000 + (RANDOM * 32768 + RANDOM) % 12000)); }

# as_postgres runs a program of Postgres, which refuses to run as root.
as_postgres() {
  if [ "$(id -u)" -ne 0 ]; then
    "$@"
  elif command -v setpriv >/dev/null; then
    setpriv --reuid="$postgres_user" --regid="$(id -g "$postgres_user")" --clear-groups -- "$@"
  else
    runuser -u "$postgres_user" -- "$@"
  fi
}

# session starts a program that the signals of our terminal do not reach, where
# there is such a command; "env" changes nothing.
session=(env)
if command -v setsid >/dev/null; then session=(setsid); fi

start_postgres() {
  local data="$dir/postgres" password port log="$dir/postgres.log" sync=off
  [ "$durable" = yes ] && sync=on
  password="$(secret)"
  mkdir "$data" && chmod 700 "$data"
  (umask 077 && printf '%s\n' "$password" >"$dir/password")
  : >"$log"
  [ "$(id -u)" -ne 0 ] || chown "$postgres_user" "$data" "$dir/password" "$log"

  as_postgres "$QCAT_POSTGRES_BIN/initdb" -D "$data" -U qcat --pwfile="$dir/password" --auth=scram-sha-256 \
    --encoding=UTF8 --no-locale --no-sync --no-instructions >"$dir/initdb.log" 2>&1 ||
    { cat "$dir/initdb.log" >&2 && die "initdb failed"; }
  rm -f "$dir/password"
  cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
fsync = $sync
synchronous_commit = on
full_page_writes = $sync
timezone = 'UTC'
log_timezone = 'UTC'
CONF
  for _ in 1 2 3 4 5 6 7 8; do
    port="$(any_port)"
    if as_postgres "$QCAT_POSTGRES_BIN/pg_ctl" -D "$data" -l "$log" -o "-p $port" -w -s -t 60 start >/dev/null 2>&1 9>&-; then
      export DATABASE_URL="postgres://qcat:$password@127.0.0.1:$port/postgres?sslmode=disable"
      return
    fi
    grep -q 'Address already in use' "$log" || break
    : >"$log"
  done
  cat "$log" >&2
  die "Postgres does not start"
}

# redis_answers PORT PASSWORD says whether our own Redis serves there.
redis_answers() {
  local line
  line="$(timeout 2 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf "AUTH %s\r\nPING\r\n" "$1" >&3 &&
    read -r ok <&3 && read -r pong <&3 && echo "$ok $pong"' "$1" "$2" 2>/dev/null | tr -d '\r')"
  [ "$line" = '+OK +PONG' ]
}

start_redis() {
  local data="$dir/redis" password port pid
  password="$(secret)"
  mkdir "$data" && chmod 700 "$data"
  for _ in 1 2 3 4 5 6 7 8; do
    port="$(any_port)"
    (
      umask 077
      printf '%s\n' 'bind 127.0.0.1' "port $port" "requirepass $password" "dir $data" "pidfile $data/redis.pid" \
        "logfile $dir/redis.log" 'daemonize no' 'save ""' 'appendonly no' 'databases 64' >"$data/redis.conf"
    )
    (exec "${session[@]}" "$QCAT_REDIS_BIN" "$data/redis.conf" >/dev/null 2>&1 9>&-) &
    pid=$!
    echo "$pid" >"$dir/redis.pid"
    while kill -0 "$pid" 2>/dev/null; do
      if redis_answers "$port" "$password"; then
        export REDIS_URL="redis://default:$password@127.0.0.1:$port/0"
        disown "$pid" 2>/dev/null || true
        return
      fi
      sleep 0.02
    done
  done
  cat "$dir/redis.log" >&2
  die "Redis does not start"
}

# --- the end ----------------------------------------------------------------

# remove_all stops both servers, without waiting for them to save anything, and
# removes their folder.
remove_all() {
  local pid
  if [ -f "$dir/postgres/postmaster.pid" ]; then
    as_postgres "$QCAT_POSTGRES_BIN/pg_ctl" -D "$dir/postgres" -m immediate -s -w -t 30 stop >/dev/null 2>&1 || true
  fi
  if [ -f "$dir/redis.pid" ]; then
    pid="$(cat "$dir/redis.pid")"
    kill -KILL "$pid" 2>/dev/null || true
    for _ in $(seq 50); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.02
    done
  fi
  rm -rf "$dir"
}

# watch waits, in a session of its own, until nobody holds the write end of the
# pipe any more, which is this script alone: then it has ended, however.
watch() {
  exec 9>&-
  trap '' INT TERM HUP QUIT
  cat "$dir/alive" >/dev/null
  remove_all
}

# finish lets watch do its work and waits for it.
finish() {
  exec 9>&-
  [ -z "${watcher:-}" ] || wait "$watcher" 2>/dev/null || true
}

# --- main -------------------------------------------------------------------

durable=no
case "${1:-}" in
--durable) durable=yes && shift ;;
-h | --help) usage && exit 0 ;;
esac
[ $# -gt 0 ] || { usage >&2 && exit 2; }

if [ -n "${DATABASE_URL:-}" ]; then check_database_url; fi
if [ -n "${REDIS_URL:-}" ]; then check_redis_url; fi
QCAT_POSTGRES_BIN="$(find_or_install Postgres postgres_bin postgresql DATABASE_URL QCAT_POSTGRES_BIN)"
QCAT_REDIS_BIN="$(find_or_install Redis redis_bin redis-server REDIS_URL QCAT_REDIS_BIN)"
export QCAT_POSTGRES_BIN QCAT_REDIS_BIN QCAT_REQUIRE_SERVICES=1

postgres_user="$(id -un)"
if [ "$(id -u)" -eq 0 ]; then
  postgres_user=nobody
  if id postgres >/dev/null 2>&1; then postgres_user=postgres; fi
fi

dir="$(mktemp -d "${TMPDIR:-/tmp}/qcat-services.XXXXXXXX")"
chmod 711 "$dir" # the unprivileged user passes through
mkfifo "$dir/alive"
set -m # a process group of its own
watch </dev/null &
set +m
watcher=$!
exec 9>"$dir/alive"
trap finish EXIT

cd_back="$PWD"
cd "$dir" # where the unprivileged user may be
[ -n "${DATABASE_URL:-}" ] || start_postgres
[ -n "${REDIS_URL:-}" ] || start_redis
cd "$cd_back"

# At a terminal the command gets it, and the terminal sends it the signals.
# Otherwise it is a process group of its own, which gets ours.
if [ -t 0 ]; then
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  status=0
  "$@" 9>&- || status=$?
  exit "$status"
fi
set -m
"$@" <&0 9>&- &
command=$!
set +m
stop() { # SIGNAL STATUS
  kill "-$1" -- "-$command" 2>/dev/null || true
  wait "$command" 2>/dev/null || true
  exit "$2"
}
trap 'stop INT 130' INT
trap 'stop TERM 143' TERM
trap 'stop HUP 129' HUP
status=0
wait "$command" || status=$?
exit "$status"
