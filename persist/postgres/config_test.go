package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"qcat/core/history"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/store"
)

func TestURLFromEnv(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, ""},
		{map[string]string{"DATABASE_URL": "postgres://a@b/c", "DB_HOST": "other"}, "postgres://a@b/c"},
		{map[string]string{"DB_HOST": "db"}, "postgres://qcat@db:5432/qcat"},
		{map[string]string{"DB_PASSWORD": "p@ss/w:rd?#%"}, "postgres://qcat:p%40ss%2Fw%3Ard%3F%23%25@localhost:5432/qcat"},
		{map[string]string{"DB_HOST": "::1", "DB_PORT": "6432", "DB_NAME": "n", "DB_USER": "u", "DB_PASSWORD": "p"}, "postgres://u:p@[::1]:6432/n"},
		{map[string]string{"DB_HOST": "/run/pg", "DB_NAME": "n"}, "postgres://qcat@/n?host=%2Frun%2Fpg&port=5432"},
	} {
		got := postgres.URLFromEnv(func(key string) string { return c.env[key] })
		if got != c.want {
			t.Errorf("%v: %s, want %s", c.env, got, c.want)
		}
		if got == "" {
			continue
		}
		config, err := pgx.ParseConfig(got)
		if err != nil {
			t.Errorf("%s: %v", got, err)
		} else if want := c.env["DB_PASSWORD"]; config.Password != want {
			t.Errorf("the password %q became %q", want, config.Password)
		}
	}
}

// TestErrorsHideThePassword opens what cannot be opened in several ways.
func TestErrorsHideThePassword(t *testing.T) {
	const secret = "hunter2"
	for _, url := range []string{
		"postgres://u:" + secret + "@127.0.0.1:1/x",
		"postgres://u:" + secret + "@no such host/x",
		"postgres://u:" + secret + "@127.0.0.1:port/x",
		"postgres://u:" + secret + "%zz@127.0.0.1/x",
		"host=127.0.0.1 port=1 password=" + secret + " sslmode=nonsense",
		"password=" + secret + " port=x",
		secret,
	} {
		_, err := postgres.Open(t.Context(), postgres.Config{URL: url, ConnectTimeout: time.Second, ReadTimeout: time.Second})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("open %s: %v", url, err)
		}
		if _, err = postgres.OpenDB(t.Context(), url); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("open db %s: %v", url, err)
		}
	}
}

// waitsForLock returns once another session of tx's database waits for a lock.
func waitsForLock(ctx context.Context, tx pgx.Tx) error {
	const waiters = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		if err := tx.QueryRow(ctx, waiters).Scan(&waiting); err != nil {
			return err
		}
	}
	return nil
}

// TestSlowQuery holds a lock that readers need, so that a question takes its time.
func TestSlowQuery(t *testing.T) {
	url := migrated(t, pgtest.URL(t))
	logged, lines := observer.New(zap.DebugLevel)
	const slow = 50 * time.Millisecond
	s := open(t, postgres.Config{URL: url, SlowQuery: slow, Log: zap.New(logged)})
	ctx := t.Context()
	if _, err := s.Audit(ctx, history.EventQuery{Action: "secret", Limit: 1}); err != nil {
		t.Fatal(err)
	}
	before := lines.Len() // a loaded machine may be slow by itself
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE audit IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	released := make(chan error, 1)
	go func() {
		seen := waitsForLock(ctx, tx)
		time.Sleep(2 * slow) // from here on it waits for this long, whenever it came
		released <- errors.Join(seen, tx.Rollback(ctx))
	}()
	_, err = s.Audit(ctx, history.EventQuery{Action: "secret", Limit: 1})
	if err := errors.Join(err, <-released); err != nil {
		t.Fatal(err)
	}
	entries := lines.All()[before:]
	if len(entries) != 1 {
		t.Fatalf("%d lines: %v", len(entries), entries)
	}
	e := entries[0]
	fields := e.ContextMap()
	if e.Message != "slow query" || e.Level != zap.WarnLevel || fields["query"] != "audit" || fields["rows"] != int64(0) {
		t.Errorf("logged %q %v", e.Message, fields)
	}
	if took, ok := fields["took"].(time.Duration); !ok || took < slow {
		t.Errorf("took %v", fields["took"])
	}
	for key, v := range fields {
		if text, ok := v.(string); ok && strings.Contains(text, "secret") {
			t.Errorf("%s has a parameter: %s", key, text)
		}
	}
}

// TestReadTimeout: a reader that a lock holds up gives up in time, and the next one is answered.
func TestReadTimeout(t *testing.T) {
	t.Parallel()
	url := migrated(t, pgtest.URL(t))
	s := open(t, postgres.Config{URL: url, ReadTimeout: 300 * time.Millisecond})
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(ctx, "BEGIN; LOCK TABLE audit IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Audit(ctx, history.EventQuery{Limit: 1}); err == nil { // without a bound it never ends
		t.Error("a locked table is read")
	}
	// A busy machine may take longer than the bound for the next one, but not for ever.
	for deadline := time.Now().Add(30 * time.Second); ; {
		_, err := s.Position(ctx, store.Journal)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
