package audit

import (
	"fmt"
	"sync"
	"testing"

	"qcat/core/identity"
)

// project adds rows to the journal's projection, as the store does.
func (b *bed) project(from, to int) {
	b.t.Helper()
	for seq := from; seq <= to; seq++ {
		b.exec(fmt.Sprintf("INSERT INTO audit VALUES (%d, %d, 'set_limits', 1, 0, 0, 0, 'max_qty 1 → %d')", seq, 1000+seq, seq))
	}
}

// TestFollow copies what the journal says, once, and says what it is about.
func TestFollow(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		l := b.open()
		f := NewFollower(l)
		follow := func(want int) {
			t.Helper()
			if n, err := f.Follow(t.Context()); err != nil || n != want {
				t.Fatalf("copied %d, want %d: %v", n, want, err)
			}
		}
		follow(0)
		b.exec("INSERT INTO accounts VALUES (1, 'demo')", "INSERT INTO strategies VALUES (3, 1, 'alpha')")
		b.exec("INSERT INTO audit VALUES (7, 70, 'set_state', 3, 1, 3, 0, 'halted, 2 cancels sent')",
			"INSERT INTO audit VALUES (9, 90, 'propose_limits', 1, 0, 0, 0, 'refused with risk.approval: not now')",
			"INSERT INTO audit VALUES (12, 120, 'set_rate', 4, 5, 0, 6, 'refused with code 7: x')")
		follow(3)
		follow(0)
		rows, err := l.Entries(t.Context(), identity.AuditQuery{Limit: 9})
		if err != nil || len(rows) != 3 {
			t.Fatal(len(rows), err)
		}
		for i, want := range []identity.AuditEntry{
			{N: 3, Time: 120, Action: "set_rate", Target: "account 5, 6", Outcome: "refused", Detail: "refused with code 7: x", Journal: 12},
			{N: 2, Time: 90, Action: "propose_limits", Target: "firm", Outcome: "risk.approval", Detail: "refused with risk.approval: not now", Journal: 9},
			{N: 1, Time: 70, Action: "set_state", Target: "account demo, strategy alpha", Outcome: "ok", Detail: "halted, 2 cancels sent", Journal: 7},
		} {
			if want.Actor, want.Via = "system", "engine"; rows[i] != want {
				t.Errorf("%+v, want %+v", rows[i], want)
			}
		}
		b.fill(l, 1) // others come between
		b.project(20, 20+2*followRows)
		follow(2*followRows + 1)
		r := b.verify()
		if whole(t, r, 3+1+2*followRows+1); r.Unanchored() != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// TestTwoFollow: two processes copy at once, while rows are added: each row once, in order.
func TestTwoFollow(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		const rows = 150
		b.project(1, rows/2)
		var wg, writer sync.WaitGroup
		written := make(chan struct{})
		writer.Go(func() {
			defer close(written)
			b.project(rows/2+1, rows)
		})
		total := make(chan int, 2)
		for range 2 {
			cfg := b.config()
			cfg.DB = b.connect()
			l, err := Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				sum, last := 0, false
				defer func() { total <- sum }()
				for !last {
					select {
					case <-written:
						last = true
					default:
					}
					n, err := NewFollower(l).Follow(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					sum += n
				}
			})
		}
		writer.Wait()
		wg.Wait()
		if sum := <-total + <-total; sum != rows {
			t.Errorf("%d rows were copied", sum)
		}
		list, err := b.open().Entries(t.Context(), identity.AuditQuery{Limit: 2 * rows})
		if err != nil || len(list) != rows {
			t.Fatalf("%d entries: %v", len(list), err)
		}
		for i := range list {
			if list[i].Journal != uint64(rows-i) {
				t.Fatalf("entry %d is of record %d", list[i].N, list[i].Journal)
			}
		}
		whole(t, b.verify(), rows)
	})
}
