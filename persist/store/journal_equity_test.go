package store_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

// naiveEquity works the equity rows of one account out of its executions and the
// marks, minute by minute, all positions from the first fill on each time.
func naiveEquity(t *testing.T, records [][]byte, fills []history.Execution, instruments []core.Instrument, account core.AccountID) []history.Equity {
	t.Helper()
	const minute = core.Nanos(60e9)
	marks := map[core.InstrumentID]core.Price{}
	var out []history.Equity
	var r record.Record
	began, lastSeq := core.Nanos(-1), uint64(0)
	for _, rec := range records {
		if err := record.Decode(rec, &r); err != nil {
			t.Fatal(err)
		}
		if now := r.Time - r.Time%minute; now != began {
			if began >= 0 {
				out = append(out, equityOf(fills, marks, instruments, account, began, lastSeq)...)
			}
			began = now
		}
		if lastSeq = r.Seq; r.Type == record.TypeMark {
			marks[r.Mark.Instrument] = r.Mark.Price
		}
	}
	return out
}

func equityOf(fills []history.Execution, marks map[core.InstrumentID]core.Price, instruments []core.Instrument,
	account core.AccountID, began core.Nanos, seq uint64) (out []history.Equity) {
	for _, settle := range []string{"BTC", "USDT"} {
		e := history.Equity{Account: account, Settle: settle, Scale: 8, Time: began + 60e9, Valued: true, Seq: seq}
		active := false
		for _, in := range instruments {
			for strategy := range core.StrategyID(10) {
				var pos core.Position
				for _, x := range fills {
					if x.Seq <= seq && x.Account == account && x.Instrument == in.ID && x.Strategy == strategy && in.Settle == settle {
						pos.Apply(&in, &core.Fill{Side: x.Side, Price: x.LastPx, Qty: x.LastQty, Fee: x.Fee})
						active = active || x.Time >= began
					}
				}
				if pos.Fills == 0 {
					continue
				}
				active = active || pos.Qty != 0
				realised, _ := pos.Realised(&in, core.RoundHalfEven)
				unrealised, ok := pos.Unrealised(&in, marks[in.ID], core.RoundHalfEven)
				e.Realised += realised
				e.Fees += pos.Fees
				if e.Valued = e.Valued && ok; ok {
					e.Unrealised += unrealised
				}
			}
		}
		if active {
			out = append(out, e)
		}
	}
	return out
}

// An account has a row of each minute in which it held or traded something: when it
// has closed what it had, of that minute too, and of no later one. What has no mark
// is not valued.
func TestEquityOfAnAccountThatIsFlat(t *testing.T) {
	p := store.NewJournalProjection(testLog, &store.State{}, nil)
	seq := uint64(0)
	apply := func(at core.Nanos, r record.Record) {
		t.Helper()
		seq++
		r.Seq, r.Time = seq, at
		if err := p.Apply(r.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	const minute = core.Nanos(60e9)
	fill := func(at core.Nanos, order core.OrderID, px core.Price) {
		apply(at, record.Record{Header: record.Header{Type: record.TypeReport}, Report: record.Report{Disposition: record.Applied,
			Status: core.StatusFilled, ExecID: uint64(order), Report: core.ExecReport{Type: core.ExecTrade, Order: order, Instrument: 1, LastPx: px, LastQty: 10, Fee: 1}}})
	}
	for _, in := range directory(t).Instruments()[:1] {
		apply(0, record.Record{Header: record.Header{Type: record.TypeInstrument}, Instrument: record.Instrument{Definition: *in}})
	}
	for id, side := range []core.Side{core.Buy, core.Sell} {
		apply(0, record.Record{Header: record.Header{Type: record.TypeNew}, New: record.New{Account: 1, Strategy: 1, Instrument: 1,
			Side: side, Type: core.Limit, TIF: core.GTC, Price: 100, Qty: 10, Order: core.OrderID(id + 1)}})
	}
	clock := record.Record{Header: record.Header{Type: record.TypeClock}}
	fill(minute, 1, 100)             // seq 4: held from minute 1 on
	apply(2*minute, clock)           // 5
	apply(5*minute, clock)           // 6: nothing was journalled in minutes 3 and 4
	fill(5*minute+1, 2, 103)         // 7: closed in minute 5
	apply(6*minute, clock)           // 8
	apply(7*minute, clock)           // 9
	const unit = core.Notional(1000) // of 10^-8: price and quantity have 5 decimals together
	row := history.Equity{Account: 1, Settle: "U", Scale: 8, Fees: 1}
	want := []history.Equity{row, row, row}
	want[0].Time, want[0].Seq = 2*minute, 4
	want[1].Time, want[1].Seq = 3*minute, 5
	want[2].Time, want[2].Seq, want[2].Realised, want[2].Fees, want[2].Valued = 6*minute, 7, 30*unit, 2, true
	if got := p.Take().Equity; !slices.Equal(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

// Equity is, each minute, what the executions so far and the last marks make it.
func TestEquityAgainstNaive(t *testing.T) {
	rows, unvalued := 0, 0
	for seed := range uint64(3) {
		records := runLoad(t, seed+100, 800)
		m := storetest.NewMemory()
		project(t, m, records, rand.New(rand.NewPCG(seed, 1)), 4)
		state, err := m.Load(t.Context(), store.Journal)
		if err != nil {
			t.Fatal(err)
		}
		fills, err := m.Executions(t.Context(), history.ExecutionQuery{Limit: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(fills)
		for _, a := range state.Accounts {
			got, err := m.Equity(t.Context(), history.EquityQuery{Account: a.ID, Limit: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			slices.SortStableFunc(got, func(x, y history.Equity) int { return cmp.Compare(x.Time, y.Time) })
			want := naiveEquity(t, records, fills, state.Instruments, a.ID)
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, account %d: %d rows, want %d:\n got %+v\nwant %+v", seed, a.ID, len(got), len(want), got, want)
			}
			for i := range got {
				if rows++; !got[i].Valued {
					unvalued++
				}
			}
		}
	}
	t.Logf("%d rows, %d of them without a mark", rows, unvalued)
	if rows < 15 {
		t.Error("too few")
	}
}
