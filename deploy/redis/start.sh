#!/bin/sh
# Starts Redis with the password of the environment, which gets neither into a file nor
# into the list of processes: Redis reads it from its standard input.
set -eu
: "${REDIS_PASSWORD:?is not set}"
exec redis-server "${1:-/etc/redis/redis.conf}" - <<EOF
requirepass "$REDIS_PASSWORD"
EOF
