package migrate

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"qcat/migrations"
	"qcat/persist/store"
)

// querier is a *sql.DB or a *sql.Conn.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// steps is the dialect's file system of migrations.
func steps(d Dialect) fs.FS {
	if d == SQLite {
		return migrations.SQLite
	}
	return migrations.Postgres
}

// known lists the steps of this program by version, ascending.
func known(d Dialect) ([]Step, error) {
	names, err := fs.Glob(steps(d), "*.sql")
	if err != nil {
		return nil, fmt.Errorf("migrate %s: %w", d, err)
	}
	list := make([]Step, 0, len(names))
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migrate %s: file %s has no version: %w", d, name, err)
		}
		list = append(list, Step{Version: v, Name: name})
	}
	slices.SortFunc(list, func(a, b Step) int { return cmp.Compare(a.Version, b.Version) })
	return list, nil
}

// Latest is the version that this program was built with.
func Latest(d Dialect) (int64, error) {
	list, err := known(d)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return list[len(list)-1].Version, nil
}

// Version is the version of the database, 0 for an empty one. It changes nothing.
func Version(ctx context.Context, d Dialect, db *sql.DB) (int64, error) { return version(ctx, d, db) }

// Check returns nil when the database has exactly the version that this program
// was built with. It changes nothing.
//
// Errors: store.ErrSchema wrapped, with both versions and what to do; the database's.
func Check(ctx context.Context, d Dialect, db *sql.DB) error {
	if err := notNewer(ctx, d, db); err != nil {
		return err
	}
	have, err := version(ctx, d, db)
	if err != nil {
		return err
	}
	want, err := Latest(d)
	if err != nil {
		return err
	}
	if have < want {
		return fmt.Errorf("%w: the database has version %d, this program needs %d: run qcat migrate", store.ErrSchema, have, want)
	}
	return nil
}

// Status lists every step that this program or the database knows, by version,
// ascending. It changes nothing.
func Status(ctx context.Context, d Dialect, db *sql.DB) ([]Step, error) {
	list, err := known(d)
	if err != nil {
		return nil, err
	}
	exists, err := hasTable(ctx, d, db)
	if err != nil || !exists {
		return list, err
	}
	rows, err := db.QueryContext(ctx, "SELECT version_id, tstamp FROM "+goose.DefaultTablename+" WHERE version_id > 0 AND is_applied") //nolint:gosec // a constant
	if err != nil {
		return nil, fmt.Errorf("migrate %s: %w", d, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err has it
	for rows.Next() {
		var v int64
		var at time.Time
		if err := rows.Scan(&v, &at); err != nil {
			return nil, fmt.Errorf("migrate %s: %w", d, err)
		}
		i, found := slices.BinarySearchFunc(list, v, func(s Step, v int64) int { return cmp.Compare(s.Version, v) })
		if !found {
			list = slices.Insert(list, i, Step{Version: v})
		}
		list[i].AppliedAt = at
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("migrate %s: %w", d, err)
	}
	return list, nil
}

func version(ctx context.Context, d Dialect, q querier) (int64, error) {
	exists, err := hasTable(ctx, d, q)
	if err != nil || !exists {
		return 0, err
	}
	var v int64
	err = q.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+goose.DefaultTablename+" WHERE is_applied").Scan(&v)
	if err != nil {
		return 0, fmt.Errorf("migrate %s: %w", d, err)
	}
	return v, nil
}

// hasTable reports whether any migration ever ran here.
func hasTable(ctx context.Context, d Dialect, q querier) (exists bool, err error) {
	query := "SELECT to_regclass($1) IS NOT NULL"
	if d == SQLite {
		query = "SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = $1"
	}
	if err := q.QueryRowContext(ctx, query, goose.DefaultTablename).Scan(&exists); err != nil {
		return false, fmt.Errorf("migrate %s: %w", d, err)
	}
	return exists, nil
}

// notNewer refuses a schema that a newer program made.
func notNewer(ctx context.Context, d Dialect, q querier) error {
	have, err := version(ctx, d, q)
	if err != nil {
		return err
	}
	want, err := Latest(d)
	if err != nil {
		return err
	}
	if have > want {
		return fmt.Errorf("%w: the database has version %d, newer than this program's %d: use the newer program", store.ErrSchema, have, want)
	}
	return nil
}
