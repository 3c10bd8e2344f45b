package engine

import (
	"testing"

	"qcat/core"
	"qcat/risk"
)

// Whatever of the state is changed by a little, the hash changes.
func TestStateHashCoversTheState(t *testing.T) {
	h := newHarness(t)
	filled := h.order(core.Buy, 10000, 10)
	h.fill(filled, 1, 10000, 10)
	c := h.limit(core.Buy, 9990, 10, "named")
	c.TIF, c.ExpireTime = core.GTD, h.clock.Now()+1_000_000
	open := h.ask(c).Order.ID
	h.state(risk.StrategyScope(h.strategy.ID), risk.StateReducing, false)
	m := h.e.m
	o, closed, p := m.orders.find(open), m.orders.find(filled), &m.positions.all[0]
	other := core.ClOrdID{}
	m.tree.SetState(risk.FirmScope(), risk.StateActive) // drawdown counts from here, so that the state below can be put back
	clean := h.stateHash()
	for name, change := range map[string]func() (undo func()){
		"time":            func() func() { m.now++; return func() { m.now-- } },
		"last order":      func() func() { m.lastOrder++; return func() { m.lastOrder-- } },
		"last execution":  func() func() { m.lastExec++; return func() { m.lastExec-- } },
		"digest":          func() func() { m.digest++; return func() { m.digest-- } },
		"halts":           func() func() { m.halted++; return func() { m.halted-- } },
		"status":          func() func() { o.order.Status++; return func() { o.order.Status-- } },
		"price":           func() func() { o.order.Price++; return func() { o.order.Price-- } },
		"quantity":        func() func() { o.order.Qty++; return func() { o.order.Qty-- } },
		"filled":          func() func() { closed.order.CumQty++; return func() { closed.order.CumQty-- } },
		"cost":            func() func() { closed.order.CumCost.Lo++; return func() { closed.order.CumCost.Lo-- } },
		"cancel pending":  func() func() { o.order.PendingCxl = true; return func() { o.order.PendingCxl = false } },
		"amend pending":   func() func() { o.order.PendingRepl = true; return func() { o.order.PendingRepl = false } },
		"new terms":       func() func() { o.order.NewQty++; return func() { o.order.NewQty-- } },
		"amends":          func() func() { o.order.Amends++; return func() { o.order.Amends-- } },
		"expiring":        func() func() { o.expiring = true; return func() { o.expiring = false } },
		"due":             func() func() { o.due++; return func() { o.due-- } },
		"first price":     func() func() { o.firstPrice++; return func() { o.firstPrice-- } },
		"venue execution": func() func() { closed.venueExec++; return func() { closed.venueExec-- } },
		"client order id": func() func() {
			other, o.order.ClOrdID = o.order.ClOrdID, other
			return func() { other, o.order.ClOrdID = o.order.ClOrdID, other }
		},
		"position": func() func() { p.Position.Qty++; return func() { p.Position.Qty-- } },
		"cash":     func() func() { p.Position.Cash.Lo++; return func() { p.Position.Cash.Lo-- } },
		"fees":     func() func() { p.Position.Fees++; return func() { p.Position.Fees-- } },
		"entry":    func() func() { p.Position.EntryDen++; return func() { p.Position.EntryDen-- } },
		"who halted": func() func() {
			s := &m.states.all[0]
			s.Note.b[0]++
			return func() { s.Note.b[0]-- }
		},
		"when": func() func() { m.states.all[0].Seq++; return func() { m.states.all[0].Seq-- } },
		"trading state": func() func() {
			m.tree.SetState(risk.FirmScope(), risk.StateReducing)
			return func() { m.tree.SetState(risk.FirmScope(), risk.StateActive) }
		},
	} {
		undo := change()
		if h.stateHash() == clean {
			t.Errorf("%s is not in the hash", name)
		}
		undo()
		if h.stateHash() != clean {
			t.Errorf("%s was not put back", name)
			clean = h.stateHash()
		}
	}
}

// What depends on the speed of a gateway alone is not part of the state.
func TestOutboxIsNotState(t *testing.T) {
	h := newHarness(t)
	h.gateway.room = 0
	h.ask(h.limit(core.Buy, 9990, 1, ""))
	waiting := h.stateHash()
	h.gateway.room = -1
	h.run()
	if len(h.gateway.sent) != 1 || h.stateHash() != waiting {
		t.Error("handing an order over changed the state")
	}
}
