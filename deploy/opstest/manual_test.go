package main

import (
	"os"
	"strings"
	"testing"
)

// TestCorrectionsAreInTheManuals: what this test runs instead of a command of the first
// edition is what both manuals tell an operator to type.
func TestCorrectionsAreInTheManuals(t *testing.T) {
	for _, name := range []string{"operations.md", "operations.zh.md"} {
		text, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{
			"docker exec qcat_postgres /app/backup/backup.sh restore qcat_backup_20241201_020000.sql.gz --clean",
			"gunzip -t /app/backups/qcat_backup_20241201_020000.sql.gz",
			`docker exec qcat_postgres psql -U qcat_user -d postgres -c "SELECT query, mean_exec_time, calls FROM pg_stat_statements ORDER BY mean_exec_time DESC LIMIT 10;"`,
			`docker exec qcat_postgres psql -U qcat_user -d qcat -c "SELECT schemaname, relname, indexrelname, idx_scan, idx_tup_read, idx_tup_fetch FROM pg_stat_user_indexes ORDER BY idx_scan DESC;"`,
			composeFile + "run --rm migrate",
			composeFile + "run --rm --no-deps preflight",
			composeFile + "up -d --no-deps qcat",
			composeFile + "run --rm --no-deps --entrypoint /app/backup/backup.sh qcat restore qcat_backup_20241201_020000.sql.gz --only database",
			composeFile + "run --rm --no-deps migrate",
			manualRotation,
		} {
			if !strings.Contains(string(text), command) {
				t.Errorf("docs/%s does not have\n%s", name, command)
			}
		}
	}
}
