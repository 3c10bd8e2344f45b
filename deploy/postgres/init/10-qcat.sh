#!/usr/bin/env bash
# Run once, by the image of Postgres, when its data directory is new: the database, its
# owner, and who else may look. The rights of the roles come with the migrations.
#
#   qcat_user       owns the database: QCAT, its migrations, its restores; no superuser
#   qcat_exporter   reads statistics, never tables
#   qcat_write, qcat_read, qcat_audit   roles without login, to be granted (docs/security.md)
#
# pg_stat_statements is in the database postgres, and shows the statements of all: in qcat
# it would be part of each backup, which only a superuser could then restore.
set -euo pipefail
: "${DB_PASSWORD:?}" "${POSTGRES_EXPORTER_PASSWORD:?}"

psql -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --no-password --dbname postgres <<'SQL'
\getenv password DB_PASSWORD
\getenv exporter POSTGRES_EXPORTER_PASSWORD
CREATE ROLE qcat_write NOLOGIN;
CREATE ROLE qcat_read NOLOGIN;
CREATE ROLE qcat_audit NOLOGIN;
CREATE ROLE qcat_user LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
GRANT pg_read_all_stats TO qcat_user;
CREATE ROLE qcat_exporter LOGIN NOSUPERUSER CONNECTION LIMIT 8 PASSWORD :'exporter';
GRANT pg_monitor TO qcat_exporter;

CREATE DATABASE qcat OWNER qcat_user;
REVOKE ALL ON DATABASE qcat FROM PUBLIC;
GRANT CONNECT ON DATABASE qcat TO qcat_exporter, qcat_write, qcat_read, qcat_audit;
CREATE EXTENSION pg_stat_statements;
SQL
