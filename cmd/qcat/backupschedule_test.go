package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/persist/backup"
	"qcat/persist/postgres/pgtest"
)

// yearly is a schedule whose last time has passed and whose next is far away.
const yearly = "--backup-schedule=0 0 1 1 *"

// TestScheduledBackup: the server makes up for a backup that was missed, in the background,
// verified; it is on /metrics, and another server counts it.
func TestScheduledBackup(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{backup.KindEmbedded, backup.KindPostgres} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := append([]string{"--demo", "--backup-dir", dir, yearly}, small...)
			if kind == backup.KindPostgres {
				args = append(args, "--database-url", migrated(t, pgtest.URL(t)))
			}
			p := serve(t, args...)
			p.live(btc)
			p.until(p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"}).OrderID, "filled")
			p.untilMetric("qcat_backup_verified", 1)
			if at := p.metric("qcat_backup_last_success_timestamp_seconds"); time.Since(time.Unix(int64(at), 0)) > time.Minute {
				t.Errorf("the last was made at %v", at)
			}
			for _, name := range []string{"qcat_backup_last_duration_seconds", "qcat_backup_last_bytes"} {
				if v := p.metric(name); v <= 0 {
					t.Errorf("%s is %v", name, v)
				}
			}
			if v := p.metric("qcat_backup_failures_total"); v != 0 {
				t.Errorf("%v failures", v)
			}
			if p.logged("backup made and verified").Msg == "" {
				t.Errorf("log:\n%s", p.stderr.String())
			}
			if out := mustRun(t, "backup", "list", "--backup-dir", dir); !strings.Contains(out, "complete, verified") {
				t.Error(out)
			}
			p.stopped()
			q := serveIn(t, p.dataDir, args...)
			q.untilMetric("qcat_backup_verified", 1)
			q.stopped()
			if all, err := backup.List(dir); err != nil || len(all) != 1 {
				t.Errorf("%d backups, %v", len(all), err)
			}
		})
	}
}

// untilMetric waits until a series without labels has a value.
func (p *process) untilMetric(name string, want float64) {
	p.t.Helper()
	eventuallyOr(p.t, func() string { return name + "\n" + tail(p.stderr.String()) }, func() bool { return p.metric(name) == want })
}

// TestBackupThatCannotBeMade: a folder that cannot be written to, and a process that is
// killed in the middle, are told at ERROR and counted; the server goes on.
func TestBackupThatCannotBeMade(t *testing.T) {
	t.Parallel()
	t.Run("no folder", func(t *testing.T) {
		t.Parallel()
		p := serve(t, append([]string{"--demo", "--backup-dir", filepath.Join(fileWith(t, "file", nil), "below"), yearly}, small...)...)
		p.untilMetric("qcat_backup_failures_total", 1)
		if l := p.logged("a scheduled backup was not made"); l.Level != "ERROR" {
			t.Errorf("log: %+v", l)
		}
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		// Its pg_dump does nothing, and waits.
		tools, dir := t.TempDir(), t.TempDir()
		dump := "#!/bin/sh\ncase \"$1\" in --version) echo 'pg_dump (PostgreSQL) 15.0' ;; *) exec sleep 600 ;; esac\n"
		if err := os.WriteFile(filepath.Join(tools, "pg_dump"), []byte(dump), 0o700); err != nil {
			t.Fatal(err)
		}
		data := t.TempDir()
		cmd := command(t, append([]string{"serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", data, "--backup-dir", dir, yearly,
			"--database-url", migrated(t, pgtest.URL(t))}, small...)...)
		cmd.Env = append(cmd.Env, "QCAT_POSTGRES_BIN="+tools, "PATH=/usr/bin:/bin")
		p := start(t, data, cmd)
		var child int
		eventually(t, "a backup is being made", func() bool {
			partial, err := filepath.Glob(filepath.Join(dir, "*.partial"))
			child = childOf(t, p.cmd.Process.Pid)
			return err == nil && len(partial) > 0 && child != 0
		})
		p.untilMetric("qcat_backup_running", 1)
		nice, err := syscall.Getpriority(syscall.PRIO_PROCESS, child)
		if err != nil || 20-nice != lowest {
			t.Errorf("nice value %d, %v", 20-nice, err)
		}
		if code, _, errs := qcat(t, "backup", "create", "--backup-dir", dir, "--data-dir", data, "--database-url", "postgres://127.0.0.1:1/x"); code != exitLater || !strings.Contains(errs, "another process is making") {
			t.Errorf("another meanwhile: exit code %d, %q", code, errs)
		}
		if err := syscall.Kill(-child, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		p.untilMetric("qcat_backup_failures_total", 1)
		all, err := backup.List(dir)
		if err != nil || len(all) != 1 || all[0].State != backup.StateIncomplete {
			t.Errorf("left: %+v, %v", all, err)
		}
		p.live(btc)
		p.stopped()
	})
}

// childOf is a child of a process, 0 when there is none.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0
	}
	child, err := strconv.Atoi(strings.Fields(string(out))[0])
	if err != nil {
		t.Fatal(err)
	}
	return child
}

// TestBadSchedule refuses what cannot be read.
func TestBadSchedule(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{
		"--backup-schedule=daily":    "backup-schedule: schedule: ",
		"--backup-retention=-1h":     "backup-retention: ",
		"--backup-schedule=TZ=X * *": "is no time zone",
	} {
		if code, _, errs := qcat(t, "serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), flag); code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %q", flag, code, errs)
		}
	}
}
