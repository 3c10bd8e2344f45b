package backup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"qcat/persist/postgres"
)

// ErrInUse is wrapped when a server is connected to the database that is to be
// restored.
var ErrInUse = errors.New("in use")

// unused refuses a database that a server is connected to.
func unused(ctx context.Context, conn *pgx.Conn) error {
	var n int
	err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'qcat'").Scan(&n)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if n > 0 {
		return fmt.Errorf("postgres: the database is %w by a running qcat (%d connections): stop it first", ErrInUse, n)
	}
	return nil
}

// ours is every object of the database that is neither the system's nor an
// extension's, nor part of another or moved aside: its schema, the statement that
// drops it, its name.
const ours = `
SELECT n.nspname AS space, format('DROP %s IF EXISTS %I.%I CASCADE',
		CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
		n.nspname, c.relname) AS statement, c.relname::text AS name, c.oid AS id, 'pg_class'::regclass AS class
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
UNION ALL
SELECT n.nspname, format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure), p.proname::text, p.oid, 'pg_proc'::regclass
	FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
UNION ALL
SELECT n.nspname, format('DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, t.typname), t.typname::text, t.oid, 'pg_type'::regclass
	FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype IN ('e', 'd', 'r')`

// notOurs is what is not. A partitioned table depends internally on its own columns;
// what depends so on another is part of that.
const notOurs = ` o.space ~ '^pg_' OR o.space = 'information_schema' OR starts_with(o.space, '` + asideSchemas + `')
	OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.id
		AND (d.deptype = 'e' OR d.deptype = 'i' AND d.refobjid <> o.id))`

// filled returns the schemas that hold something, and what that is in words.
func filled(ctx context.Context, conn *pgx.Conn) (schemas []string, what string, err error) {
	rows, err := conn.Query(ctx, "SELECT o.space, min(o.name), count(*) FROM ("+ours+") o WHERE NOT ("+notOurs+") GROUP BY 1 ORDER BY 1")
	if err != nil {
		return nil, "", fmt.Errorf("postgres: %w", err)
	}
	var schema, first string
	var n int
	var words []string
	_, err = pgx.ForEachRow(rows, []any{&schema, &first, &n}, func() error {
		schemas = append(schemas, schema)
		words = append(words, fmt.Sprintf("%d objects in schema %s (%s, …)", n, schema, first))
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("postgres: %w", err)
	}
	return schemas, strings.Join(words, ", "), nil
}

// pgRestored is a database that a dump was just restored into.
type pgRestored struct {
	p       Postgres
	schemas []string // moved aside
	stamp   string
}

var _ Restored = (*pgRestored)(nil)

// aside is the name that a schema is moved to.
func (r *pgRestored) aside(schema string) string {
	return quoted(asideSchemas + r.stamp + "_" + schema)
}

// quoted is a name as an SQL identifier.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// moveAside is SQL that renames what is there. A new schema public takes the place of
// the old one; others come with the dump.
func (r *pgRestored) moveAside() string {
	var b strings.Builder
	for _, schema := range r.schemas {
		fmt.Fprintf(&b, "ALTER SCHEMA %s RENAME TO %s;\n", quoted(schema), r.aside(schema))
		if schema == "public" {
			b.WriteString("CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;\n")
		}
	}
	return b.String()
}

// Aside implements Restored.
func (r *pgRestored) Aside() string {
	names := make([]string, len(r.schemas))
	for i, schema := range r.schemas {
		names[i] = r.aside(schema)
	}
	return strings.Join(names, ", ")
}

// State implements Restored.
func (r *pgRestored) State(ctx context.Context) (State, error) {
	srv, err := r.p.ask(ctx)
	if err != nil {
		return State{}, err
	}
	s, err := postgres.Open(ctx, postgres.Config{URL: r.p.URL, ReadConns: 2})
	if err != nil {
		return State{}, err
	}
	defer func() { _ = s.Close() }() // only read
	e, err := s.Export(ctx, func(context.Context, string) error { return nil })
	return State{Server: srv.text, Schema: srv.schema, Digest: e.Digest, Positions: e.Positions}, err
}

// Undo implements Restored: in one transaction it drops what the dump made and gives
// the old schemas their names back.
func (r *pgRestored) Undo(ctx context.Context) error {
	conn, err := r.p.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var b strings.Builder
		rows, err := tx.Query(ctx, "SELECT o.statement FROM ("+ours+") o WHERE NOT ("+notOurs+")")
		if err != nil {
			return err
		}
		drops, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, drop := range drops {
			b.WriteString(drop + ";\n")
		}
		for _, schema := range r.schemas {
			name := quoted(schema)
			fmt.Fprintf(&b, "DROP SCHEMA IF EXISTS %s CASCADE; ALTER SCHEMA %s RENAME TO %s;\n", name, r.aside(schema), name)
		}
		_, err = tx.Exec(ctx, b.String())
		return err
	})
	if err != nil {
		return fmt.Errorf("postgres: the restored content cannot be taken back: %w", err)
	}
	return nil
}
