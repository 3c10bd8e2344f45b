package engine

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
	"qcat/risk"
)

// naiveWay is what ownBook.each is held against: a scan of every open order.
func naiveWay(t *orderTable, o *risk.Order, which int) (ids []core.OrderID) {
	type found struct {
		key int64
		id  core.OrderID
	}
	var all []found
	t.each(&t.open, func(e *entry) {
		r := &e.order
		if o.TIF == core.PostOnly || r.Instrument != o.Instrument || r.Side == o.Side || r.Type != core.Limit ||
			r.TIF == core.IOC || r.TIF == core.FOK || (which == ofAccount && r.Account != o.Account) {
			return
		}
		for _, px := range []core.Price{r.Price, r.NewPrice} {
			limit := max(o.Price, o.Worst)
			buy, sell := limit, px
			if o.Side == core.Sell {
				buy, sell = px, limit
			}
			if px != 0 && (o.Type == core.Market && o.Worst == 0 || buy >= sell) {
				all = append(all, found{restingKey(r), r.ID})
				return
			}
		}
	})
	slices.SortFunc(all, func(a, b found) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.id, b.id)) })
	for _, f := range all {
		ids = append(ids, f.id)
	}
	return ids
}

// way is the same by the book: orders of one price in the order of their ids, prices
// as they come.
func way(b *ownBook, t *orderTable, o *risk.Order, which int) (ids []core.OrderID) {
	last, from := int64(0), 0
	b.each(t, o, which, func(e *entry) bool {
		if k := restingKey(&e.order); len(ids) == 0 || k != last {
			slices.Sort(ids[from:])
			last, from = k, len(ids)
		}
		ids = append(ids, e.order.ID)
		return true
	})
	slices.Sort(ids[from:])
	return ids
}

// checkTree requires what the ladders promise: keys in order, no child of a higher
// priority, the best level at hand, no level without an order.
func checkTree(t *testing.T, b *ownBook) {
	t.Helper()
	for l := range b.ladders {
		best := b.ladders[l].best
		var last *level
		for at := best; at != 0; at = b.after(at) {
			v := &b.levels[at]
			if last != nil && last.key >= v.key || v.first == 0 || v.ladder != uint32(l) {
				t.Fatalf("ladder %d: level %d is out of order, empty or of another", l, v.key)
			}
			for _, child := range []uint32{v.left, v.right} {
				if child != 0 && (b.levels[child].up != at || b.levels[child].priority > v.priority) {
					t.Fatalf("ladder %d: level %d has a child that is above it", l, v.key)
				}
			}
			last = v
		}
		if (best == 0) != (b.ladders[l].root == 0) || best != 0 && b.levels[best].left != 0 {
			t.Fatalf("ladder %d: its best level is not the best", l)
		}
	}
}

func TestOwnBookAgainstAScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 14))
	book, table := newOwnBook(), newOrderTable(512, 4)
	var open []*entry
	price := func() core.Price { return core.Price(1 + rng.IntN(60)) }
	crossed := 0
	for step := range 20_000 {
		switch k := rng.IntN(10); {
		case k < 4 && len(open) < 300:
			o := core.Order{ID: core.OrderID(step + 1), Account: core.AccountID(1 + rng.IntN(3)), Instrument: core.InstrumentID(1 + rng.IntN(2)),
				Side: core.Side(1 + rng.IntN(2)), Type: core.Limit, TIF: core.TimeInForce(1 + rng.IntN(5)), Status: core.StatusNew, Price: price(), Qty: 1}
			if rng.IntN(10) == 0 {
				o.Type, o.TIF, o.Price = core.Market, core.IOC, 0
			}
			e := table.add(&o)
			book.place(&table, e)
			open = append(open, e)
		case len(open) == 0:
		case k < 6:
			e := open[rng.IntN(len(open))]
			e.order.PendingRepl, e.order.NewPrice = true, price()
			book.place(&table, e)
		case k < 8:
			e := open[rng.IntN(len(open))]
			if e.order.PendingRepl && rng.IntN(2) == 0 {
				e.order.Price = e.order.NewPrice
			}
			e.order.PendingRepl, e.order.NewPrice = false, 0
			book.place(&table, e)
		default:
			i := rng.IntN(len(open))
			e := open[i]
			open = slices.Delete(open, i, i+1)
			e.order.Status = core.StatusCancelled
			book.place(&table, e)
			table.close(e)
		}
		o := risk.Order{Account: core.AccountID(1 + rng.IntN(4)), Instrument: core.InstrumentID(1 + rng.IntN(3)),
			Side: core.Side(1 + rng.IntN(2)), Type: core.Limit, TIF: core.TimeInForce(1 + rng.IntN(5)), Price: price(), Qty: 1}
		if rng.IntN(8) == 0 {
			o.Type, o.TIF, o.Price, o.Worst = core.Market, core.IOC, 0, o.Price*core.Price(rng.IntN(2))
		}
		firm, own := naiveWay(&table, &o, ofFirm), naiveWay(&table, &o, ofAccount)
		if got := way(&book, &table, &o, ofFirm); !slices.Equal(got, firm) {
			t.Fatalf("step %d: in the way of %+v are %v, want %v", step, o, got, firm)
		}
		if got := way(&book, &table, &o, ofAccount); !slices.Equal(got, own) {
			t.Fatalf("step %d: of the account, in the way of %+v are %v, want %v", step, o, got, own)
		}
		want := risk.Crossing(0)
		switch {
		case len(own) > 0:
			want = risk.CrossesAccount
		case len(firm) > 0:
			want = risk.CrossesFirm
		}
		if got := book.crosses(&o); got != want {
			t.Fatalf("step %d: %+v crosses %d, want %d", step, o, got, want)
		}
		crossed += boolToInt(want != 0)
		if step%100 == 0 {
			checkTree(t, &book)
		}
	}
	if crossed < 1000 {
		t.Errorf("only %d orders crossed anything", crossed)
	}
}

// Once there were as many levels at a time, an order comes and goes without an
// allocation.
func TestOwnBookDoesNotAllocate(t *testing.T) {
	book, table := newOwnBook(), newOrderTable(512, 4)
	var entries []*entry
	for i := range 256 {
		o := core.Order{ID: core.OrderID(i + 1), Account: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC,
			Status: core.StatusNew, Price: core.Price(1 + i)}
		entries = append(entries, table.add(&o))
		book.place(&table, entries[i])
	}
	taker := risk.Order{Account: 1, Instrument: 1, Side: core.Sell, Type: core.Market, TIF: core.IOC}
	if n := testing.AllocsPerRun(100, func() {
		for _, e := range entries {
			e.order.Status = core.StatusCancelled
			book.place(&table, e)
			e.order.Status = core.StatusNew
			book.place(&table, e)
			book.crosses(&taker)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
