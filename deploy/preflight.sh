#!/usr/bin/env bash
# What must hold before anything of the deployment starts: the one-shot `preflight` of
# docker-compose.prod.yml, as root, in the image of QCAT.
#
#   1. the settings are complete, and none is still the placeholder of env.example;
#   2. the folders that are mounted belong to the user of QCAT;
#   3. the program and backup.sh lie in TOOLS_DIR, from where qcat_postgres has them.
#
# Environment: QCAT_DATA_DIR, QCAT_BACKUP_DIR, LOG_DIR, TOOLS_DIR (each may be empty), and
# what `qcat preflight` asks for.
set -euo pipefail
app="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
owner="${QCAT_OWNER:-10001:10001}"

"$app/qcat" preflight "$@"

# Only the folder itself: what is in it was made by its owner, or is looked at by a person.
own() { # FOLDER MODE
  [ -n "$1" ] || return 0
  install -d -m "$2" -o "${owner%%:*}" -g "${owner##*:}" "$1"
}
own "${QCAT_DATA_DIR:-}" 0750
own "${QCAT_BACKUP_DIR:-}" 0750
own "${LOG_DIR:-}" 0755

# A new file in the place of the old one: whoever runs the old one keeps it.
place() { # FILE FOLDER
  install -D -m 0755 "$1" "$2/.new-$(basename "$1")"
  mv -f "$2/.new-$(basename "$1")" "$2/$(basename "$1")"
}
if [ -n "${TOOLS_DIR:-}" ]; then
  place "$app/qcat" "$TOOLS_DIR"
  place "$app/backup/backup.sh" "$TOOLS_DIR/backup"
  install -d "$TOOLS_DIR/data" "$TOOLS_DIR/backups" # where the volumes are mounted
fi
echo "preflight: ready"
