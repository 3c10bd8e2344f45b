package postgres_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"qcat/core/history"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/store"
)

// login makes a user with the given options, and returns the URL with which it reaches the
// database of admin's URL.
func login(t *testing.T, admin, options string) (conn *pgx.Conn, name, its string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	name = "qcat_test_" + strings.ToLower(rand.Text())
	if _, err := conn.Exec(ctx, "CREATE ROLE "+name+" LOGIN PASSWORD 'x' "+options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Exec(ctx, "REASSIGN OWNED BY "+name+" TO CURRENT_USER; DROP OWNED BY "+name+"; DROP ROLE "+name)
		conn.Close(ctx)
	})
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal("the database's URL is none")
	}
	u.User = url.UserPassword(name, "x")
	return conn, name, u.String()
}

// refuses requires statements to be refused for want of a right.
func refuses(t *testing.T, url string, statements ...string) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// TestRoles: a serving process needs qcat_write and no more, and even it cannot change what
// the audit says; it can make a backup, and who only reads cannot, since secrets are in it. (Database roles:
// separate, audit INSERT only.)
func TestRoles(t *testing.T) {
	t.Parallel()
	admin := migrated(t, pgtest.URL(t))
	_, _, writer := login(t, admin, "IN ROLE qcat_write")
	_, _, reader := login(t, admin, "IN ROLE qcat_read")
	_, _, auditor := login(t, admin, "IN ROLE qcat_audit")

	r := newRig(t, writer, 0)
	for range 3 {
		r.follow(r.journal(20)) // partitions, late fills, audit
		r.follow(r.ticks(20))
	}
	r.same()
	refuses(t, writer, "UPDATE audit SET detail = ''", "DELETE FROM audit", "TRUNCATE audit", "DROP TABLE audit",
		"DELETE FROM executions", "UPDATE orders SET qty = 0", "TRUNCATE trades",
		"INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)")

	dump := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("QCAT_POSTGRES_BIN"), "pg_dump"), "--file", os.DevNull, writer)
	if out, err := dump.CombinedOutput(); err != nil { // a backup reads each partition by its own name
		t.Errorf("pg_dump: %v: %s", err, out)
	}
	refuses(t, writer, "DELETE FROM users", "DELETE FROM api_keys", "DELETE FROM identity_version", "TRUNCATE users")
	refuses(t, reader, "SELECT password FROM users", "SELECT secret FROM api_keys", "SELECT refresh FROM sessions", "SELECT secret FROM signing_keys",
		"SELECT sealed FROM key_versions", "SELECT * FROM users", "UPDATE users SET role = 4", "INSERT INTO key_versions VALUES (9, '', 0)")
	refuses(t, auditor, "SELECT name FROM users", "SELECT version FROM identity_version")

	s := open(t, postgres.Config{URL: reader})
	if rows, err := s.Executions(t.Context(), history.ExecutionQuery{Limit: 5}); err != nil || len(rows) != 5 {
		t.Errorf("a reader reads %d rows (%v)", len(rows), err)
	}
	if err := s.Write(t.Context(), &store.Batch{Log: r.log, From: r.seq[store.Journal] + 1, To: r.seq[store.Journal] + 1}); err == nil {
		t.Error("a reader writes")
	}
	seen, err := pgx.Connect(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	defer seen.Close(context.Background())
	if _, err := seen.Exec(t.Context(), "SELECT u.name, k.name, s.address, g.expires, v.version, i.version FROM users u, api_keys k, sessions s, signing_keys g,"+
		" key_versions v, identity_version i"); err != nil {
		t.Errorf("a reader does not see who there is: %v", err)
	}
	refuses(t, reader, "INSERT INTO audit VALUES (1, 1, '', 0, 0, 0, 0, '')", "SELECT qcat_make_partition('trades', 1)", "UPDATE stream_positions SET seq = 0")

	conn, err := pgx.Connect(t.Context(), auditor)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "INSERT INTO audit VALUES (1000000, 1, 'login', 0, 0, 0, 0, '')"); err != nil {
		t.Errorf("the auditor cannot add: %v", err)
	}
	refuses(t, auditor, "SELECT * FROM audit", "UPDATE audit SET seq = 1", "DELETE FROM audit", "SELECT * FROM orders")
}

// TestMigratesWithoutRoleRights: a migrating user who may not make roles gets the tables.
func TestMigratesWithoutRoleRights(t *testing.T) {
	t.Parallel()
	srv := pgtest.Start(t) // its roles are not there yet
	admin := srv.Database(t)
	conn, name, plain := login(t, admin, "NOCREATEROLE")
	if _, err := conn.Exec(t.Context(), "GRANT CREATE, USAGE ON SCHEMA public TO "+name); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.OpenDB(t.Context(), plain)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := migrate.Up(t.Context(), migrate.Postgres, db); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, plain, 0)
	r.follow(r.journal(5))
	r.same()
	if _, err := migrate.DownTo(t.Context(), migrate.Postgres, db, 0); err != nil {
		t.Error(err)
	}
}
