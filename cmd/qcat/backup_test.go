package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"qcat/api/client"
	"qcat/persist/backup"
	"qcat/persist/postgres/pgtest"
)

// TestBackupWipeRestoreServe is a restore of a backup into an empty machine: the state
// hash, the content hash and the history are those of the machine that was lost.
func TestBackupWipeRestoreServe(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{backup.KindEmbedded, backup.KindPostgres} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var old, empty []string
			if kind == backup.KindPostgres {
				old, empty = []string{"--database-url", pgtest.URL(t)}, []string{"--database-url", pgtest.URL(t)}
				mustRun(t, append([]string{"migrate"}, old...)...)
			}
			p := serve(t, append([]string{"--demo"}, old...)...)
			p.live(btc)
			for i := range 5 {
				p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010", ClientOrderID: strconv.Itoa(i)})
			}
			eventually(t, "the store has the fills", func() bool { return len(executions(p)) == 5 })

			backups := []string{"--backup-dir", t.TempDir()}
			create := append(append([]string{"backup", "create", "--data-dir", p.dataDir}, backups...), old...)
			mustRun(t, create...) // beside the server
			mustRun(t, append([]string{"backup", "verify"}, backups...)...)
			want := executions(p)
			if code := p.stop(); code != 0 {
				t.Fatalf("exit code %d: %s", code, p.stderr.String())
			}
			var last backup.Manifest
			into(t, mustRun(t, append(create, "--json")...), &last)
			hash := stateHash(t, p.dataDir)

			data := t.TempDir()
			restore := append(append([]string{"backup", "restore", last.Name, "--data-dir", data}, backups...), empty...)
			if out := mustRun(t, restore...); !strings.Contains(out, "content hash equal") || !strings.Contains(out, "is restored in ") {
				t.Errorf("restore printed %s", out)
			}
			if got := stateHash(t, data); got != hash {
				t.Errorf("state hash %s instead of %s", got, hash)
			}
			q := serve(t, append([]string{"--demo", "--data-dir", data}, empty...)...)
			eventually(t, "the history is that of before", func() bool {
				return bytes.Equal(encoded(t, executions(q)), encoded(t, want))
			})
			// A server that runs keeps its data directory.
			code, _, stderr := qcat(t, append(restore, "--clean")...)
			if code == 0 || !strings.Contains(stderr, "in use") {
				t.Errorf("restore into a running server: exit code %d, %s", code, stderr)
			}
		})
	}
}

// executions are the history of fills.
func executions(p *process) (rows []map[string]any) {
	a := p.ask("GET", "/api/v1/executions?account=demo", nil)
	if a.status == http.StatusOK {
		a.into(p.t, &rows)
	}
	return rows
}

// stateHash folds the journal of a data directory from its first record on.
func stateHash(t *testing.T, dataDir string) string {
	t.Helper()
	var out struct{ Hash string }
	into(t, mustRun(t, "journal", "hash", "--no-snapshots", "--json", "--data-dir", dataDir), &out)
	if len(out.Hash) != 64 {
		t.Fatalf("hash %q", out.Hash)
	}
	return out.Hash
}

// mustRun runs the binary and returns what it prints.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := qcat(t, args...)
	if code != 0 {
		t.Fatalf("qcat %s: exit code %d: %s", strings.Join(args[:2], " "), code, stderr)
	}
	return stdout
}

func into(t *testing.T, text string, out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestBackupScript runs deploy/backup/backup.sh as the operations manual does.
func TestBackupScript(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	p.live(btc)
	script, err := filepath.Abs("../../deploy/backup/backup.sh")
	if err != nil {
		t.Fatal(err)
	}
	bin, err := binary(true)
	if err != nil {
		t.Fatal(err)
	}
	work, data := t.TempDir(), t.TempDir()
	sh := func(ok bool, dataDir string, args ...string) string {
		t.Helper()
		cmd := exec.Command(script, args...)
		cmd.Dir = work
		cmd.Env = append(command(t).Env, "QCAT_BIN="+bin, "QCAT_DATA_DIR="+dataDir, "BACKUP_DIR="+filepath.Join(work, "backups"), "BACKUP_RETENTION_DAYS=30")
		out, err := cmd.CombinedOutput()
		if (err == nil) != ok {
			t.Fatalf("backup.sh %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	if out := sh(false, data, "backup"); !strings.Contains(out, "holds no database; qcat serve makes the embedded one, --database-url or DATABASE_URL names a Postgres") {
		t.Errorf("backup of nothing: %s", out)
	}
	name := strings.Fields(sh(true, p.dataDir, "backup"))[0]
	if out := sh(true, "", "list"); !strings.Contains(out, name) || !strings.Contains(out, "complete") {
		t.Errorf("list: %s", out)
	}
	sh(true, "", "verify")
	sh(true, "", "verify", name+".sql.gz")
	if out := sh(true, "", "cleanup"); !strings.Contains(out, "no backup is older than 30 days") {
		t.Errorf("cleanup: %s", out)
	}
	if out := sh(false, p.dataDir, "restore", name+".sql.gz"); !strings.Contains(out, "in use by process") {
		t.Errorf("restore into a running server: %s", out)
	}
	sh(true, data, "restore", filepath.Join(work, "backups", name+".sql.gz"))
	if out := sh(false, data, "restore", name+".sql.gz"); !strings.Contains(out, "not empty") {
		t.Errorf("restore again: %s", out)
	}
	var rows []backup.Entry
	into(t, sh(true, "", "list", "--json"), &rows)
	if len(rows) != 1 || rows[0].Name != name || rows[0].State != backup.StateComplete || rows[0].Seq == 0 {
		t.Errorf("list --json: %+v", rows)
	}
	sh(false, "", "restore", "qcat_backup_20000101_000000.sql.gz")
	sh(false, "", "no-such-command")
	if err := os.Remove(filepath.Join(work, "backups", name+".json")); err != nil {
		t.Fatal(err)
	}
	if out := sh(true, "", "list"); !strings.Contains(out, "incomplete") {
		t.Errorf("list: %s", out)
	}
}
