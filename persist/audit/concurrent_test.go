package audit

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"qcat/core/identity"
)

// TestManyAppend: eight goroutines over two pools, each with a Log of its own and its own
// flock, as if they were processes: no gap, the chain whole, every anchor true.
func TestManyAppend(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		const goroutines, entries = 8, 12
		var wg sync.WaitGroup
		for _, db := range []*sql.DB{b.db, b.connect()} {
			cfg := b.config()
			cfg.DB = db
			l, err := Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			for g := range goroutines / 2 {
				wg.Go(func() {
					for i := range entries {
						e := sample(i)
						e.Detail = fmt.Sprint(g)
						if err := l.Audit(t.Context(), &e); err != nil || e.N == 0 {
							t.Errorf("%d: %v", e.N, err)
						}
						if err := l.Alarm(); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Go(func() { // and meanwhile nothing looks wrong
				if r := verify(t, l); !r.Whole() {
					t.Errorf("while others append: %v", r.Findings)
				}
				if err := l.Anchor(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		r := b.verify()
		whole(t, r, goroutines*entries)
		if r.Unanchored() != 0 {
			t.Errorf("%d entries are not anchored", r.Unanchored())
		}
	})
}

// TestElsewhere: a process without the file appends, and the server anchors for it.
func TestElsewhere(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		l := b.open()
		b.fill(l, 2)
		cfg := b.config()
		cfg.Head, cfg.Master = "", nil
		cfg.DB = b.connect()
		other, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		b.fill(other, 3)
		if got := found(verify(t, other)); got != "no_anchors 0-0" {
			t.Errorf("without anchors: %s", got)
		}
		r := verify(t, l)
		if whole(t, r, 5); r.Unanchored() != 3 {
			t.Errorf("%d entries wait for an anchor", r.Unanchored())
		}
		if err := l.Anchor(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, l); !r.Whole() || r.Unanchored() != 0 {
			t.Errorf("%+v", r)
		}
		if err := other.Reanchor(t.Context(), &identity.AuditEntry{}); err == nil {
			t.Error("a process without the file begins one")
		}
	})
}
