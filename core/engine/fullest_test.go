package engine

import (
	"fmt"
	"maps"
	"testing"

	"qcat/core"
	"qcat/risk"
)

// use is one row of what a Fullest tells.
type use struct {
	level risk.Level
	limit risk.Limit
}

// fullest is what a whole walk finds, in PPM.
func (h *harness) fullest(f *Fullest) map[use]int64 {
	h.t.Helper()
	h.rest(func() error {
		for f.step() {
		}
		return nil
	})
	found := map[use]int64{}
	f.Each(func(level risk.Level, l risk.Limit, ppm int64) { found[use{level, l}] = ppm })
	return found
}

// Of each limit the node that has used most of it is told, level by level; what is no
// longer used is no longer told, and a limit of nothing of which nothing is used is
// nobody's alarm.
func TestFullest(t *testing.T) {
	h := newHarness(t)
	limit := func(s risk.Scope, l risk.Limit, v int64) {
		t.Helper()
		var all risk.Limits
		all.Set(l, v)
		h.rest(func() error { _, err := h.e.DefineLimits(s, all); return err })
	}
	var other core.AccountID
	h.rest(func() error {
		a, err := h.e.DefineAccount("other")
		if err == nil {
			other = a.ID
		}
		return err
	})
	limit(risk.FirmScope(), risk.LimitMaxOpenOrders, 100)
	limit(risk.AccountScope(h.account.ID), risk.LimitMaxOpenOrders, 4)
	limit(risk.AccountScope(other), risk.LimitMaxOpenOrders, 1)
	limit(risk.InstrumentScope(other, 0, h.btc.ID), risk.LimitMaxPosition, 0)
	f := NewFullest(h.e)
	firm, account := use{risk.LevelFirm, risk.LimitMaxOpenOrders}, use{risk.LevelAccount, risk.LimitMaxOpenOrders}
	want := func(firmPPM, accountPPM int64) {
		t.Helper()
		if got := h.fullest(f); !maps.Equal(got, map[use]int64{firm: firmPPM, account: accountPPM}) {
			t.Errorf("%v, want %d and %d alone", got, firmPPM, accountPPM)
		}
	}
	want(0, 0)
	var ids []core.OrderID
	for range 3 {
		ids = append(ids, h.order(core.Buy, 9990, 1))
	}
	want(30_000, 750_000)
	h.cancel(ids[0])
	h.report(core.ExecReport{Type: core.ExecCancelled, Order: ids[0]})
	want(20_000, 500_000)
}

// A walk over more nodes than one step looks at takes several, and misses none.
func TestFullestWalksInSteps(t *testing.T) {
	h := newHarness(t)
	var last core.AccountID
	h.rest(func() error {
		for i := range 40 {
			a, err := h.e.DefineAccount(fmt.Sprint("a", i))
			if err != nil {
				return err
			}
			last = a.ID
		}
		var all risk.Limits
		all.Set(risk.LimitMaxOpenOrders, 1)
		_, err := h.e.DefineLimits(risk.AccountScope(last), all)
		return err
	})
	f := NewFullest(h.e)
	f.clock = &leaping{} // each look at it is more than a step later
	steps := 0
	h.rest(func() error {
		for more := true; more; steps++ {
			more = f.step()
		}
		return nil
	})
	if steps < 3 {
		t.Errorf("%d steps", steps)
	}
	found := 0
	f.Each(func(risk.Level, risk.Limit, int64) { found++ })
	if found != 1 {
		t.Errorf("%d limits found, want the last node's", found)
	}
}

// leaping is a clock that goes a second further with each look.
type leaping struct{ now core.Nanos }

func (c *leaping) Now() core.Nanos { c.now += 1e9; return c.now }
