package identity_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"qcat/core"
	"qcat/core/identity"
	stored "qcat/persist/identity"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/seal"
	"qcat/persist/sqlite"
)

// clock is a time that tests set.
type clock struct{ now atomic.Int64 }

func (c *clock) Now() core.Nanos { return core.Nanos(c.now.Load()) }

// start is when each test begins.
const start = core.Nanos(1_700_000_000_000_000_000)

// bed is a database with the schema, and a store in it as a process has one.
type bed struct {
	*stored.Store
	t       *testing.T
	dialect migrate.Dialect
	place   string // URL or path
	db      *sql.DB
	clock   *clock
}

// each runs a test with both databases.
func each(t *testing.T, test func(t *testing.T, b *bed)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "qcat.db")
		s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, KeepTicks: -1}) // the schema, and the file's mode
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		test(t, newBed(t, migrate.SQLite, path))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		b := newBed(t, migrate.Postgres, pgtest.URL(t))
		_, err := migrate.Up(t.Context(), migrate.Postgres, b.db)
		b.must(err)
		test(t, b)
	})
}

func newBed(t *testing.T, dialect migrate.Dialect, place string) *bed {
	t.Helper()
	open := sqlite.OpenDB
	if dialect == migrate.Postgres {
		open = postgres.OpenDB
	}
	db, err := open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b := &bed{t: t, dialect: dialect, place: place, db: db, clock: &clock{}}
	b.clock.now.Store(int64(start))
	b.Store = stored.New(dialect, db, b.clock)
	return b
}

// process is another process's store in the same database.
func (b *bed) process() *bed {
	b.t.Helper()
	return newBed(b.t, b.dialect, b.place)
}

func (b *bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// refused requires an error of a kind.
func (b *bed) refused(err, want error) {
	b.t.Helper()
	if !errors.Is(err, want) {
		b.t.Errorf("%v, want %v", err, want)
	}
}

// user makes a user that may log in.
func (b *bed) user(name string, role identity.Role) identity.User {
	b.t.Helper()
	u := identity.User{Name: name, Role: role, Password: "$argon2id$" + name, Scope: identity.Scope{Accounts: []string{"desk1"}, Strategies: []string{"desk2/alpha"}}}
	b.must(b.CreateUser(b.t.Context(), &u))
	return u
}

// session logs a user in.
func (b *bed) session(id string, u *identity.User) identity.Session {
	b.t.Helper()
	x := identity.Session{ID: id, User: u.ID, Epoch: u.Epoch, Refresh: []byte("r0"), Address: "::1", Created: start, Used: start, Expires: start + 1000}
	b.must(b.CreateSession(b.t.Context(), &x))
	return x
}

// rises requires f to raise the version, or else not to.
func (b *bed) rises(want bool, f func()) {
	b.t.Helper()
	before, err := b.Version(b.t.Context())
	b.must(err)
	f()
	after, err := b.Version(b.t.Context())
	b.must(err)
	if (after > before) != want {
		b.t.Errorf("the version went from %d to %d", before, after)
	}
}

func newMaster(t testing.TB) *seal.Master {
	t.Helper()
	path := filepath.Join(t.TempDir(), "k")
	if err := seal.MakeFile(path); err != nil {
		t.Fatal(err)
	}
	m, err := seal.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// masters always gives the same ones.
func masters(list ...*seal.Master) stored.Masters {
	return func(context.Context) ([]*seal.Master, error) { return list, nil }
}

func (b *bed) keys(list ...*seal.Master) *stored.Keys {
	b.t.Helper()
	k, err := stored.OpenKeys(b.t.Context(), b.Store, masters(list...))
	b.must(err)
	return k
}
