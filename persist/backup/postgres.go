package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"qcat/persist/migrate"
	"qcat/persist/postgres"
)

// KindPostgres is the Kind of Postgres.
const KindPostgres = "postgres"

// asideSchemas begin the names of the schemas that a restore moved content to. They
// are not backed up.
const asideSchemas = "qcat_old_"

// killDelay is how long a program may take to end when it was asked to.
const killDelay = 5 * time.Second

// Postgres is a database of a Postgres server.
type Postgres struct {
	URL string
	// Getenv finds PATH and QCAT_POSTGRES_BIN; nil is os.Getenv.
	Getenv func(string) string
}

var _ Database = Postgres{}

// Kind implements Database.
func (Postgres) Kind() string { return KindPostgres }

func (p Postgres) tools() tools {
	if p.Getenv == nil {
		return tools{os.Getenv}
	}
	return tools{p.Getenv}
}

// server is what is asked of the server first.
type server struct {
	major  int
	text   string // what it calls itself
	schema int64  // version of the migrations
	roles  string // SQL that makes the roles that rights are granted to
}

// Dump implements Database, with pg_dump.
func (p Postgres) Dump(ctx context.Context, w io.Writer) (State, error) {
	srv, err := p.ask(ctx)
	if err != nil {
		return State{}, err
	}
	program, err := p.tools().find(ctx, "pg_dump", srv.major)
	if err != nil {
		return State{}, err
	}
	s, err := postgres.Open(ctx, postgres.Config{URL: p.URL, ReadConns: 2})
	if err != nil {
		return State{}, err
	}
	defer func() { _ = s.Close() }() // only read
	e, err := s.Export(ctx, func(ctx context.Context, snapshot string) error {
		if _, err := io.WriteString(w, srv.roles); err != nil {
			return err
		}
		return p.pgDump(ctx, program, snapshot, w)
	})
	return State{Server: srv.text, Schema: srv.schema, Digest: e.Digest, Positions: e.Positions}, err
}

// pgDump runs pg_dump on a snapshot that another session has exported.
func (p Postgres) pgDump(ctx context.Context, program, snapshot string, w io.Writer) error {
	url, env, err := forPrograms(p.URL)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, "--dbname="+url, "--snapshot="+snapshot, "--format=plain", "--no-owner", //nolint:gosec // the operator's database, and no shell
		"--encoding=UTF8", "--no-password", "--exclude-schema="+asideSchemas+"*")
	var words lastWords
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = env, w, &words, killDelay
	if err := cmd.Run(); err != nil {
		return words.failed(program, err)
	}
	return nil
}

// connect is one connection, for what a store does not do.
func (p Postgres) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(p.URL)
	if err != nil {
		return nil, errURL
	}
	config.RuntimeParams["application_name"] = "qcat-backup"
	config.RuntimeParams["timezone"] = "UTC"
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return conn, nil
}

// close ends a connection; ctx may have ended already.
func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // nothing is under way
}

func (p Postgres) ask(ctx context.Context) (server, error) {
	var srv server
	conn, err := p.connect(ctx)
	if err != nil {
		return srv, err
	}
	defer closeConn(ctx, conn)
	var number int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, 'PostgreSQL ' || current_setting('server_version')").
		Scan(&number, &srv.text); err != nil {
		return srv, fmt.Errorf("postgres: %w", err)
	}
	srv.major = number / 10000
	if srv.roles, err = roles(ctx, conn); err != nil {
		return srv, err
	}
	db, err := postgres.OpenDB(ctx, p.URL)
	if err != nil {
		return srv, err
	}
	defer func() { _ = db.Close() }() // only read
	srv.schema, err = migrate.Version(ctx, migrate.Postgres, db)
	return srv, err
}

// roles returns SQL that makes the roles that rights are granted to where they are
// missing: they belong to the server, so that pg_dump leaves them out, and the GRANTs
// of its output need them.
func roles(ctx context.Context, conn *pgx.Conn) (string, error) {
	rows, err := conn.Query(ctx, `
SELECT DISTINCT format(E'DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %L) THEN CREATE ROLE %I NOLOGIN; END IF; END $$;\n',
	r.rolname, r.rolname)
FROM (
	SELECT relacl AS acl, relowner AS owner, relnamespace AS space FROM pg_class
	UNION ALL SELECT proacl, proowner, pronamespace FROM pg_proc
	UNION ALL SELECT nspacl, nspowner, oid FROM pg_namespace
) o
JOIN pg_namespace n ON n.oid = o.space
CROSS JOIN LATERAL aclexplode(o.acl) a
JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee <> o.owner AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND r.rolname !~ '^pg_'
	AND NOT starts_with(n.nspname, $1)
ORDER BY 1`, asideSchemas)
	if err != nil {
		return "", fmt.Errorf("postgres: roles: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", fmt.Errorf("postgres: roles: %w", err)
	}
	text := "-- qcat postgres dump 1\n"
	for _, line := range list {
		text += line
	}
	return text, nil
}

// Restore implements Database, with psql, in one transaction.
func (p Postgres) Restore(ctx context.Context, dump io.Reader, _ string, clean bool) (Restored, error) {
	srv, err := p.ask(ctx)
	if err != nil {
		return nil, err
	}
	program, err := p.tools().find(ctx, "psql", srv.major)
	if err != nil {
		return nil, err
	}
	conn, err := p.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer closeConn(ctx, conn)
	if err := unused(ctx, conn); err != nil {
		return nil, err
	}
	schemas, tables, err := filled(ctx, conn)
	if err != nil {
		return nil, err
	}
	if len(schemas) > 0 && !clean {
		return nil, fmt.Errorf("postgres: the database is %w: it has %s; restore into another one, or move that aside with --clean", ErrNotEmpty, tables)
	}
	r := &pgRestored{p: p, schemas: schemas, stamp: time.Now().UTC().Format(nameLayout)}
	if err := p.psql(ctx, program, r.moveAside(), dump); err != nil {
		return nil, err
	}
	return r, nil
}

// psql runs before and then the dump, and ends at the first error. The transaction is
// committed by what comes after the dump's last byte was read and its checksum found
// right: --single-transaction would commit at the end of its input, which comes as
// well when this process is killed half-way.
func (p Postgres) psql(ctx context.Context, program, before string, dump io.Reader) error {
	url, env, err := forPrograms(p.URL)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--dbname="+url, "--no-psqlrc", "--quiet", "--no-password", //nolint:gosec // the operator's database, and no shell
		"--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-")
	var words lastWords
	cmd.Env, cmd.Stderr, cmd.WaitDelay = env, &words, killDelay
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", ErrTools, err)
	}
	readErr, writeErr := feed(ctx, in, io.MultiReader(strings.NewReader("BEGIN;\n"+before), dump, strings.NewReader("\nCOMMIT;\n")))
	if readErr != nil {
		cancel() // and it is over; nothing was committed
	}
	_ = in.Close() // psql says whether it had everything
	err = cmd.Wait()
	switch {
	case readErr != nil:
		return readErr
	case err != nil:
		return words.failed(program, err)
	}
	return writeErr
}

// feed copies src to dst and tells the errors of the two apart.
func feed(ctx context.Context, dst io.Writer, src io.Reader) (readErr, writeErr error) {
	b := make([]byte, 1<<18)
	for {
		n, err := src.Read(b)
		if errors.Is(err, io.EOF) && ctx.Err() == nil {
			_, writeErr = dst.Write(b[:n])
			return nil, writeErr
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err, nil
		}
		if _, err := dst.Write(b[:n]); err != nil {
			return nil, err
		}
	}
}
