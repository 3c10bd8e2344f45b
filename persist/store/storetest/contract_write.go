package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// testUpserts follows one order from its entry to a fill that came late, with its
// position, mark and candle.
func testUpserts(t *testing.T, open Open) {
	p := newPair(t, open, 11)
	p.write(p.world.definitions())
	st := p.world.dir.Strategies()[0]
	in := p.world.dir.Instruments()[0].ID
	id, _ := core.MakeClOrdID("first")
	o := history.Order{Order: core.Order{ID: 1, Account: st.Account, Strategy: st.ID, Instrument: in, Side: core.Buy,
		Type: core.Limit, TIF: core.GTD, Status: core.StatusNew, Price: 100, Qty: 10, ExpireTime: start + 5, CreateTime: start,
		UpdateTime: start, ClOrdID: id}, Due: start + 5}
	pos := history.Position{Account: st.Account, Strategy: st.ID, Instrument: in}
	candle := history.Candle{Instrument: in, Interval: 1e9, Candle: core.Candle{Open: 1, High: 1, Low: 1, Close: 1, Trades: 1}}
	steps := []func(){
		func() {},
		func() { o.VenueAcked, o.PendingCxl, o.Due = true, true, 0 },
		func() { o.Status, o.CumQty, o.CumCost = core.StatusPartiallyFilled, 4, core.Int128From(400) },
		func() { o.Status, o.PendingCxl = core.StatusCancelled, false },
		func() { o.CumQty, o.CumCost = 7, core.Int128From(700) }, // late
	}
	for i, step := range steps {
		step()
		b := p.world.next(store.Journal)
		o.Seq, o.UpdateTime = b.To, p.world.now
		pos.Position.Qty, pos.Seq, pos.Time = o.CumQty, b.To, p.world.now
		b.Orders, b.Positions = []history.Order{o}, []history.Position{pos}
		b.Marks = []store.Mark{{Instrument: in, Price: core.Price(i), Time: p.world.now}}
		p.write(b)
		tick := p.world.next(store.Ticks)
		candle.Close, candle.Closed = core.Price(i), i == 3
		candle.Gap = i == 4
		tick.Candles = []history.Candle{candle}
		p.write(tick)
		if got, ok, err := p.store.Order(t.Context(), 1); !ok || err != nil || got != o {
			t.Fatalf("step %d: order is %+v (%v, %v)\nwant %+v", i, got, ok, err, o)
		}
		if s, err := p.store.Load(t.Context(), store.Journal); err != nil || len(s.Open) != map[bool]int{true: 1}[o.Status.Open()] {
			t.Errorf("step %d: %d open orders (%v)", i, len(s.Open), err)
		}
		p.same()
		p.everything()
	}
}

func testPositions(t *testing.T, open Open) {
	p := newPair(t, open, 13)
	ctx := t.Context()
	first := p.world.definitions()
	late := clone(first)
	late.From, late.To = late.From+1, late.To+1
	p.refused("a first batch that does not begin at 1", late, store.ErrPosition)
	p.write(first)
	p.refused("the same batch again", first, store.ErrPosition)
	p.write(p.world.ticks(3))
	p.write(p.world.journal(3))
	next := p.world.journal(3)

	gap := clone(next)
	gap.From++
	gap.To++
	p.refused("a batch that leaves a record out", gap, store.ErrPosition)
	again := clone(next)
	again.From--
	p.refused("a batch that repeats a record", again, store.ErrPosition)
	backwards := clone(next)
	backwards.To = backwards.From - 1
	p.refused("a batch that ends before it begins", backwards, store.ErrPosition)
	foreign := clone(next)
	foreign.Log[15]++
	p.refused("a batch of another log", foreign, store.ErrForeign)

	p.write(next)
	// The streams do not know of each other: the ticks may come from any log.
	other := p.world.ticks(2)
	p.write(other)
	// Without a row the position moves all the same.
	p.write(p.world.next(store.Journal))
	p.write(p.world.next(store.Ticks))
	p.same()
	if got, err := p.store.Position(ctx, store.Journal); err != nil || got.Seq != p.world.seq[store.Journal] || got.Time == 0 {
		t.Errorf("journal at %+v (%v)", got, err)
	}
}

// testCancelledWrite gives a write up before and while it is made: the batch is
// then stored whole or not at all, Position says which, and the store goes on.
func testCancelledWrite(t *testing.T, open Open) {
	p := newPair(t, open, 17)
	p.write(p.world.definitions())
	for round := range 20 {
		b := p.world.journal(10)
		ctx, cancel := context.WithCancel(t.Context())
		if round%4 == 0 {
			cancel()
		}
		done := make(chan error, 1)
		go func() { done <- p.store.Write(ctx, b) }()
		cancel()
		err := <-done
		if errors.Is(err, store.ErrPosition) || errors.Is(err, store.ErrForeign) {
			t.Fatalf("round %d: %v", round, err)
		}
		at, perr := p.store.Position(t.Context(), store.Journal)
		switch {
		case perr != nil:
			t.Fatalf("round %d: %v", round, perr)
		case at.Seq == b.To:
			if werr := p.naive.Write(t.Context(), b); werr != nil {
				t.Fatal(werr)
			}
		case at.Seq == b.From-1 && err != nil:
			p.write(b)
		default:
			t.Fatalf("round %d: write said %v; the store is at %d after a batch from %d to %d", round, err, at.Seq, b.From, b.To)
		}
	}
	p.same()
}

// testConcurrentReaders reads while batches of 7 executions of one order each are
// written: every list holds whole batches, in order, and no reader goes back.
func testConcurrentReaders(t *testing.T, open Open) {
	const batches, each = 40, 7
	p := newPair(t, open, 19)
	p.write(p.world.definitions())
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for seen := 0; ctx.Err() == nil; {
				rows, err := p.store.Executions(ctx, history.ExecutionQuery{Limit: 1 << 20})
				if ctx.Err() != nil {
					return
				}
				if err != nil || len(rows)%each != 0 || len(rows) < seen {
					t.Errorf("%d executions after %d: %v", len(rows), seen, err)
					return
				}
				seen = len(rows)
				for i := range rows {
					if rows[i].ID != uint64(len(rows)-i) {
						t.Errorf("row %d of %d is execution %d", i, len(rows), rows[i].ID)
						return
					}
				}
				if o, ok, err := p.store.Order(ctx, 1); ctx.Err() == nil && (err != nil || ok != (o.ID == 1)) {
					t.Errorf("order: %v, %v", ok, err)
					return
				}
			}
		})
	}
	for range batches {
		b := p.world.journal(each)
		p.write(b)
		p.write(p.world.ticks(each))
	}
	cancel()
	readers.Wait()
	p.same()
}
