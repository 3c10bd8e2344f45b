package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// upgrade is chapter 8: another version takes over while a client trades.
func (t *test) upgrade() bool {
	var before string
	ok := t.command("8.1", "docker exec qcat_app /app/backup/backup.sh backup", "qcat_backup_")
	ok = t.check("8.1", "a new version is in the repository", func() (err error) {
		if before, err = t.output("docker exec qcat_app /app/qcat --version"); err != nil {
			return err
		}
		return t.shell("cd /srv/work && echo >>CHANGELOG.md && git commit -qam 'the version after' && git push -q origin main")
	}) && ok
	ok = t.command("8.1", "git pull origin main", "CHANGELOG.md") && ok
	ok = t.command("8.1", composeFile+"build qcat", "Built") && ok
	ok = t.command("8.1", composeFile+"run --rm migrate") && ok
	ok = t.command("8.1", composeFile+"run --rm --no-deps preflight", "preflight: ready") && ok
	t.site.trader.measure()
	ok = t.command("8.1", composeFile+"up -d --no-deps qcat", "qcat_app  Recreate") && ok
	ok = t.corrected("8.1", "curl http://localhost:8082/health", "curl -sS --retry 60 --retry-delay 1 --retry-all-errors http://localhost:8082/health",
		"the command before ends when the process has begun, not when it answers", `"status":"ok"`) && ok
	ok = t.check("8.1", "it is the new version; the client reconnected, resumed, and nothing that was acknowledged is lost", func() error {
		after, err := t.output("docker exec qcat_app /app/qcat --version")
		if err != nil {
			return err
		}
		if after == before || strings.TrimSpace(after) == "" {
			return fmt.Errorf("before %q, after %q", before, after)
		}
		return t.goesOn()
	}) && ok
	fmt.Fprintf(t.out, "             between the last order that the old version acknowledged and the first of the new one: %.1f s\n", t.site.trader.measure().Seconds())
	ok = t.command("8.2", "docker exec qcat_app /app/qcat migrate") && ok
	return t.command("8.2", "docker exec qcat_app /app/qcat migrate status", `applied|up to date|\d{5}`) && ok
}

// emergency is chapter 9: restarts, another database, and a restore.
func (t *test) emergency() bool {
	ok := t.command("9.1", composeFile+"restart qcat")
	ok = t.goingOn("9.1") && ok
	ok = t.command("9.1", composeFile+"restart") && ok
	ok = t.goingOn("9.1") && ok
	ok = t.command("9.1", composeFile+"down") && ok
	ok = t.command("9.1", composeFile+"up -d") && ok
	ok = t.goingOn("9.1") && ok
	ok = t.failOver() && ok
	return t.recoverData() && ok
}

// goingOn waits until all is well again.
func (t *test) goingOn(number string) bool {
	return t.check(number, "everything is healthy again, orders go on, and nothing that was acknowledged is lost", func() error {
		if err := t.engine.Settle(90 * time.Second); err != nil {
			return err
		}
		return t.goesOn()
	})
}

// standby is another Postgres in the same network: what an operator has beside it.
const standby = `cat >/srv/standby.yml <<'EOF'
name: standby
services:
  postgres-standby:
    image: postgres:15.14-bookworm
    container_name: qcat_standby
    command: ["postgres", "-c", "config_file=/etc/postgresql/postgresql.conf"]
    environment:
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?}
      POSTGRES_EXPORTER_PASSWORD: ${POSTGRES_EXPORTER_PASSWORD:?}
      DB_PASSWORD: ${DB_PASSWORD:?}
    networks: [data]
    volumes:
      - standby_data:/var/lib/postgresql/data
      - /srv/qcat/deploy/postgres/postgresql.conf:/etc/postgresql/postgresql.conf:ro
      - /srv/qcat/deploy/postgres/pg_hba.conf:/etc/postgresql/pg_hba.conf:ro
      - /srv/qcat/deploy/postgres/init:/docker-entrypoint-initdb.d:ro
    healthcheck:
      test: ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "qcat_user", "-d", "qcat"]
      interval: 1s
networks: {data: {external: true, name: qcat_data}}
volumes: {standby_data: {}}
EOF
docker-compose -f /srv/standby.yml up -d`

// failOver moves to the other database, while a client trades. What was traded since the
// backup comes from the journal; users and keys are in the backup alone.
func (t *test) failOver() bool {
	ok := t.check("9.2", "another Postgres, empty, is there", func() error {
		if err := t.shell(standby); err != nil {
			return err
		}
		return t.engine.Settle(60 * time.Second)
	})
	ok = t.command("4.2", "docker exec qcat_app /app/backup/backup.sh backup", "qcat_backup_") && ok
	ok = t.check("9.2", "trading goes on after that backup", t.goesOn) && ok
	file, err := newestBackup()
	if err != nil {
		return false
	}
	ok = t.command("9.2", composeFile+"stop qcat") && ok
	ok = t.command("9.2", "docker stop qcat_postgres") && ok
	ok = t.check("9.2", "编辑.env文件，指向备用数据库 (DB_HOST=postgres-standby)", func() error { return t.set("DB_HOST", "postgres-standby") }) && ok
	ok = t.command("9.2", composeFile+"run --rm --no-deps --entrypoint /app/backup/backup.sh qcat restore "+filepath.Base(file)+" --only database", "content hash equal") && ok
	ok = t.command("9.2", composeFile+"run --rm --no-deps migrate") && ok
	ok = t.corrected("9.2", composeFile+"start qcat", composeFile+"up -d --no-deps qcat",
		"start takes the container with the settings that it was made with") && ok
	ok = t.check("9.2", "orders go on, and nothing that was acknowledged is lost", t.goesOn) && ok
	return t.check("9.2", "the other database has caught up from the journal: orders and executions are those of the first", func() error {
		if err := t.shell("docker start qcat_postgres"); err != nil {
			return err
		}
		return eventually(60*time.Second, t.sameHistory)
	}) && ok
}

// sameHistory compares what the first database had with the same of the second: every row
// that a record of the journal left so, up to the last that the first one saw.
func (t *test) sameHistory() error {
	for _, table := range []string{"orders", "executions"} {
		first, err := t.output(`docker exec qcat_postgres psql -U qcat_user -d qcat -XAtc "SELECT coalesce(max(seq), 0) FROM ` + table + `"`)
		if err != nil {
			return errors.New(first)
		}
		most := strings.TrimSpace(first)
		ask := `psql -U qcat_user -d qcat -XAtc "SELECT count(*), md5(string_agg(to_jsonb(t)::text, ',' ORDER BY to_jsonb(t)::text)) FROM ` + table + ` t WHERE seq <= ` + most + `"`
		old, err := t.output("docker exec qcat_postgres " + ask)
		if err != nil {
			return errors.New(old)
		}
		now, err := t.output("docker exec qcat_standby " + ask)
		if err != nil {
			return errors.New(now)
		}
		if old != now || strings.HasPrefix(old, "0|") {
			return fmt.Errorf("%s up to record %s: %s in the first, %s in the second", table, most, old, now)
		}
	}
	return nil
}

// recoverData is 9.3, back at the first database.
func (t *test) recoverData() bool {
	t.site.trader.pause()
	defer t.site.trader.resume()
	ok := t.command("9.3", composeFile+"stop qcat")
	ok = t.check("9.3", "back to the first database, whose content is older", func() error { return t.set("DB_HOST", "postgres") }) && ok
	ok = t.command("9.3", "docker start qcat_postgres && docker exec qcat_postgres /app/backup/backup.sh backup", "qcat_backup_") && ok
	file, err := newestBackup()
	if err != nil {
		return false
	}
	ok = t.corrected("9.3", "docker exec qcat_postgres /app/backup/backup.sh restore backup_file.sql.gz", "docker exec qcat_postgres /app/backup/backup.sh restore "+filepath.Base(file)+" --clean",
		"a restore takes the place of nothing that is there, unless --clean moves it aside", "content hash equal") && ok
	ok = t.corrected("9.3", composeFile+"start qcat", composeFile+"up -d --no-deps qcat", "DB_HOST has changed, see 9.2") && ok
	ok = t.check("9.3", "every order that was acknowledged is there, and the database catches up", func() error {
		if err := eventually(60*time.Second, func() error { return t.shell("curl -fsS http://localhost:8082/ready") }); err != nil {
			return err
		}
		return eventually(30*time.Second, t.site.trader.nothingLost)
	}) && ok
	return ok
}
