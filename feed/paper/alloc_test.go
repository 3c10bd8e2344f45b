//go:build !race

package paper

import (
	"testing"

	"qcat/core"
)

// TestSteadyStateDoesNotAllocate goes through taking, resting, meeting, amending,
// expiring, adopting and snapshots over and over.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	s := newStage(t, Settings{Fees: testFees, OrderLatency: 1})
	reports := 0
	s.matcher.report = func(*core.ExecReport) { reports++ }
	book := make([]core.Event, 0, 40)
	for i := range core.Price(20) {
		book = append(book, bid(99-i, 5), ask(101+i, 5))
	}
	changed := []core.Event{ask(101, 0), bid(99, 7)}
	id := core.OrderID(0)
	cycle := func() {
		s.run(core.FlagSnapshot, book...)
		id += 8
		for i := range core.OrderID(4) {
			c := limit(id+i, core.Buy, core.GTD, 97-core.Price(i), 3)
			c.ExpireTime = s.now + 6
			s.send(c)
		}
		s.send(marketOrder(id+4, core.Buy, 40))
		s.send(limit(id+5, core.Sell, core.GTC, 100, 9))
		s.now++
		s.exchange = s.now
		s.matcher.Advance(s.now)
		s.trade(core.Sell, 97, 8)
		s.run(0, changed...)
		s.send(core.VenueCommand{Op: core.VenueAmend, Order: id + 1, Price: 90, Qty: 2})
		s.send(core.VenueCommand{Op: core.VenueCancel, Order: id + 2})
		s.send(core.VenueCommand{Op: core.VenueCancel, Order: id + 5})
		s.send(question(id+6, core.Buy, core.PostOnly, 97, 5, 2))
		s.send(core.VenueCommand{Op: core.VenueCancel, Order: id + 6})
		s.stale()
		s.send(question(id+7, core.Buy, core.GTC, 97, 5, 2))
		s.send(core.VenueCommand{Op: core.VenueCancel, Order: id + 7})
		s.now += 10
		s.matcher.Advance(s.now)
	}
	for range 200 { // tables reach their size
		cycle()
	}
	reports = 0
	if allocs := testing.AllocsPerRun(200, cycle); allocs != 0 {
		t.Errorf("%v allocations a cycle", allocs)
	}
	if reports < 200*15 || s.matcher.Open() != 0 {
		t.Errorf("%d reports in 200 cycles, %d orders open", reports, s.matcher.Open())
	}
}
