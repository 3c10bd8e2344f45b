package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"qcat/core"
	"qcat/persist/sqlite"
	"qcat/persist/store"
)

func TestOnlyTheOwnerMayReadTheFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "qcat.db")
	s := open(t, keep(path))
	script{10}.fill(t, s, 0, 1)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		st, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, st.Mode())
		}
	}
}

func TestCloseLeavesOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qcat.db")
	s, err := sqlite.Open(t.Context(), keep(path))
	if err != nil {
		t.Fatal(err)
	}
	script{10}.fill(t, s, 0, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path + "-wal", path + "-shm"} {
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	script{10}.mirror().equal(t, open(t, keep(path)))
}

// TestOddPath has every character in its path that means something in a URI.
func TestOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=ro&c%20#d;é", "q'cat.db")
	script{10}.fill(t, open(t, keep(path)), 0, 1)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []sqlite.Config{
		{},
		{Path: filepath.Join(t.TempDir(), "db"), Readers: -1},
		{Path: filepath.Join(t.TempDir(), "db"), PruneInterval: -1},
		{Path: filepath.Join(t.TempDir(), "db"), CheckTimeout: -1},
	} {
		if _, err := sqlite.Open(t.Context(), cfg); !errors.Is(err, sqlite.ErrConfig) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(file, "db")}); err == nil {
		t.Error("a folder that is a file was accepted")
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qcat.db")
	s, err := sqlite.Open(t.Context(), keep(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriterExec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), keep(path)); !errors.Is(err, store.ErrSchema) {
		t.Errorf("opened with %v", err)
	}
}

func TestForeignFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qcat.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("not a database\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), keep(path))
	if !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("opened with %v", err)
	}
}

// unclean leaves a filled database as a killed process does: with its WAL. It returns
// the path of the copy.
func unclean(t *testing.T) string {
	t.Helper()
	from := filepath.Join(t.TempDir(), "qcat.db")
	s := open(t, keep(from))
	script{200}.fill(t, s, 0, 4)
	to := filepath.Join(t.TempDir(), "qcat.db")
	for _, end := range []string{"", "-wal"} {
		b, err := os.ReadFile(from + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+end, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// TestDamageAfterAnUncleanEnd overwrites a page in the middle of the file. Fault:
// bit flip, in a store that is derived: the start is refused, the message says what
// to do.
func TestDamageAfterAnUncleanEnd(t *testing.T) {
	path := unclean(t)
	core, logs := observer.New(zap.InfoLevel)
	cfg := keep(path)
	cfg.Log = zap.New(core)
	s, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	script{200}.mirror().equal(t, s)
	if logs.FilterMessageSnippet("was checked and is whole").Len() != 1 {
		t.Errorf("the check is not in the log: %v", logs.All())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	damage(t, path)
	if err := os.WriteFile(path+"-wal", []byte("a torn WAL is ignored"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(t.Context(), keep(path))
	if !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "written anew") {
		t.Errorf("opened with %v", err)
	}
}

// TestDamageMetWhileReading has the damage found by a query: there was no unclean end,
// and so no check.
func TestDamageMetWhileReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qcat.db")
	s, err := sqlite.Open(t.Context(), keep(path))
	if err != nil {
		t.Fatal(err)
	}
	script{200}.fill(t, s, 0, 4)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	damage(t, path)
	s = open(t, keep(path))
	if _, err := s.Digest(t.Context()); !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("read with %v", err)
	}
}

// damage overwrites the second half of the file but its last page.
func damage(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 2; i < len(b)-4096; i++ {
		b[i] = 0xa5
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCheckIsBounded gives the check no time at all: the start goes on and says so.
func TestCheckIsBounded(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	cfg := keep(unclean(t))
	cfg.Log, cfg.CheckTimeout = zap.New(core), time.Nanosecond
	script{200}.mirror().equal(t, open(t, cfg))
	if logs.FilterMessageSnippet("was cut short").Len() != 1 {
		t.Errorf("logged: %v", logs.All())
	}
}

// TestReadersCannotWrite shows that the pool that is handed out only reads.
func TestReadersCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qcat.db")
	s := open(t, keep(path))
	reader, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, db := range []*sql.DB{s.DB(), reader} {
		if _, err := db.ExecContext(t.Context(), "DELETE FROM accounts"); err == nil {
			t.Error("a reader deleted rows")
		}
	}
	if _, err := sqlite.OpenReader(t.Context(), path+"x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there was opened: %v", err)
	}
}

// TestJournalIsSyncedTicksAreNot holds the writer to the table in the package comment,
// and Synced to what the writer did: a follower lets go of no record whose rows a power
// cut may take. (Fault table: power cut, a store behind what it had said.)
func TestJournalIsSyncedTicksAreNot(t *testing.T) {
	const normal, full = 1, 2
	clock := core.NewManualClock(scriptDay)
	cfg := keep(filepath.Join(t.TempDir(), "qcat.db"))
	cfg.Clock, cfg.SyncEvery = clock, 3*time.Second
	s := open(t, cfg)
	src, written := script{10}, [store.NumStreams]int{}
	for n, c := range []struct {
		stream store.Stream
		after  time.Duration
		mode   int64
		synced uint64 // batches
	}{
		{store.Ticks, 0, normal, 0},
		{store.Journal, 0, full, 1},
		{store.Ticks, time.Second, normal, 1},
		{store.Journal, time.Second, normal, 1},
		{store.Ticks, time.Second, normal, 1},
		{store.Journal, 0, full, 3},
		{store.Journal, time.Second, normal, 3},
		{store.Journal, -time.Hour, full, 5},
	} {
		clock.Advance(c.after)
		b := src.batch(c.stream, written[c.stream])
		written[c.stream]++
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if mode, err := s.WriterPragma(t.Context(), "synchronous"); err != nil || mode != c.mode {
			t.Errorf("write %d, %s: synchronous = %d, %v", n, c.stream, mode, err)
		}
		want := uint64(0)
		if c.synced > 0 {
			want = src.batch(store.Journal, int(c.synced)-1).To
		}
		if got := s.Synced(store.Journal); got != want {
			t.Errorf("write %d: synced up to %d, want %d", n, got, want)
		}
		if got := s.Synced(store.Ticks); got != math.MaxUint64 {
			t.Errorf("ticks are held at %d", got)
		}
	}
}
