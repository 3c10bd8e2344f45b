package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// backUp is chapter 4: backups are made and checked, everything is destroyed, and comes back.
func (t *test) backUp() bool {
	ok := t.corrected("4.1", "0 2 * * * /app/backup/backup.sh backup", `docker exec qcat_app grep '^backup-schedule: "0 2 \* \* \*"' /app/configs/config.yaml`,
		"there is no cron in the container, nor that path on the machine: the server itself keeps this schedule, by its setting")
	ok = t.command("4.2", "docker exec qcat_app /app/backup/backup.sh backup", `qcat_backup_\d{8}_\d{6}`) && ok
	ok = t.command("4.2", "docker exec qcat_app /app/backup/backup.sh list", `qcat_backup_\d{8}_\d{6}.*complete`) && ok
	ok = t.command("4.3", "docker exec qcat_app /app/backup/backup.sh verify", "is whole") && ok
	ok = t.check("4.1", "the age of that backup is a metric", func() error {
		return allHaveData([]string{"time() - qcat_backup_last_success_timestamp_seconds < 600", "qcat_backup_verified == 1"}, 90*time.Second)
	}) && ok
	file, err := newestBackup()
	if err != nil {
		return t.check("4.3", "a backup is in /app/backups", func() error { return err })
	}
	ok = t.corrected("4.3", "gunzip -t backup_file.sql.gz", "gunzip -t "+file, "the file is in the folder of backups") && ok
	ok = t.check("4.2", "restore is refused while the server runs", func() error {
		if out, err := t.output("docker exec qcat_app /app/backup/backup.sh restore " + filepath.Base(file)); err == nil {
			return errors.New("it is not:\n" + out)
		}
		return nil
	}) && ok
	return t.destroyAndRestore() && ok
}

// newestBackup is a file of the newest backup, as the host has it.
func newestBackup() (string, error) {
	files, err := filepath.Glob("/app/backups/qcat_backup_*.sql.gz")
	if err != nil || len(files) == 0 {
		return "", errors.Join(err, errors.New("there is no backup"))
	}
	return slices.Max(files), nil
}

// destroyAndRestore compares what there is before the database and the data directory are
// destroyed with what a restore makes of a backup.
func (t *test) destroyAndRestore() bool {
	t.site.trader.pause()
	defer t.site.trader.resume()
	ok := t.command("9.3", composeFile+"stop qcat")
	ok = ok && t.command("4.2", "docker exec qcat_postgres /app/backup/backup.sh backup", "qcat_backup_")
	var before, after string
	ok = ok && t.check("4.2", "the state of the journal is folded, and its hash noted", func() (err error) {
		before, err = t.journalHash()
		return err
	})
	ok = ok && t.check("4.2", "the database is dropped, and the data directory emptied", func() error {
		return t.shell(`docker exec qcat_postgres psql -U postgres -v ON_ERROR_STOP=1 -c 'DROP DATABASE qcat WITH (FORCE)' -c 'CREATE DATABASE qcat OWNER qcat_user' &&
docker exec qcat_postgres sh -c 'rm -rf /app/data/* && ls -A /app/data | wc -l'`, `\n0\n`)
	})
	if !ok {
		return false
	}
	file, err := newestBackup()
	if err != nil {
		return false
	}
	ok = t.corrected("4.2", "docker exec qcat_app /app/backup/backup.sh restore qcat_backup_20241201_020000.sql.gz",
		"docker exec qcat_postgres /app/backup/backup.sh restore "+filepath.Base(file),
		"the server must be stopped for a restore, and with it its container: the tools are in that of the database, too",
		`content hash equal`, `journal whole`)
	ok = ok && t.check("4.2", "the state that is folded from the restored journal has the same hash", func() (err error) {
		if after, err = t.journalHash(); err == nil && after != before {
			err = fmt.Errorf("%s before, %s after", before, after)
		}
		return err
	})
	ok = ok && t.command("9.3", composeFile+"start qcat")
	return ok && t.check("4.2", "every order that was acknowledged before is there", func() error {
		if err := eventually(60*time.Second, func() error { return t.shell("curl -fsS http://localhost:8082/ready") }); err != nil {
			return err
		}
		return eventually(30*time.Second, t.site.trader.nothingLost)
	})
}

var stateHash = regexp.MustCompile(`([0-9a-f]{32,})  at record (\d+)`)

// journalHash folds the journal of a stopped server.
func (t *test) journalHash() (string, error) {
	out, err := t.output("docker exec qcat_postgres /app/qcat journal hash --data-dir /app/data")
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	found := stateHash.FindString(out)
	if found == "" {
		return "", errors.New("no hash: " + out)
	}
	return found, nil
}
