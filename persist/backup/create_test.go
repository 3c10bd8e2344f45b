package backup_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"qcat/persist/backup"
)

// version is what the server's own pg_dump says of itself: of all that fit, the one
// in QCAT_POSTGRES_BIN is taken.
func (b *bed) version() string {
	b.t.Helper()
	return "pg_dump (PostgreSQL) " + psql(b.t, b.url, "SHOW server_version")
}

// fakeTools is a folder with a pg_dump and a psql of that version that do what body says.
func fakeTools(t *testing.T, version, body string) func(string) string {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\n[ \"$1\" = --version ] && echo '" + strings.TrimSpace(version) + "' && exit\n" + body + "\n"
	for _, name := range []string{"pg_dump", "psql"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string {
		if name == "QCAT_POSTGRES_BIN" {
			return dir
		}
		return ""
	}
}

// nothingLeft wants a folder of backups without files.
func (b *bed) nothingLeft() {
	b.t.Helper()
	files, err := os.ReadDir(b.dir)
	b.must(err)
	for _, f := range files {
		if f.Name() != ".lock" {
			b.t.Errorf("left behind: %s", f.Name())
		}
	}
}

// A pg_dump that fails, even after it has written most of the text, fails the backup.
func TestFailingPgDump(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindPostgres)
	cfg := b.createConfig()
	cfg.Database = backup.Postgres{URL: b.url, Getenv: fakeTools(t, b.version(),
		"echo 'CREATE TABLE half ('; echo 'server closed the connection unexpectedly' >&2; exit 1")}
	_, err := backup.Create(t.Context(), cfg)
	if errors.Is(err, backup.ErrTools) || err == nil || !strings.Contains(err.Error(), "server closed the connection") {
		t.Errorf("got %v", err)
	}
	b.nothingLeft()
}

func TestOldPgDumpIsRefused(t *testing.T) {
	old := backup.MajorTools(t.Context(), fakeTools(t, "pg_dump (PostgreSQL) 9.6.1", "exit 0"), 15)
	if !errors.Is(old, backup.ErrTools) || !strings.Contains(old.Error(), "version 15") || !strings.Contains(old.Error(), "version 9") {
		t.Errorf("got %v", old)
	}
}

// A dump that is killed with its process leaves an incomplete backup: it is listed as
// such, never restored, and does not stand in the way of the next one.
func TestKilledWhileCreating(t *testing.T) {
	if spec := os.Getenv("QCAT_BACKUP_TEST_CHILD"); spec != "" {
		parts := strings.Split(spec, "|")
		_, err := backup.Create(t.Context(), backup.CreateConfig{Dir: parts[0], DataDir: parts[1],
			Database: backup.Postgres{URL: parts[2], Getenv: fakeTools(t, parts[3], "echo half; kill -9 $PPID; sleep 5")}})
		t.Fatalf("survived: %v", err)
	}
	b := newBed(t, backup.KindPostgres)
	child := exec.Command(os.Args[0], "-test.run=^TestKilledWhileCreating$")
	child.Env = append(os.Environ(), "QCAT_BACKUP_TEST_CHILD="+b.dir+"|"+b.dataDir+"|"+b.url+"|"+b.version())
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v: %s", err, out)
	}
	list, err := backup.List(b.dir)
	b.must(err)
	if len(list) != 1 || list[0].State != backup.StateIncomplete {
		t.Fatalf("list after the kill: %+v", list)
	}
	if _, err := backup.Verify(t.Context(), b.dir, list[0].Name); !errors.Is(err, backup.ErrIncomplete) {
		t.Errorf("verify: %v", err)
	}
	if _, err := b.target().restore(list[0].Name); !errors.Is(err, backup.ErrIncomplete) {
		t.Errorf("restore: %v", err)
	}
	m := b.create()
	if m.Name == list[0].Name {
		t.Error("the name of the incomplete one was taken")
	}
}

// Disk full: the backup fails with the file system's word and leaves nothing.
func TestDiskFull(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		b.trade(2000)
		if os.Getuid() == 0 {
			b.must(syscall.Mount("tmpfs", b.dir, "tmpfs", 0, "size=32k"))
			t.Cleanup(func() { b.must(syscall.Unmount(b.dir, 0)) })
		} else {
			b.dir = "/dev/full/backups" // no folder can be made there
		}
		_, err := backup.Create(t.Context(), b.createConfig())
		if os.Getuid() == 0 && !errors.Is(err, syscall.ENOSPC) || err == nil {
			t.Fatalf("got %v", err)
		}
		if os.Getuid() == 0 {
			b.nothingLeft()
		}
	})
}

func TestCancelled(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := backup.Create(ctx, b.createConfig()); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		b.nothingLeft()
	})
}

// A database that was filled from another journal is not backed up with this one.
func TestForeignJournal(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		other := newBed(t, backup.KindEmbedded)
		cfg := b.createConfig()
		cfg.DataDir = other.dataDir
		if _, err := backup.Create(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "filled from journal") {
			t.Errorf("got %v", err)
		}
		b.nothingLeft()
	})
}

// A database that is too far behind the journal to be filled from it, such as an empty
// one that the server does not use, is not backed up with it.
func TestDatabaseThatIsNotTheServers(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		b.trade(300)
		b.snapshot()
		b.must(os.Remove(filepath.Join(b.dataDir, "journal", "journal-0000000001.seg")))
		b.create()
		other := newBed(t, b.kind)
		cfg := b.createConfig()
		cfg.Database, cfg.Dir = other.database(), t.TempDir()
		if _, err := backup.Create(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "stands at record 3 and the journal begins at") {
			t.Errorf("got %v", err)
		}
	})
}

// A damaged journal is not backed up as if it were whole.
func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindEmbedded)
	b.trade(200)
	flip(t, filepath.Join(b.dataDir, "journal", "journal-0000000001.seg"), 2000)
	if _, err := backup.Create(t.Context(), b.createConfig()); err == nil || !strings.Contains(err.Error(), "offset") {
		t.Errorf("got %v", err)
	}
	b.nothingLeft()
}

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindEmbedded)
	unlock, err := backup.Lock(b.dir)
	b.must(err)
	if _, err := backup.Create(t.Context(), b.createConfig()); !errors.Is(err, backup.ErrBusy) {
		t.Errorf("create: %v", err)
	}
	if _, err := backup.Cleanup(b.dir, time.Hour, time.Now()); !errors.Is(err, backup.ErrBusy) {
		t.Errorf("cleanup: %v", err)
	}
	unlock()
	b.create()
}

// Two backups within a second get names of their own.
func TestSameSecond(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindEmbedded)
	cfg := b.createConfig()
	now := time.Date(2024, 12, 1, 2, 0, 0, 0, time.UTC)
	cfg.Now = func() time.Time { return now }
	for _, want := range []string{"qcat_backup_20241201_020000", "qcat_backup_20241201_020001"} {
		m, err := backup.Create(t.Context(), cfg)
		b.must(err)
		if m.Name != want {
			t.Errorf("%s instead of %s", m.Name, want)
		}
	}
}

// A segment or snapshot that retention deletes meanwhile starts the archive again.
func TestRetentionMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindEmbedded)
	b.trade(50)
	cfg := b.createConfig()
	left := 2
	backup.SetArchive(&cfg, func() bool { left--; return left >= 0 })
	m, err := backup.Create(t.Context(), cfg)
	b.must(err)
	if _, err := backup.Verify(t.Context(), b.dir, m.Name); err != nil {
		t.Error(err)
	}
	backup.SetArchive(&cfg, func() bool { return true })
	if _, err := backup.Create(t.Context(), cfg); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
