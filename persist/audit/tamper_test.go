package audit

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"qcat/core/identity"
	"qcat/persist/migrate"
)

// TestTriggersRefuse: the first hurdle, for the database's owner.
func TestTriggersRefuse(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		b.fill(b.open(), 3)
		statements := []string{"UPDATE audit_log SET actor = 'x' WHERE n = 2", "DELETE FROM audit_log WHERE n = 3", "DELETE FROM audit_head",
			"UPDATE audit_head SET n = 1", "INSERT INTO audit_log SELECT n + 1, time_ns, journal_seq, actor, role, via, key_id, address, action, target," +
				` outcome, "before", "after", detail, prev, hash FROM audit_log WHERE n = 3`}
		if b.dialect == migrate.Postgres {
			statements = append(statements, "TRUNCATE audit_log", "TRUNCATE audit_head")
		}
		for _, s := range statements {
			if _, err := b.db.ExecContext(t.Context(), s); err == nil || !strings.Contains(err.Error(), "qcat: ") {
				t.Errorf("%s: %v", s, err)
			}
		}
		whole(t, b.verify(), 3)
	})
}

// unconstrained makes audit_log a table that can hold anything.
func unconstrained(b *bed) {
	b.exec("CREATE TABLE copied AS SELECT * FROM audit_log", "DROP TABLE audit_log", "ALTER TABLE copied RENAME TO audit_log")
}

// attacks are done to a log of 12 entries by who may do everything in its database, and
// nothing in the file of the anchors. wants is all that Verify finds.
var attacks = []struct {
	name  string
	do    func(b *bed)
	wants string
}{
	{"nothing", func(*bed) {}, ""},
	{"delete at the start", func(b *bed) { b.exec("DELETE FROM audit_log WHERE n <= 3") }, "missing 1-3"},
	{"delete in the middle", func(b *bed) { b.exec("DELETE FROM audit_log WHERE n = 5") }, "missing 5-5"},
	{"delete at the end", func(b *bed) { b.exec("DELETE FROM audit_log WHERE n > 10") }, "shrunk 11-12; head_wrong 10-10"},
	{"delete at the end, and the head", func(b *bed) {
		b.exec("DELETE FROM audit_log WHERE n > 10")
		b.fixHead()
	}, "shrunk 11-12"},
	{"truncate", func(b *bed) {
		b.exec("DELETE FROM audit_log")
		b.fixHead()
	}, "shrunk 1-12"},
	{"truncate, and no head at all", func(b *bed) { b.exec("DELETE FROM audit_log", "DELETE FROM audit_head") }, "shrunk 1-12; head_wrong 0-0"},
	{"another number", func(b *bed) { b.exec("UPDATE audit_log SET n = 40 WHERE n = 12") }, "missing 12-39; changed 40-40; head_wrong 40-40"},
	{"another end", func(b *bed) { b.exec("UPDATE audit_head SET n = 11") }, "head_wrong 12-12"},
	{"another prev", func(b *bed) { b.exec("UPDATE audit_log SET prev = hash WHERE n = 6") }, "changed 6-6"},
	{"another hash", func(b *bed) { b.exec("UPDATE audit_log SET hash = prev WHERE n = 6") }, "changed 6-6; rewritten 6-6; unlinked 7-7"},
	{"reorder", func(b *bed) {
		b.exec("UPDATE audit_log SET n = 100 WHERE n = 4", "UPDATE audit_log SET n = 4 WHERE n = 7", "UPDATE audit_log SET n = 7 WHERE n = 100")
	}, "changed 4-4; rewritten 4-4; unlinked 5-5; changed 7-7; rewritten 7-7; unlinked 8-8"},
	{"an entry with a new hash of its own", func(b *bed) {
		b.exec("UPDATE audit_log SET detail = 'x' WHERE n = 6")
		var one hash
		list, err := b.open().Entries(b.t.Context(), identity.AuditQuery{Before: 7, Limit: 1})
		if err != nil {
			b.t.Fatal(err)
		}
		var prev []byte
		if err := b.db.QueryRowContext(b.t.Context(), "SELECT prev FROM audit_log WHERE n = 6").Scan(&prev); err != nil {
			b.t.Fatal(err)
		}
		copy(one[:], prev)
		h := digest(one, &list[0])
		if _, err := b.db.ExecContext(b.t.Context(), "UPDATE audit_log SET hash = $1 WHERE n = 6", h[:]); err != nil {
			b.t.Fatal(err)
		}
	}, "rewritten 6-6; unlinked 7-7"},
	{"rewrite from one entry on", func(b *bed) {
		b.exec("UPDATE audit_log SET actor = 'nobody' WHERE n = 10")
		b.rechain(10)
	}, "rewritten 10-10; rewritten 11-11; rewritten 12-12"},
	{"rewrite everything", func(b *bed) {
		b.exec("UPDATE audit_log SET time_ns = time_ns + 1")
		b.rechain(1)
	}, strings.Join(numbered("rewritten", 1, 12), "; ")},
	{"delete one, number anew and rewrite", func(b *bed) {
		b.exec("DELETE FROM audit_log WHERE n = 10", "UPDATE audit_log SET n = 10 WHERE n = 11", "UPDATE audit_log SET n = 11 WHERE n = 12")
		b.rechain(10)
	}, "rewritten 10-10; rewritten 11-11; shrunk 12-12"},
	{"the same number twice", func(b *bed) {
		unconstrained(b)
		b.exec("INSERT INTO audit_log SELECT * FROM audit_log WHERE n = 3")
	}, "doubled 3-3"},
	{"numbers that none can have", func(b *bed) {
		unconstrained(b)
		b.exec("INSERT INTO audit_log SELECT * FROM audit_log WHERE n = 3", "UPDATE audit_log SET n = -5 WHERE n = 3")
	}, "doubled -5--5; doubled -5--5; missing 3-3"},
	{"no number", func(b *bed) {
		unconstrained(b)
		b.exec("UPDATE audit_log SET n = NULL WHERE n = 12")
	}, "shrunk 12-12; doubled 0-0; head_wrong 11-11"},
	{"no value", func(b *bed) {
		unconstrained(b)
		b.exec("UPDATE audit_log SET actor = NULL WHERE n = 12", "UPDATE audit_log SET hash = NULL WHERE n = 2")
	}, "changed 2-2; rewritten 2-2; unlinked 3-3; changed 12-12"},
}

func numbered(kind Kind, from, to int) (out []string) {
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf("%s %d-%d", kind, i, i))
	}
	return out
}

func TestTampering(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		b.fill(b.open(), 12)
		b.disarm()
		b.exec("CREATE TABLE kept_log AS SELECT * FROM audit_log", "CREATE TABLE kept_head AS SELECT * FROM audit_head")
		for _, tt := range attacks {
			t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
				of := *b
				of.t = t
				tt.do(&of)
				if got := found(of.verify()); got != tt.wants {
					t.Errorf("found %q, want %q", got, tt.wants)
				}
				of.exec("DELETE FROM audit_log", "INSERT INTO audit_log SELECT * FROM kept_log",
					"DELETE FROM audit_head", "INSERT INTO audit_head SELECT * FROM kept_head")
			})
		}
	})
}

// TestEveryColumn: whichever is edited, it is found, and in which entry.
func TestEveryColumn(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		b.fill(b.open(), 3)
		b.disarm()
		columns := []string{"time_ns", "journal_seq"}
		for i := range texts {
			columns = append(columns, texts[i].column)
		}
		for _, c := range columns {
			edit, back := c+" = "+c+" || 'x'", c+" = substr("+c+", 1, length("+c+") - 1)"
			if c == "time_ns" || c == "journal_seq" {
				edit, back = c+" = "+c+" + 1", c+" = "+c+" - 1"
			}
			b.exec("UPDATE audit_log SET " + edit + " WHERE n = 2")
			if got := found(b.verify()); got != "changed 2-2" {
				t.Errorf("%s: found %q", c, got)
			}
			b.exec("UPDATE audit_log SET " + back + " WHERE n = 2")
		}
		whole(t, b.verify(), 3)
	})
}

// TestBehindTheAnchors: what changed after the newest anchor is found by the chain, unless
// all of it is made anew; Verify says from where on nothing vouches for the log.
func TestBehindTheAnchors(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		l := b.open()
		b.fill(l, 3)
		kept, err := os.ReadFile(b.head)
		if err != nil {
			t.Fatal(err)
		}
		b.fill(l, 3)
		if err := os.WriteFile(b.head, kept, 0o600); err != nil { // as after a crash
			t.Fatal(err)
		}
		b.disarm()
		b.exec("UPDATE audit_log SET actor = 'nobody' WHERE n = 5")
		if got := found(b.verify()); got != "changed 5-5" {
			t.Errorf("found %q", got)
		}
		b.rechain(4)
		r := b.verify()
		if whole(t, r, 6); r.AnchoredTo != 3 || r.Unanchored() != 3 {
			t.Errorf("anchored to %d, %d are not", r.AnchoredTo, r.Unanchored())
		}
		b.exec("UPDATE audit_log SET actor = 'nobody' WHERE n = 3")
		b.rechain(3)
		if got := found(b.verify()); got != "rewritten 3-3" {
			t.Errorf("found %q", got)
		}
	})
}

// TestManyFindings: a report is bounded.
func TestManyFindings(t *testing.T) {
	b := newBed(t, migrate.SQLite)
	b.fill(b.open(), 130)
	b.disarm()
	b.exec("UPDATE audit_log SET actor = 'nobody'")
	var done, total int64
	r, err := b.open().Verify(t.Context(), func(d, t int64) { done, total = d, t })
	if err != nil || len(r.Findings) != maxFindings || r.More != 30 || r.Whole() || done != 130 || total != 130 {
		t.Errorf("%d findings and %d more, %d of %d: %v", len(r.Findings), r.More, done, total, err)
	}
	b.exec("DROP TABLE audit_log")
	if _, err := b.open().Verify(t.Context(), nil); err == nil {
		t.Error("a table that is gone is verified")
	}
}

// TestShrunkMeanwhile: a running process notices that the log is shorter than it was.
func TestShrunkMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		l := b.open()
		b.fill(l, 4)
		b.disarm()
		b.exec("DELETE FROM audit_log WHERE n > 2")
		b.fixHead()
		e := sample(1)
		if b.dialect == migrate.Postgres { // its link trigger is gone: the head does not move any more
			if err := l.Anchor(t.Context()); err == nil {
				t.Error("anchored")
			}
		} else if err := l.Audit(t.Context(), &e); err != nil || e.N != 3 {
			t.Fatalf("%d: %v", e.N, err)
		}
		if err := l.Alarm(); err == nil || !strings.Contains(err.Error(), "it ends at 2, and ended at 4 before") {
			t.Errorf("the alarm is %v", err)
		}
	})
}
