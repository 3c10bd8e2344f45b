package backup_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"qcat/core/identity"
	"qcat/persist/audit"
	"qcat/persist/backup"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/sqlite"
)

// auditLog opens the audit log of a machine.
func (b *bed) auditLog(dataDir, url string, master []byte) *audit.Log {
	b.t.Helper()
	dialect := migrate.SQLite
	db, err := (*sql.DB)(nil), error(nil)
	if b.kind == backup.KindPostgres {
		dialect = migrate.Postgres
		db, err = postgres.OpenDB(b.t.Context(), url)
	} else {
		db, err = sqlite.OpenDB(b.t.Context(), filepath.Join(dataDir, "qcat.db"))
	}
	b.must(err)
	b.t.Cleanup(func() { db.Close() })
	l, err := audit.Open(b.t.Context(), audit.Config{DB: db, Dialect: dialect, Master: master, Head: filepath.Join(dataDir, audit.HeadFile)})
	b.must(err)
	return l
}

func (b *bed) act(l *audit.Log, n int) {
	b.t.Helper()
	for range n {
		b.must(l.Audit(b.t.Context(), &identity.AuditEntry{Actor: "anna", Action: "key.create", Detail: "it's ü; \x01\r\n"}))
	}
}

// findings are what a verification of the audit log says.
func (b *bed) findings(l *audit.Log) (kinds []audit.Kind, r *audit.Report) {
	b.t.Helper()
	r, err := l.Verify(b.t.Context(), nil)
	b.must(err)
	for _, f := range r.Findings {
		kinds = append(kinds, f.Kind)
	}
	return kinds, r
}

// The audit log and its anchors are in a backup: on another machine both are whole, under
// the master key that they were made with. Where anchors are already, a restore does not
// touch them, and what the backup does not have is found to be missing.
func TestAuditLogIsRestored(t *testing.T) {
	master := bytes.Repeat([]byte{5}, 32)
	each(t, func(t *testing.T, b *bed) {
		b.trade(3)
		l := b.auditLog(b.dataDir, b.url, master)
		b.act(l, 5)
		m := b.create()
		b.act(l, 2)

		other := b.target()
		_, err := other.restore(m.Name)
		b.must(err)
		restored := b.auditLog(other.dataDir, other.url, master)
		if kinds, r := b.findings(restored); len(kinds) > 0 || r.Entries != 5 || r.Unanchored() != 0 || r.Anchors != 6 {
			t.Errorf("restored: %v, %+v", kinds, r)
		}
		b.act(restored, 1)
		b.must(restored.Alarm())
		if kinds, r := b.findings(restored); len(kinds) > 0 || r.Entries != 6 {
			t.Errorf("after another entry: %v, %+v", kinds, r)
		}
		if kinds, _ := b.findings(b.auditLog(other.dataDir, other.url, bytes.Repeat([]byte{6}, 32))); len(kinds) != 1 || kinds[0] != audit.AnchorsKey {
			t.Errorf("under another master key: %v", kinds)
		}

		same := b.target() // a machine that has lost its database, and not its anchors
		anchors, err := os.ReadFile(filepath.Join(b.dataDir, audit.HeadFile))
		b.must(err)
		b.must(os.WriteFile(filepath.Join(same.dataDir, audit.HeadFile), anchors, 0o600))
		_, err = same.restore(m.Name)
		b.must(err)
		l = b.auditLog(same.dataDir, same.url, master)
		kinds, r := b.findings(l)
		if len(kinds) != 1 || kinds[0] != audit.Shrunk || r.Findings[0].N != 6 || r.Findings[0].To != 7 {
			t.Errorf("an older backup under newer anchors: %+v", r.Findings)
		}
		b.must(l.Reanchor(t.Context(), &identity.AuditEntry{Actor: "root@host", Detail: "restored " + m.Name}))
		if kinds, r := b.findings(l); len(kinds) > 0 || r.Entries != 6 {
			t.Errorf("accepted: %v, %+v", kinds, r)
		}

		bare := b.target() // the database alone
		c := bare.config(m.Name)
		if b.kind == backup.KindPostgres {
			c.DataDir = ""
		}
		_, err = backup.Restore(t.Context(), c)
		b.must(err)
		if err := os.Remove(filepath.Join(bare.dataDir, audit.HeadFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if kinds, r := b.findings(b.auditLog(bare.dataDir, bare.url, master)); len(kinds) != 1 || kinds[0] != audit.NoAnchors || r.Entries != 5 {
			t.Errorf("without anchors: %v, %+v", kinds, r)
		}
	})
}
