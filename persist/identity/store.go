package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"qcat/core"
	"qcat/core/identity"
	"qcat/persist/migrate"
)

// Store keeps identities in a database. See New.
type Store struct {
	db      *sql.DB
	dialect migrate.Dialect
	clock   core.Clock
	keys    atomic.Pointer[Keys] // nil until OpenKeys

	// before is asked before each statement and each commit, and may refuse it; nil but
	// in tests.
	before func(what string) error
}

var _ identity.Store = (*Store)(nil)

// New returns the store in a database that has this program's schema. db stays the
// caller's, who closes it.
func New(dialect migrate.Dialect, db *sql.DB, clock core.Clock) *Store {
	return &Store{db: db, dialect: dialect, clock: clock}
}

const versionQuery = "SELECT version FROM identity_version WHERE one = 1"

// Version implements identity.Store.
func (s *Store) Version(ctx context.Context) (version int64, err error) {
	if err := s.db.QueryRowContext(ctx, versionQuery).Scan(&version); err != nil {
		return 0, fmt.Errorf("identity: version: %w", err)
	}
	return version, nil
}

// Load implements identity.Store: all of it is one state of the database. Keys that were
// opened on s open every secret in it, even if a rotation has moved on since.
func (s *Store) Load(ctx context.Context) (*identity.Everything, error) {
	now := s.clock.Now()
	var e identity.Everything
	var keks []kekRow
	err := s.view(ctx, "load", func(t *tx) (err error) {
		if e.Version, err = t.count(versionQuery); err != nil {
			return err
		}
		if e.Users, err = t.users("ORDER BY id"); err != nil {
			return err
		}
		if e.Keys, err = t.apiKeys("WHERE revoked = 0 AND (expires = 0 OR expires > $1) ORDER BY id", now); err != nil {
			return err
		}
		if e.Signing, err = t.signingKeys("WHERE expires = 0 OR expires > $1 ORDER BY created, id", now); err != nil {
			return err
		}
		if e.Sessions, err = t.sessions("WHERE ended = 0 AND expires > $1 ORDER BY id", now); err != nil {
			return err
		}
		keks, err = t.keks()
		return err
	})
	if err != nil {
		return nil, err
	}
	if k := s.keys.Load(); k != nil {
		_ = k.learn(ctx, keks) // whose secret does not open is told why
	}
	return &e, nil
}

// errUnchanged ends a change that has nothing to do.
var errUnchanged = errors.New("nothing changes")

// change runs f in a transaction that holds the row of identity_version and has raised
// it. Without an error it is committed; with errUnchanged it is rolled back as well, and
// that is no error.
func (s *Store) change(ctx context.Context, what string, f func(*tx) error) error {
	err := s.within(ctx, what, nil, func(t *tx) error {
		n, err := t.exec("UPDATE identity_version SET version = version + 1 WHERE one = 1")
		if err != nil {
			return err
		}
		if n != 1 {
			return errors.New("the row of identity_version is missing")
		}
		return f(t)
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// note runs f in a transaction that leaves the version as it is.
func (s *Store) note(ctx context.Context, what string, f func(*tx) error) error {
	return s.within(ctx, what, nil, f)
}

// view runs f on one state of the database.
func (s *Store) view(ctx context.Context, what string, f func(*tx) error) error {
	o := &sql.TxOptions{ReadOnly: true}
	if s.dialect == migrate.Postgres {
		o.Isolation = sql.LevelRepeatableRead
	}
	return s.within(ctx, what, o, f)
}

func (s *Store) within(ctx context.Context, what string, o *sql.TxOptions, f func(*tx) error) error {
	if err := s.inTx(ctx, o, f); err != nil {
		return fmt.Errorf("identity: %s: %w", what, err)
	}
	return nil
}

func (s *Store) inTx(ctx context.Context, o *sql.TxOptions, f func(*tx) error) error {
	if err := s.ask("begin"); err != nil {
		return err
	}
	raw, err := s.db.BeginTx(ctx, o)
	if err != nil {
		return err
	}
	if err := f(&tx{ctx: ctx, raw: raw, s: s}); err != nil {
		_ = raw.Rollback() // it ends by itself when the connection is gone
		return err
	}
	if err := s.ask("commit"); err != nil {
		_ = raw.Rollback()
		return err
	}
	return raw.Commit()
}

// ask says whether the next step may be done.
func (s *Store) ask(what string) error {
	if s.before == nil {
		return nil
	}
	return s.before(what)
}
