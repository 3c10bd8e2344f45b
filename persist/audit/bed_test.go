package audit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"qcat/core"
	"qcat/core/identity"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/sqlite"
)

// bed is a database with the schema, and where its anchors are.
type bed struct {
	t       testing.TB
	dialect migrate.Dialect
	where   string // URL or file
	db      *sql.DB
	head    string
	clock   *core.ManualClock
}

var master = []byte("an example key, of 32 bytes, once")

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, b *bed)) {
	for _, d := range []migrate.Dialect{migrate.SQLite, migrate.Postgres} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			test(t, newBed(t, d))
		})
	}
}

func newBed(t testing.TB, d migrate.Dialect) *bed {
	t.Helper()
	dir := t.TempDir()
	b := &bed{t: t, dialect: d, where: filepath.Join(dir, "qcat.db"), head: filepath.Join(dir, HeadFile), clock: core.NewManualClock(1_700_000_000_000_000_000)}
	if d == migrate.Postgres {
		b.where = pgtest.URL(t)
	}
	b.db = b.connect()
	if _, err := migrate.Up(t.Context(), d, b.db); err != nil {
		t.Fatal(err)
	}
	return b
}

// connect opens another pool on the database.
func (b *bed) connect() *sql.DB {
	b.t.Helper()
	open := sqlite.OpenDB
	if b.dialect == migrate.Postgres {
		open = postgres.OpenDB
	}
	db, err := open(b.t.Context(), b.where)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { db.Close() })
	return db
}

func (b *bed) config() Config {
	return Config{DB: b.db, Dialect: b.dialect, Master: master, Head: b.head, Clock: b.clock}
}

func (b *bed) open() *Log {
	b.t.Helper()
	l, err := Open(b.t.Context(), b.config())
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

// sample is an entry like others, with every text in use.
func sample(i int) identity.AuditEntry {
	return identity.AuditEntry{Actor: fmt.Sprintf("user%d", i%3), Role: "risk", Via: "http", Key: "k1", Address: "192.0.2.7", Action: "limits.change",
		Target: "account demo", Outcome: "ok", Before: fmt.Sprintf(`{"max_qty":"%d"}`, i), After: fmt.Sprintf(`{"max_qty":"%d"}`, i+1), Detail: "asked for by the desk"}
}

// fill appends n samples, a second apart.
func (b *bed) fill(l *Log, n int) {
	b.t.Helper()
	for i := range n {
		e := sample(i)
		if err := l.Audit(b.t.Context(), &e); err != nil {
			b.t.Fatal(err)
		}
		b.clock.Advance(1e9)
	}
	if err := l.Alarm(); err != nil {
		b.t.Fatal(err)
	}
}

// exec runs statements as the database's owner, who is a superuser.
func (b *bed) exec(statements ...string) {
	b.t.Helper()
	for _, s := range statements {
		if _, err := b.db.ExecContext(b.t.Context(), s); err != nil {
			b.t.Fatalf("%s: %v", s, err)
		}
	}
}

// disarm drops the triggers, as whoever tampers would.
func (b *bed) disarm() {
	b.t.Helper()
	if b.dialect == migrate.Postgres {
		b.exec("DROP TRIGGER audit_log_link ON audit_log", "DROP TRIGGER audit_log_refuse ON audit_log",
			"DROP TRIGGER audit_head_refuse ON audit_head", "DROP TRIGGER audit_head_unlinked ON audit_head")
		return
	}
	b.exec("DROP TRIGGER audit_log_insert", "DROP TRIGGER audit_log_update", "DROP TRIGGER audit_log_delete",
		"DROP TRIGGER audit_head_update", "DROP TRIGGER audit_head_delete")
}

// fixHead makes the database's own note of the end agree with the table.
func (b *bed) fixHead() {
	b.t.Helper()
	zero := "zeroblob(32)"
	if b.dialect == migrate.Postgres {
		zero = "decode(repeat('00', 32), 'hex')"
	}
	b.exec("UPDATE audit_head SET n = (SELECT coalesce(max(n), 0) FROM audit_log), hash = coalesce((SELECT hash FROM audit_log ORDER BY n DESC LIMIT 1), " + zero + ")")
}

// rechain computes every hash from entry n on anew, as one would who knows the format.
func (b *bed) rechain(n int64) {
	b.t.Helper()
	l := b.open()
	list, err := l.Entries(b.t.Context(), identity.AuditQuery{Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	var prev hash
	for i := len(list) - 1; i >= 0; i-- {
		e := &list[i]
		h := digest(prev, e)
		if e.N >= n {
			if _, err := b.db.ExecContext(b.t.Context(), "UPDATE audit_log SET prev = $1, hash = $2 WHERE n = $3", prev[:], h[:], e.N); err != nil {
				b.t.Fatal(err)
			}
		}
		prev = h
	}
	b.fixHead()
}

func (b *bed) verify() *Report {
	b.t.Helper()
	return verify(b.t, b.open())
}

func verify(t testing.TB, l *Log) *Report {
	t.Helper()
	r, err := l.Verify(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// whole requires a log of n entries in which nothing is wrong.
func whole(t testing.TB, r *Report, n int64) {
	t.Helper()
	if !r.Whole() || r.Entries != n || r.Last != n {
		t.Errorf("%d entries to %d: %v", r.Entries, r.Last, r.Findings)
	}
}

// found are a report's findings as "kind n-to", in its order.
func found(r *Report) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("%s %d-%d", f.Kind, f.N, f.To))
	}
	return strings.Join(out, "; ")
}

func sum256(b []byte) hash { return sha256.Sum256(b) }
