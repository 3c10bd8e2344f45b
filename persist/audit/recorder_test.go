package audit

import (
	"context"
	"fmt"
	"testing"

	"qcat/core/identity"
	"qcat/persist/migrate"
)

// TestRecorder: while the database does not take writes, nobody waits, and what found no
// room is counted in the log itself.
func TestRecorder(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		l := b.open()
		holder, err := b.connect().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer holder.Close()
		hold := []string{"BEGIN IMMEDIATE"}
		if b.dialect == migrate.Postgres {
			hold = []string{"BEGIN", "SELECT * FROM audit_head FOR UPDATE"}
		}
		for _, s := range hold {
			if _, err := holder.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		const room = 40
		r := NewRecorder(l, room)
		var taken, lost int64
		for lost < 3 {
			if r.Record(identity.AuditEntry{Actor: "mallory", Action: "login", Outcome: "auth.password", Detail: fmt.Sprint(taken), Journal: 9}) {
				taken++
			} else {
				lost++
			}
		}
		if taken < room || taken > room+recordBatch || r.Lost() != lost {
			t.Errorf("%d were taken, %d lost, which it says are %d", taken, lost, r.Lost())
		}
		queued := b.clock.Now()
		b.clock.Advance(9e9)
		if _, err := holder.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r.Record(sample(0)) {
			t.Error("a recorder that is closed takes an entry")
		}
		whole(t, b.verify(), taken+1)
		rows, err := l.Entries(t.Context(), identity.AuditQuery{Actor: "mallory", Limit: 1000})
		if err != nil || int64(len(rows)) != taken {
			t.Fatalf("%d entries: %v", len(rows), err)
		}
		for i := range rows {
			if rows[i].Time != queued || rows[i].Detail != fmt.Sprint(taken-1-int64(i)) || rows[i].Journal != 0 {
				t.Fatalf("%+v", rows[i])
			}
		}
		rows, err = l.Entries(t.Context(), identity.AuditQuery{Action: LostAction, Limit: 9})
		if err != nil || len(rows) != 1 || rows[0].Detail != "3 entries found no room in the queue and are not in the log" {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

// TestRecorderGivesUp: a close that may not wait says how many entries are lost.
func TestRecorderGivesUp(t *testing.T) {
	b := newBed(t, migrate.SQLite)
	r := NewRecorder(b.open(), 0)
	b.db.Close()
	for i := range 5 {
		if !r.Record(sample(i)) {
			t.Error("no room")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Close(ctx); err == nil || err.Error() != "audit: 5 entries were not written" || r.Lost() != 5 {
		t.Errorf("%d lost: %v", r.Lost(), err)
	}
	if err := r.Close(ctx); err == nil {
		t.Error("the second time nothing is lost")
	}
}
