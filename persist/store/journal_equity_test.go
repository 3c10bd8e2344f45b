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
						pos.Apply(&in, x.Side, x.LastPx, x.LastQty, x.Fee)
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
