package audit

import (
	"crypto/rand"
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"qcat/core/identity"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
)

// as opens the bed's database as a login with a role.
func (b *bed) as(role string) *sql.DB {
	b.t.Helper()
	name := "qcat_test_" + strings.ToLower(rand.Text())
	b.exec("CREATE ROLE " + name + " LOGIN PASSWORD 'x' IN ROLE " + role)
	u, err := url.Parse(b.where)
	if err != nil {
		b.t.Fatal("the database's URL is none")
	}
	u.User = url.UserPassword(name, "x")
	db, err := postgres.OpenDB(b.t.Context(), u.String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		db.Close()
		b.db.Exec("DROP ROLE " + name)
	})
	return db
}

// TestRoles: who writes may add and nothing else, not even as the triggers would allow it;
// who audits may add and read nothing; who reads can verify. (Database roles: separate,
// audit INSERT only.)
func TestRoles(t *testing.T) {
	b := newBed(t, migrate.Postgres)
	b.fill(b.open(), 2)
	refuses := func(db *sql.DB, statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := db.ExecContext(t.Context(), s); err == nil || !strings.Contains(err.Error(), "permission denied") {
				t.Errorf("%s: %v", s, err)
			}
		}
	}
	changes := []string{"UPDATE audit_log SET actor = ''", "DELETE FROM audit_log", "TRUNCATE audit_log", "UPDATE audit_head SET n = 0",
		"SELECT * FROM audit_head FOR UPDATE", "DELETE FROM audit_head", "INSERT INTO audit_head VALUES (true, 0, '')",
		"SELECT qcat_audit_link()", "SELECT qcat_audit_refuse()"}

	writer := b.as("qcat_write")
	cfg := b.config()
	cfg.DB = writer
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.fill(l, 2)
	whole(t, verify(t, l), 4)
	b.project(1, 3)
	if n, err := NewFollower(l).Follow(t.Context()); n != 3 || err != nil {
		t.Errorf("the writer copies %d: %v", n, err)
	}
	// The triggers are the first hurdle; without them, the rights still stand.
	b.exec("ALTER TABLE audit_log DISABLE TRIGGER audit_log_refuse", "ALTER TABLE audit_head DISABLE TRIGGER ALL")
	refuses(writer, changes...)
	forged := `INSERT INTO audit_log SELECT 8, time_ns, 0, actor, role, via, key_id, address, action, target, outcome, "before", "after", detail, prev, hash FROM audit_log WHERE n = 7`
	if _, err := writer.ExecContext(t.Context(), forged); err == nil || !strings.Contains(err.Error(), "does not continue the audit log") {
		t.Errorf("an entry out of the chain: %v", err)
	}

	auditor := b.as("qcat_audit")
	cfg.DB, cfg.Head = auditor, ""
	if l, err = Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	b.fill(l, 1)
	refuses(auditor, append(changes, "SELECT * FROM audit_log", "SELECT * FROM audit_head")...)

	reader := b.as("qcat_read")
	cfg.DB, cfg.Head = reader, b.head
	if l, err = Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	whole(t, verify(t, l), 8)
	if err := l.Audit(t.Context(), &identity.AuditEntry{}); err == nil {
		t.Error("a reader writes")
	}
	refuses(reader, append(changes, "SELECT qcat_audit_head()")...)
}
