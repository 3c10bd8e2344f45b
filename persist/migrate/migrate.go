package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/pressly/goose/v3"
)

// Dialect names a kind of database.
type Dialect uint8

const (
	Postgres Dialect = iota + 1
	SQLite
)

// String returns the name of the dialect's folder in migrations.
func (d Dialect) String() string {
	switch d {
	case Postgres:
		return "postgres"
	case SQLite:
		return "sqlite"
	default:
		return "unknown"
	}
}

// Step is one migration and whether a database has it.
type Step struct {
	Version   int64
	Name      string    // file name; empty of a step that this program does not know
	AppliedAt time.Time // zero: pending
}

// Applied reports whether the database has the step.
func (s *Step) Applied() bool { return !s.AppliedAt.IsZero() }

// Up applies every pending step and returns those it applied.
//
// Errors: store.ErrSchema wrapped when the database is newer than this program;
// ctx's, also while waiting for another process; the database's.
func Up(ctx context.Context, d Dialect, db *sql.DB) ([]Step, error) {
	return run(ctx, d, db, func(p *goose.Provider) ([]*goose.MigrationResult, error) { return p.Up(ctx) })
}

// Down takes back the newest applied step and returns it; there is none when the
// database is empty.
func Down(ctx context.Context, d Dialect, db *sql.DB) ([]Step, error) {
	return run(ctx, d, db, func(p *goose.Provider) ([]*goose.MigrationResult, error) {
		r, err := p.Down(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return nil, nil
		}
		return []*goose.MigrationResult{r}, err
	})
}

// DownTo takes back every step above version, newest first, and returns them.
func DownTo(ctx context.Context, d Dialect, db *sql.DB, version int64) ([]Step, error) {
	return run(ctx, d, db, func(p *goose.Provider) ([]*goose.MigrationResult, error) { return p.DownTo(ctx, version) })
}

// run calls f under the lock of the database, after a check that the schema is not from
// the future. In Postgres the lock is goose's to take, which it does only when there is
// something to do: there the check is made before, and again under the lock.
func run(ctx context.Context, d Dialect, db *sql.DB, f func(*goose.Provider) ([]*goose.MigrationResult, error)) ([]Step, error) {
	options := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()),
	}
	dialect := goose.DialectSQLite3
	switch d {
	case Postgres:
		dialect = goose.DialectPostgres
		l, err := newAdvisoryLock()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(l))
	case SQLite:
		unlock, err := lockBeside(ctx, db)
		if err != nil {
			return nil, err
		}
		defer unlock()
	default:
		return nil, fmt.Errorf("migrate: dialect %d", d)
	}
	if err := notNewer(ctx, d, db); err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(dialect, db, steps(d), options...)
	if err != nil {
		return nil, fmt.Errorf("migrate %s: %w", d, err)
	}
	results, err := f(p)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		results = partial.Applied
	}
	done := make([]Step, 0, len(results))
	for now := time.Now(); len(results) > 0; results = results[1:] {
		if r := results[0]; r != nil && r.Error == nil {
			done = append(done, Step{Version: r.Source.Version, Name: path.Base(r.Source.Path), AppliedAt: now})
		}
	}
	if err != nil {
		return done, fmt.Errorf("migrate %s: %w", d, err)
	}
	return done, nil
}
