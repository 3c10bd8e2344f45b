package engine

import (
	"fmt"
	"testing"

	"qcat/core"
)

// BenchmarkViewOrder is what a view does for an order that opens and ends at once, two
// events, while it keeps as many closed ones as a default view does and forgets the
// oldest. Checks that the last is found by id and by name, and the oldest is not.
func BenchmarkViewOrder(b *testing.B) {
	h := newHarness(b)
	v := NewView(h.e, ViewConfig{})
	names := make([]core.ClOrdID, 4*DefaultViewOrders)
	for i := range names {
		names[i], _ = core.MakeClOrdID(fmt.Sprintf("%016x", i))
	}
	ev := Event{Kind: EventOrder, Last: true, Order: core.Order{Account: 1, Strategy: 1, Instrument: 1}}
	next := func() {
		ev.Order.ID++
		ev.Seq += 2
		ev.Order.ClOrdID, ev.Order.Status = names[int(ev.Order.ID)%len(names)], core.StatusNew
		v.apply(&ev)
		ev.Order.Status = core.StatusCancelled
		v.apply(&ev)
	}
	for range DefaultViewOrders {
		next()
	}
	b.ReportAllocs()
	for b.Loop() {
		next()
	}
	last, _ := v.Order(ev.Order.ID)
	if named := v.Orders(OrderFilter{Account: 1, ClOrdID: last.ClOrdID}); len(named) != 1 || named[0].ID != ev.Order.ID {
		b.Errorf("order %d is not found by its name: %v", ev.Order.ID, named)
	}
	if o, found := v.Order(ev.Order.ID - DefaultViewOrders); found {
		b.Errorf("%v is kept", o)
	}
}
