#!/bin/sh
# Makes Alertmanager's configuration, since it reads no variables itself:
#
#   configure.sh DIRECTORY
#
# writes DIRECTORY/alertmanager.yml: routes.yml beside this script, and the receivers that
# the environment names. An empty variable leaves its receiver out.
#
#   ALERT_SLACK_WEBHOOK_URL  Slack's incoming webhook
#   ALERT_SLACK_CHANNEL      #qcat-alerts
#   ALERT_WEBHOOK_URL        gets every alert as JSON
#   ALERT_WEBHOOK_TOKEN      sent to it as "Authorization: Bearer …"
#   ALERT_EMAIL_TO           addresses, separated by commas
#   ALERT_EMAIL_FROM         qcat@ the host's name of ALERT_SMTP_HOST
#   ALERT_SMTP_HOST          HOST:PORT
#   ALERT_SMTP_USER, ALERT_SMTP_PASSWORD, ALERT_SMTP_TLS (true)
#
# Critical alerts go to all of them; warnings to Slack and the webhook, and to e-mail only
# where neither is set. All that is written is readable by the user alone: it holds secrets.
set -eu
value=""
umask 077

here="$(cd "$(dirname "$0")" && pwd)"
dir="${1:?usage: configure.sh DIRECTORY}"
mkdir -p "$dir"

fail() {
  echo "alertmanager: $*" >&2
  exit 78 # EX_CONFIG of sysexits.h
}

# quoted prints a value as a YAML scalar that is taken as it stands.
quoted() {
  printf "'%s'" "$(printf '%s' "$1" | sed "s/'/''/g")"
}

# secret NAME VALUE writes a value into a file of its own, and prints the file's name.
secret() {
  printf '%s' "$2" >"$dir/$1"
  quoted "$dir/$1"
}

# No name or message of these may hold what they are about: only the variable is named.
one_line() {
  eval "value=\${$1:-}"
  case "$value" in
  *"
"*) fail "$1 has more than one line" ;;
  esac
}
for name in ALERT_SLACK_WEBHOOK_URL ALERT_SLACK_CHANNEL ALERT_WEBHOOK_URL ALERT_WEBHOOK_TOKEN ALERT_EMAIL_TO \
  ALERT_EMAIL_FROM ALERT_SMTP_HOST ALERT_SMTP_USER ALERT_SMTP_PASSWORD ALERT_SMTP_TLS; do
  one_line "$name"
done
for name in ALERT_SLACK_WEBHOOK_URL ALERT_WEBHOOK_URL; do
  eval "value=\${$name:-}"
  case "$value" in
  '' | http://?* | https://?*) ;;
  *) fail "$name is no http or https address" ;;
  esac
done

slack() {
  [ -n "${ALERT_SLACK_WEBHOOK_URL:-}" ] || return 0
  cat <<YAML
    slack_configs:
      - api_url_file: $(secret slack_url "$ALERT_SLACK_WEBHOOK_URL")
        channel: $(quoted "${ALERT_SLACK_CHANNEL:-#qcat-alerts}")
        send_resolved: true
        color: '{{ template "qcat.color" . }}'
        title: '{{ template "qcat.title" . }}'
        title_link: '{{ template "qcat.link" . }}'
        text: '{{ template "qcat.text" . }}'
YAML
}

webhook() {
  [ -n "${ALERT_WEBHOOK_URL:-}" ] || return 0
  cat <<YAML
    webhook_configs:
      - url: $(quoted "$ALERT_WEBHOOK_URL")
        send_resolved: true
YAML
  [ -n "${ALERT_WEBHOOK_TOKEN:-}" ] || return 0
  cat <<YAML
        http_config:
          authorization:
            credentials_file: $(secret webhook_token "$ALERT_WEBHOOK_TOKEN")
YAML
}

email() {
  [ -n "${ALERT_EMAIL_TO:-}" ] || return 0
  [ -n "${ALERT_SMTP_HOST:-}" ] || fail "ALERT_EMAIL_TO is set and ALERT_SMTP_HOST is not"
  case "${ALERT_SMTP_TLS:-true}" in
  true | false) ;;
  *) fail "ALERT_SMTP_TLS is neither true nor false" ;;
  esac
  cat <<YAML
    email_configs:
      - to: $(quoted "$ALERT_EMAIL_TO")
        from: $(quoted "${ALERT_EMAIL_FROM:-qcat@${ALERT_SMTP_HOST%:*}}")
        smarthost: $(quoted "$ALERT_SMTP_HOST")
        require_tls: ${ALERT_SMTP_TLS:-true}
        send_resolved: true
        headers: {Subject: '{{ template "qcat.title" . }}'}
        html: '{{ template "qcat.html" . }}'
        text: '{{ template "qcat.text" . }}'
YAML
  [ -n "${ALERT_SMTP_USER:-}" ] || return 0
  [ -n "${ALERT_SMTP_PASSWORD:-}" ] || fail "ALERT_SMTP_USER is set and ALERT_SMTP_PASSWORD is not"
  cat <<YAML
        auth_username: $(quoted "$ALERT_SMTP_USER")
        auth_password_file: $(secret smtp_password "$ALERT_SMTP_PASSWORD")
YAML
}

# Each part runs in this shell, not in a substitution, so that fail ends the script.
{
  sed "s|/etc/alertmanager/templates|$here/templates|" "$here/routes.yml"
  echo 'receivers:'
  echo '  - name: critical'
  slack
  webhook
  email
  echo '  - name: warning'
  slack
  webhook
  [ -n "${ALERT_SLACK_WEBHOOK_URL:-}${ALERT_WEBHOOK_URL:-}" ] || email
} >"$dir/alertmanager.yml.new"
mv "$dir/alertmanager.yml.new" "$dir/alertmanager.yml"

[ -n "${ALERT_SLACK_WEBHOOK_URL:-}${ALERT_WEBHOOK_URL:-}${ALERT_EMAIL_TO:-}" ] ||
  echo 'alertmanager: no receiver is set (ALERT_SLACK_WEBHOOK_URL, ALERT_WEBHOOK_URL, ALERT_EMAIL_TO): alerts are shown, and sent to nobody' >&2
