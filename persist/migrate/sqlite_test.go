package migrate_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"qcat/persist/migrate"
	"qcat/persist/sqlite"
	"qcat/persist/store"
)

func openFile(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sqlite.OpenDB(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestEmbeddedForwardAndBack(t *testing.T) {
	ctx := t.Context()
	db := openFile(t, filepath.Join(t.TempDir(), "qcat.db"))
	latest, err := migrate.Latest(migrate.SQLite)
	if err != nil || latest < 1 {
		t.Fatalf("latest is %d (%v)", latest, err)
	}
	for range 2 {
		done, err := migrate.Up(ctx, migrate.SQLite, db)
		if err != nil || int64(len(done)) != latest {
			t.Fatalf("up did %v (%v)", done, err)
		}
		if err := migrate.Check(ctx, migrate.SQLite, db); err != nil {
			t.Error(err)
		}
		if done, err = migrate.DownTo(ctx, migrate.SQLite, db, 0); err != nil || int64(len(done)) != latest {
			t.Fatalf("down did %v (%v)", done, err)
		}
	}
	var left int
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'").Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("taking all steps back leaves %d things (%v)", left, err)
	}
	if _, err := migrate.Up(ctx, migrate.SQLite, db); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)", latest+1); err != nil {
		t.Fatal(err)
	}
	for _, f := range []func(context.Context, migrate.Dialect, *sql.DB) ([]migrate.Step, error){migrate.Up, migrate.Down} {
		if _, err := f(ctx, migrate.SQLite, db); !errors.Is(err, store.ErrSchema) {
			t.Errorf("a newer schema: %v", err)
		}
	}
}

// TestEmbeddedTwoAtOnce opens one file several times, as processes would: flock tells open
// files apart, not processes.
func TestEmbeddedTwoAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qcat.db")
	latest, _ := migrate.Latest(migrate.SQLite)
	var wg sync.WaitGroup
	var mu sync.Mutex
	applied := 0
	for range 4 {
		db := openFile(t, path)
		wg.Go(func() {
			done, err := migrate.Up(t.Context(), migrate.SQLite, db)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			applied += len(done)
		})
	}
	wg.Wait()
	if int64(applied) != latest {
		t.Errorf("%d steps were applied, there are %d", applied, latest)
	}
}

func TestEmbeddedWaitsForTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qcat.db")
	db := openFile(t, path)
	f, err := os.Create(path + ".migrate.lock")
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if done, err := migrate.Up(ctx, migrate.SQLite, db); !errors.Is(err, context.DeadlineExceeded) || len(done) != 0 {
		t.Errorf("up did %v: %v", done, err)
	}
	f.Close()
	if _, err := migrate.Up(t.Context(), migrate.SQLite, db); err != nil {
		t.Error(err)
	}
}
