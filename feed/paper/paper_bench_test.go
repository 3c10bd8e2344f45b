package paper

import (
	"fmt"
	"testing"

	"qcat/core"
	"qcat/core/book"
)

// benchBook is a stage with 100 levels a side and as many resting buy orders as
// asked for, spread over 100 prices behind the touch.
func benchBook(b *testing.B, resting int) *stage {
	s := newStage(b, Settings{Fees: testFees})
	s.matcher.report = func(*core.ExecReport) {}
	var levels []core.Event
	for i := range core.Price(100) {
		levels = append(levels, bid(9_999-i, 1_000_000), ask(10_001+i, 1_000_000))
	}
	s.run(core.FlagSnapshot, levels...)
	for i := range resting {
		s.send(limit(core.OrderID(i+1), core.Buy, core.GTC, core.Price(9_998-i%100), 10))
	}
	if s.matcher.Open() != resting {
		b.Fatalf("%d orders rest, want %d", s.matcher.Open(), resting)
	}
	return s
}

// BenchmarkLevel is one level event at the touch with so many resting orders of
// the instrument, none at that price: what the paper venue adds to each level of
// the market.
func BenchmarkLevel(b *testing.B) {
	for _, resting := range []int{0, 10, 1_000, 10_000} {
		b.Run(fmt.Sprintf("resting=%d", resting), func(b *testing.B) {
			s := benchBook(b, resting)
			r := book.NewReplica(8) // a book without depth, so that the replica costs little
			r.Apply(&core.Event{Kind: core.EventLevel, Flags: core.FlagFirst | core.FlagLast | core.FlagSnapshot})
			ev := core.Event{Kind: core.EventLevel, Flags: core.FlagFirst | core.FlagLast, Instrument: one, Side: core.Buy, Price: 9_999}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				ev.Qty = core.Qty(1 + n&7)
				s.matcher.Event(&ev, r)
			}
			if s.matcher.Open() != resting {
				b.Fatal("an order was lost")
			}
		})
	}
}

// BenchmarkOrder is a limit order that rests and is cancelled, with so many
// others resting: two commands and two reports.
func BenchmarkOrder(b *testing.B) {
	for _, resting := range []int{0, 10, 1_000, 10_000} {
		b.Run(fmt.Sprintf("resting=%d", resting), func(b *testing.B) {
			s := benchBook(b, resting)
			reports := 0
			s.matcher.report = func(*core.ExecReport) { reports++ }
			id := core.OrderID(resting)
			b.ReportAllocs()
			for b.Loop() {
				id++
				s.send(limit(id, core.Buy, core.GTC, 9_950, 10))
				s.send(core.VenueCommand{Op: core.VenueCancel, Order: id})
			}
			if n := int(id) - resting; reports != 2*n || s.matcher.Open() != resting {
				b.Fatalf("%d reports of %d orders", reports, n)
			}
		})
	}
}

// BenchmarkTake is a market order that fills on one level, whose quantity the
// market then shows anew.
func BenchmarkTake(b *testing.B) {
	s := benchBook(b, 0)
	reports := 0
	s.matcher.report = func(*core.ExecReport) { reports++ }
	id := core.OrderID(0)
	gone, back := []core.Event{ask(10_001, 0)}, []core.Event{ask(10_001, 10)}
	b.ReportAllocs()
	for b.Loop() {
		id++
		s.run(0, gone...)
		s.run(0, back...)
		s.send(marketOrder(id, core.Buy, 10))
	}
	if reports != 2*int(id) {
		b.Fatalf("%d reports of %d orders", reports, id)
	}
}
