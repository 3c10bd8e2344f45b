package engine

import (
	"time"

	"qcat/core"
	"qcat/risk"
)

// people propose and decide.
var people = []string{"anna", "bert", "carl"}

// change proposes other limits of a node, for a time or for good, decides on what
// waits, or lets so much time pass that what waits expires.
func (w *workload) change(s risk.Scope) {
	by := people[w.rng.IntN(len(people))]
	c := &w.e.m.changes
	switch k := w.rng.IntN(10); {
	case k < 3 && len(c.waiting) > 0:
		if _, err := w.e.DecideProposal(c.waiting[w.rng.IntN(len(c.waiting))].id, w.rng.IntN(3) > 0, by); err != nil {
			w.t.Fatal(err)
		}
		return
	case k == 3 && w.rng.IntN(10) == 0:
		w.clock.Advance(ProposalPatience)
		return
	}
	l, until := w.e.m.tree.Limits(s), core.Nanos(0)
	if w.rng.IntN(3) > 0 {
		until = w.clock.Now() + core.Nanos(w.rng.IntN(40))*core.Nanos(10*time.Millisecond)
	}
	l.Unset(risk.LimitMaxOpenOrders)
	if n := w.rng.IntN(30); n > 0 {
		l.Set(risk.LimitMaxOpenOrders, int64(5+n))
	}
	if _, err := w.e.ProposeLimits(s, l, until, by, "because"); err != nil {
		w.t.Fatal(err)
	}
}
