#!/bin/sh
# Starts Alertmanager with the configuration that configure.sh makes of the environment:
#
#   entrypoint.sh [OPTION OF ALERTMANAGER]…
#
# ALERTMANAGER_RUN_DIR is where the configuration goes (/tmp/alertmanager): memory is the
# place for it, since it holds secrets.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
run="${ALERTMANAGER_RUN_DIR:-/tmp/alertmanager}"

/bin/sh "$here/configure.sh" "$run"

program="$(command -v alertmanager || command -v prometheus-alertmanager)" || {
  echo 'alertmanager: the program is not in PATH' >&2
  exit 127
}
# What the server needs no more should not be in its environment either.
unset ALERT_SLACK_WEBHOOK_URL ALERT_WEBHOOK_URL ALERT_WEBHOOK_TOKEN ALERT_SMTP_USER ALERT_SMTP_PASSWORD
exec "$program" --config.file="$run/alertmanager.yml" "$@"
