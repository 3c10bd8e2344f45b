#!/usr/bin/env bash
# Makes a certificate for trying things out, signed by itself: server.crt and server.key in
# this folder, or in the one that is named. In production put those of your authority there
# under the same names, the chain in server.crt.
#
#   deploy/ssl/self-signed.sh [--force] [NAME [FOLDER]]     NAME: localhost
#
# A pair that is there stays, unless --force is said.
set -euo pipefail
force=no
if [ "${1:-}" = --force ]; then force=yes && shift; fi
name="${1:-localhost}"
folder="${2:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}"

if [ "$force" = no ] && { [ -e "$folder/server.crt" ] || [ -e "$folder/server.key" ]; }; then
  echo "self-signed.sh: $folder has a certificate; --force makes another" >&2
  exit 1
fi
case "$name" in
*[!A-Za-z0-9.-]* | '') echo "self-signed.sh: $name is no host name" >&2 && exit 2 ;;
esac

umask 077
new="$(mktemp -d "$folder/.new.XXXXXX")"
trap 'rm -rf "$new"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 -days 365 \
  -subj "/CN=$name" -addext "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" \
  -addext 'extendedKeyUsage=serverAuth' -keyout "$new/server.key" -out "$new/server.crt" 2>/dev/null
chmod 644 "$new/server.crt" # QCAT watches when it ends
mv -f "$new/server.key" "$folder/server.key"
mv -f "$new/server.crt" "$folder/server.crt"
echo "self-signed.sh: $folder/server.crt for $name, good for a year"
