package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"qcat/core"
	"qcat/risk"
)

// trader is a harness whose gateway is a session with an exchange that survives it.
type trader struct {
	*harness
	x *exchange
	s *session
}

func newTrader(t testing.TB, seed uint64, lossy bool) *trader {
	tr := &trader{x: newExchange(seed)}
	tr.s = tr.x.connect(lossy)
	tr.harness = newHarness(t, func(c *Config) {
		c.Gateways = map[string]Gateway{"sim": tr.s}
		c.Batch, c.ReconcileEvery = 4, time.Second
		c.MaxOpenOrders, c.KeepClosedOrders, c.CommandRing, c.EventRing = 256, 256, 64, 1<<10
		c.ReportRing, c.PriorityRing, c.KillRing = 64, 64, 64
	})
	return tr
}

// crash ends the process: of what is on its way to the exchange the first arrive
// get there, answers do not come back, and of the journal what was committed is
// left. A new process takes over.
func (tr *trader) crash(arrive int) {
	tr.t.Helper()
	tr.s.arrive(arrive)
	old := tr.s
	tr.s = tr.x.connect(old.lossy)
	tr.harness = tr.restart(func(c *Config) { c.Gateways = map[string]Gateway{"sim": tr.s} }).begin()
	tr.quote(tr.btc.ID, 10000, 10002)
}

// deliver hands the engine the first n reports that are on their way.
func (tr *trader) deliver(n int) {
	for range min(n, len(tr.s.back)) {
		r := tr.s.back[0]
		tr.s.back = tr.s.back[1:]
		tr.report(r)
	}
}

// settle lets everything arrive, both ways and with time, until nothing moves.
func (tr *trader) settle() {
	tr.t.Helper()
	tr.s.lossy = false
	tr.journal.hold = false
	tr.journal.commit()
	for range 8 {
		for tr.run(); len(tr.s.there)+len(tr.s.back) > 0; tr.run() {
			tr.s.arrive(len(tr.s.there))
			tr.deliver(len(tr.s.back))
		}
		tr.clock.Advance(time.Second)
		tr.quote(tr.btc.ID, 10000, 10002)
	}
}

// agree requires that the engine and the exchange know the same.
func (tr *trader) agree() {
	tr.t.Helper()
	if got := tr.position().Qty; got != tr.x.qty {
		tr.t.Errorf("position %d, at the venue %d", got, tr.x.qty)
	}
	if p := tr.position(); int(p.Fills) != tr.x.trades {
		tr.t.Errorf("%d fills, at the venue %d", p.Fills, tr.x.trades)
	}
	tr.wantUnknown(0)
	open := 0
	tr.e.m.orders.each(&tr.e.m.orders.open, func(e *entry) {
		o, at := e.order, tr.x.orders[e.order.ID]
		open++
		if at == nil || at.ended != 0 || at.cum != o.CumQty || at.Price != o.Price || at.Qty != o.Qty || o.Unknown ||
			!o.VenueAcked || o.PendingCxl || o.PendingRepl {
			tr.t.Errorf("order %+v, at the venue %+v", o, at)
		}
	})
	for _, id := range tr.x.ids {
		if tr.x.orders[id].ended == 0 {
			open--
		}
		if tr.x.times[id] != 1 {
			tr.t.Errorf("order %d was entered %d times", id, tr.x.times[id])
		}
	}
	if open != 0 {
		tr.t.Errorf("%d more orders open here than at the venue", open)
	}
	tr.checkReplay()
}

// Fault: kill -9 with one order in every state of being under way. The orders end as
// the venue has them, nothing is entered twice, and no fill is missing.
func TestCrashWithOrdersUnderWay(t *testing.T) {
	for _, c := range []struct {
		name   string
		act    func(tr *trader) core.OrderID
		arrive int // of what is on its way when the process ends
		status core.OrdStatus
		cum    core.Qty
		check  func(o core.Order) bool
	}{
		{"the venue has it, the answer is lost", func(tr *trader) core.OrderID {
			return tr.ask(tr.limit(core.Buy, 9990, 5, "")).Order.ID
		}, 1, core.StatusNew, 0, nil},
		{"sent, and never arrived", func(tr *trader) core.OrderID {
			return tr.ask(tr.limit(core.Buy, 9990, 5, "")).Order.ID
		}, 0, core.StatusRejected, 0, func(o core.Order) bool { return o.Reason == uint16(core.VenueReasonUnknownOrder) }},
		{"filled, and nothing was heard of it", func(tr *trader) core.OrderID {
			id := tr.ask(tr.limit(core.Buy, 9990, 5, "")).Order.ID
			tr.s.arrive(1)
			tr.x.fill(tr.x.orders[id], 2, tr.s)
			tr.x.fill(tr.x.orders[id], 3, tr.s)
			return id
		}, 0, core.StatusFilled, 5, nil},
		{"a fill was heard of, the next was not", func(tr *trader) core.OrderID {
			id := tr.resting()
			tr.x.fill(tr.x.orders[id], 1, tr.s)
			tr.deliver(9)
			tr.x.fill(tr.x.orders[id], 2, tr.s)
			return id
		}, 0, core.StatusPartiallyFilled, 3, nil},
		{"the cancel arrived", func(tr *trader) core.OrderID {
			id := tr.resting()
			tr.cancel(id)
			return id
		}, 1, core.StatusCancelled, 0, nil},
		{"the cancel did not arrive and is sent again", func(tr *trader) core.OrderID {
			id := tr.resting()
			tr.cancel(id)
			return id
		}, 0, core.StatusCancelled, 0, nil},
		{"filled before the cancel arrived", func(tr *trader) core.OrderID {
			id := tr.resting()
			tr.x.fill(tr.x.orders[id], 5, tr.s)
			tr.cancel(id)
			return id
		}, 1, core.StatusFilled, 5, nil},
		{"the amend did not arrive", func(tr *trader) core.OrderID {
			id := tr.resting()
			tr.ask(Command{Kind: CmdAmend, Order: id, Qty: 8})
			return id
		}, 0, core.StatusNew, 0, func(o core.Order) bool { return o.Qty == 5 && !o.PendingRepl }},
		{"the amend arrived, and more than the old quantity was filled", func(tr *trader) core.OrderID {
			id := tr.resting()
			tr.x.fill(tr.x.orders[id], 1, tr.s)
			tr.deliver(9)
			tr.ask(Command{Kind: CmdAmend, Order: id, Price: 9991, Qty: 8})
			tr.x.rng = rand.New(rand.NewPCG(3, 3)) // takes it
			tr.s.arrive(1)
			tr.x.fill(tr.x.orders[id], 6, tr.s)
			return id
		}, 0, core.StatusPartiallyFilled, 7, func(o core.Order) bool { return o.Qty == 8 && o.Price == 9991 }},
		{"ended by the venue, and filled before", func(tr *trader) core.OrderID {
			id := tr.resting()
			tr.x.fill(tr.x.orders[id], 2, tr.s)
			tr.x.orders[id].ended = core.ExecCancelled
			return id
		}, 0, core.StatusCancelled, 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrader(t, 1, false)
			id := c.act(tr)
			tr.crash(c.arrive)
			tr.settle()
			o := tr.stored(id)
			if o.Status != c.status || o.CumQty != c.cum || (c.check != nil && !c.check(o)) {
				t.Errorf("%s, %d filled; want %s, %d: %+v", o.Status, o.CumQty, c.status, c.cum, o)
			}
			tr.agree()
		})
	}
}

// resting enters an order of 5 that the venue has confirmed.
func (tr *trader) resting() core.OrderID {
	tr.t.Helper()
	id := tr.ask(tr.limit(core.Buy, 9990, 5, "")).Order.ID
	tr.s.arrive(9)
	tr.deliver(9)
	if !tr.stored(id).VenueAcked {
		tr.t.Fatal("not confirmed")
	}
	return id
}

// Fault: the process ends between the commit of an order and its sending, and with
// an order that is not committed. The first is rejected, the second never was.
func TestCrashBeforeSending(t *testing.T) {
	tr := newTrader(t, 1, false)
	tr.s.there = make([]core.VenueCommand, 32) // takes no more
	id := tr.ask(tr.limit(core.Buy, 9990, 5, "a")).Order.ID
	tr.journal.hold = true
	tr.submit(tr.limit(core.Buy, 9990, 5, "b"))
	tr.run()
	tr.s.there = nil
	tr.crash(0)
	tr.settle()
	if o := tr.stored(id); o.Status != core.StatusRejected || tr.e.m.lastOrder != id || len(tr.x.times) != 0 {
		t.Errorf("%+v; last order %d; at the venue %v", o, tr.e.m.lastOrder, tr.x.times)
	}
	tr.agree()
}

// Fault: kill -9 at any time, over and over, with answers lost and fills while
// nobody is connected. In the end the engine has what the venue has: the same
// position, the same fills, the same open orders; nothing was ever entered twice;
// replay comes to the same state; and a kill then leaves nothing open.
func TestRandomCrashes(t *testing.T) {
	var unknown, crashes, trades uint64
	for seed := range uint64(24) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			tr := newTrader(t, seed, true)
			rng := rand.New(rand.NewPCG(seed, 11))
			for range 250 {
				crashes += uint64(tr.step(rng))
				unknown += uint64(tr.e.Unknown())
			}
			tr.settle()
			for _, id := range tr.x.ids { // what the venue ended in silence shows when it is cancelled
				if o := tr.x.orders[id]; o.ended != 0 && tr.stored(id).Status.Open() {
					tr.cancel(id)
				}
			}
			tr.settle()
			tr.agree()
			tr.state(risk.FirmScope(), risk.StateHalted, true)
			tr.settle()
			tr.agree()
			if n := tr.e.m.orders.open.len; n != 0 {
				t.Errorf("%d orders open after a kill", n)
			}
			trades += uint64(tr.x.trades)
		})
	}
	if unknown < 400 || crashes < 120 || trades < 200 {
		t.Errorf("%d crashes, %d trades, %d sightings of unknown orders: too few to show anything", crashes, trades, unknown)
	}
}

// step does one thing at random and returns how many crashes that was.
func (tr *trader) step(rng *rand.Rand) int {
	recent := tr.e.m.lastOrder - min(tr.e.m.lastOrder, core.OrderID(rng.IntN(10)))
	px := core.Price(9990 + rng.IntN(10))
	switch rng.IntN(14) {
	case 0, 1, 2:
		tr.submit(tr.limit(core.Side(1+rng.IntN(2)), px, core.Qty(1+rng.IntN(9)), ""))
	case 3:
		tr.submit(Command{Kind: CmdCancel, Account: tr.account.ID, Order: recent})
	case 4:
		tr.submit(Command{Kind: CmdAmend, Account: tr.account.ID, Order: recent, Price: px, Qty: core.Qty(1 + rng.IntN(12))})
	case 5, 6:
		tr.s.arrive(1 + rng.IntN(6))
	case 7, 8:
		tr.deliver(1 + rng.IntN(6))
	case 9, 10:
		if o := tr.x.random(); o != nil {
			tr.x.fill(o, core.Qty(1+rng.IntN(6)), tr.s)
		}
	case 11:
		if o := tr.x.random(); o != nil && rng.IntN(4) == 0 {
			o.ended = core.ExecCancelled // and the report of it is lost
		}
		tr.journal.hold = rng.IntN(4) == 0
	case 12:
		tr.clock.Advance(time.Duration(rng.IntN(800)) * time.Millisecond)
	case 13:
		if rng.IntN(2) == 0 {
			tr.crash(rng.IntN(len(tr.s.there) + 1))
			return 1
		}
	}
	tr.quote(tr.btc.ID, 10000, 10002)
	tr.run()
	return 0
}
