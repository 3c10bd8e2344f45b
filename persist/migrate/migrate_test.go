package migrate_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/store"
)

// childURL makes this test binary a process that migrates the database it names.
const childURL = "QCAT_MIGRATE_TEST_URL"

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		if err := migrateChild(url); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func migrateChild(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := postgres.OpenDB(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	done, err := migrate.Up(ctx, migrate.Postgres, db)
	if err == nil {
		for _, s := range done {
			os.Stdout.WriteString(s.Name + "\n")
		}
	}
	return err
}

func openDB(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := postgres.OpenDB(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// schema is a fingerprint of everything that a migration may make: relations, columns,
// indexes, functions.
func schema(t *testing.T, db *sql.DB) string {
	t.Helper()
	var s sql.NullString
	err := db.QueryRowContext(t.Context(), `SELECT string_agg(x, E'\n' ORDER BY x) FROM (
		SELECT format('%s.%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull) AS x
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
			WHERE c.relnamespace = current_schema()::regnamespace AND c.relname NOT LIKE 'goose%'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename NOT LIKE 'goose%'
		UNION ALL SELECT oid::regprocedure::text || prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace) all_of_it`).Scan(&s)
	if err != nil {
		t.Fatal(err)
	}
	return s.String
}

func version(t *testing.T, db *sql.DB) int64 {
	t.Helper()
	v, err := migrate.Version(t.Context(), migrate.Postgres, db)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestForwardAndBack takes every step back one by one and forward again: each must undo
// exactly what it did.
func TestForwardAndBack(t *testing.T) {
	ctx := t.Context()
	db := openDB(t, pgtest.URL(t))
	latest, err := migrate.Latest(migrate.Postgres)
	if err != nil || latest < 5 {
		t.Fatalf("latest is %d (%v)", latest, err)
	}
	if v := version(t, db); v != 0 {
		t.Fatalf("an empty database has version %d", v)
	}
	if err := migrate.Check(ctx, migrate.Postgres, db); !errors.Is(err, store.ErrSchema) || !strings.Contains(err.Error(), "qcat migrate") {
		t.Errorf("an empty database is checked as %v", err)
	}
	if schema(t, db) != "" {
		t.Fatal("looking at a database changed it")
	}
	done, err := migrate.Up(ctx, migrate.Postgres, db)
	if err != nil || int64(len(done)) != latest || version(t, db) != latest {
		t.Fatalf("up did %d steps, version %d (%v)", len(done), version(t, db), err)
	}
	if err := migrate.Check(ctx, migrate.Postgres, db); err != nil {
		t.Error(err)
	}
	whole := schema(t, db)
	if done, err = migrate.Up(ctx, migrate.Postgres, db); err != nil || len(done) != 0 {
		t.Errorf("a second up did %v (%v)", done, err)
	}
	for v := latest; v > 0; v-- {
		if done, err = migrate.Down(ctx, migrate.Postgres, db); err != nil || len(done) != 1 || done[0].Version != v || version(t, db) != v-1 {
			t.Fatalf("down from %d did %v (%v)", v, done, err)
		}
	}
	if left := schema(t, db); left != "" {
		t.Errorf("taking all steps back leaves\n%s", left)
	}
	if done, err = migrate.Down(ctx, migrate.Postgres, db); err != nil || len(done) != 0 {
		t.Errorf("down of an empty database did %v (%v)", done, err)
	}
	if _, err = migrate.Up(ctx, migrate.Postgres, db); err != nil || schema(t, db) != whole {
		t.Errorf("the second time the schema is another (%v)", err)
	}
	if done, err = migrate.DownTo(ctx, migrate.Postgres, db, 2); err != nil || int64(len(done)) != latest-2 || version(t, db) != 2 {
		t.Errorf("down to 2 did %v (%v)", done, err)
	}
	steps, err := migrate.Status(ctx, migrate.Postgres, db)
	if err != nil || int64(len(steps)) != latest {
		t.Fatalf("status has %d steps (%v)", len(steps), err)
	}
	for i, s := range steps {
		if s.Applied() != (i < 2) || s.Version != int64(i+1) || !strings.HasSuffix(s.Name, ".sql") {
			t.Errorf("step %+v", s)
		}
		if s.Applied() && time.Since(s.AppliedAt).Abs() > time.Hour {
			t.Errorf("step %d was applied at %v", s.Version, s.AppliedAt)
		}
	}
}

// TestNewerSchema: what a newer program made is not touched.
func TestNewerSchema(t *testing.T) {
	ctx := t.Context()
	url := pgtest.URL(t)
	db := openDB(t, url)
	if _, err := migrate.Up(ctx, migrate.Postgres, db); err != nil {
		t.Fatal(err)
	}
	latest := version(t, db)
	if _, err := db.ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)", latest+7); err != nil {
		t.Fatal(err)
	}
	whole := schema(t, db)
	for name, f := range map[string]func(context.Context, migrate.Dialect, *sql.DB) ([]migrate.Step, error){"up": migrate.Up, "down": migrate.Down} {
		if done, err := f(ctx, migrate.Postgres, db); !errors.Is(err, store.ErrSchema) || len(done) != 0 {
			t.Errorf("%s did %v: %v", name, done, err)
		}
	}
	if err := migrate.Check(ctx, migrate.Postgres, db); !errors.Is(err, store.ErrSchema) {
		t.Errorf("check: %v", err)
	}
	if _, err := postgres.Open(ctx, postgres.Config{URL: url}); !errors.Is(err, store.ErrSchema) {
		t.Errorf("open: %v", err)
	}
	if schema(t, db) != whole || version(t, db) != latest+7 {
		t.Error("the newer schema was changed")
	}
	steps, err := migrate.Status(ctx, migrate.Postgres, db)
	if err != nil || steps[len(steps)-1].Version != latest+7 || steps[len(steps)-1].Name != "" {
		t.Errorf("status %v (%v)", steps, err)
	}
}

// TestTwoProcesses starts several processes at once on an empty database: each step is
// applied by exactly one of them, and none fails.
func TestTwoProcesses(t *testing.T) {
	url := pgtest.URL(t)
	const processes = 4
	type result struct {
		out []byte
		err error
	}
	results := make(chan result, processes)
	for range processes {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childURL+"="+url)
		go func() {
			out, err := cmd.CombinedOutput()
			results <- result{out, err}
		}()
	}
	var applied []string
	for range processes {
		r := <-results
		if r.err != nil {
			t.Errorf("%v: %s", r.err, r.out)
		}
		applied = append(applied, strings.Fields(string(r.out))...)
	}
	slices.Sort(applied)
	latest, _ := migrate.Latest(migrate.Postgres)
	if int64(len(applied)) != latest || len(slices.Compact(slices.Clone(applied))) != len(applied) {
		t.Errorf("applied %v", applied)
	}
}

// TestWaitsForTheLock: while another session migrates, nothing happens; giving up leaves
// nothing behind.
func TestWaitsForTheLock(t *testing.T) {
	db := openDB(t, pgtest.URL(t))
	holder, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	if _, err := holder.ExecContext(t.Context(), "SELECT pg_advisory_lock($1)", int64(0x71636174)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if done, err := migrate.Up(ctx, migrate.Postgres, db); !errors.Is(err, context.DeadlineExceeded) || len(done) != 0 {
		t.Errorf("up did %v: %v", done, err)
	}
	if schema(t, db) != "" {
		t.Error("something was made without the lock")
	}
	if _, err := holder.ExecContext(t.Context(), "SELECT pg_advisory_unlock($1)", int64(0x71636174)); err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.Up(t.Context(), migrate.Postgres, db); err != nil {
		t.Error(err)
	}
}
