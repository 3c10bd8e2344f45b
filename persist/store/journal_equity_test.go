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
	"qcat/risk/margin"
)

// naiveEquity works the equity rows of one account out of its executions, the transfers
// and funding of the journal and the marks, minute by minute, all from the first record
// on each time.
func naiveEquity(t *testing.T, records [][]byte, fills []history.Execution, instruments []core.Instrument, account core.AccountID) []history.Equity {
	t.Helper()
	const minute = core.Nanos(60e9)
	n := naive{fills: fills, instruments: instruments, account: account, marks: map[core.InstrumentID]core.Price{}}
	var out []history.Equity
	began, lastSeq := core.Nanos(-1), uint64(0)
	for _, rec := range records {
		var r record.Record
		if err := record.Decode(rec, &r); err != nil {
			t.Fatal(err)
		}
		if now := r.Time - r.Time%minute; now != began {
			if began >= 0 {
				out = append(out, n.equity(began, lastSeq)...)
			}
			began = now
		}
		lastSeq = r.Seq
		switch {
		case r.Type == record.TypeMark:
			n.marks[r.Mark.Instrument] = r.Mark.Price
		case r.Type == record.TypeFunding, r.Type == record.TypeTransfer && r.Transfer.Reason.Code == 0:
			n.changes = append(n.changes, r)
		}
	}
	return out
}

type naive struct {
	fills       []history.Execution
	changes     []record.Record // transfers and funding so far
	instruments []core.Instrument
	account     core.AccountID
	marks       map[core.InstrumentID]core.Price
}

func (n *naive) equity(began core.Nanos, seq uint64) (out []history.Equity) {
	for _, settle := range []string{"B", "BTC", "USDT"} {
		e := history.Equity{Account: n.account, Settle: settle, Scale: 8, Time: began + 60e9, Valued: true, Seq: seq}
		active := false
		for _, r := range n.changes {
			if r.Type == record.TypeTransfer && r.Transfer.Account == n.account && r.Transfer.Currency == settle {
				e.Transfers += core.Notional(r.Transfer.Amount)
				active = active || r.Time >= began
			}
		}
		for _, in := range n.instruments {
			for strategy := range core.StrategyID(10) {
				for leg := core.LegNet; in.Settle == settle && leg <= core.LegShort; leg++ {
					pos, changed := n.position(&in, strategy, leg, seq)
					if pos.Fills == 0 {
						continue
					}
					active = active || pos.Qty != 0 || changed >= began
					realised, _ := pos.Realised(&in, core.RoundHalfEven)
					unrealised, ok := pos.Unrealised(&in, n.marks[in.ID], core.RoundHalfEven)
					e.Realised += realised
					e.Fees += pos.Fees
					e.Funding += pos.Funding
					if e.Valued = e.Valued && ok; ok {
						e.Unrealised += unrealised
					}
				}
			}
		}
		if active {
			out = append(out, e)
		}
	}
	return out
}

// position folds the fills and the funding of one position up to a record, and says when
// the last of them was.
func (n *naive) position(in *core.Instrument, strategy core.StrategyID, leg core.Leg, seq uint64) (pos core.Position, changed core.Nanos) {
	funded := 0
	fund := func(before uint64) {
		for ; funded < len(n.changes) && n.changes[funded].Seq < before; funded++ {
			r := &n.changes[funded]
			if r.Type == record.TypeFunding && r.Funding.Instrument == in.ID && pos.Qty != 0 {
				paid, _ := margin.Funding(in, pos.Qty, r.Funding.Price, r.Funding.Rate)
				pos.Fund(paid)
				changed = r.Time
			}
		}
	}
	for _, x := range n.fills {
		if x.Seq <= seq && x.Account == n.account && x.Instrument == in.ID && x.Strategy == strategy && x.Leg == leg {
			fund(x.Seq)
			pos.Apply(in, &core.Fill{Side: x.Side, Price: x.LastPx, Qty: x.LastQty, Fee: x.Fee, FeeIn: x.FeeIn})
			changed = x.Time
		}
	}
	fund(seq + 1)
	return pos, changed
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
			slices.SortFunc(got, func(x, y history.Equity) int {
				return cmp.Or(cmp.Compare(x.Time, y.Time), cmp.Compare(x.Settle, y.Settle))
			})
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
