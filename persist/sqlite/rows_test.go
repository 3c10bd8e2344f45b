package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

// script is a deterministic source of batches: the n-th batch of a stream is the same
// however often it is asked for, so that it can be written again after a failure and
// what a store holds be told from its positions alone.
type script struct {
	rows int // of each batch
}

const (
	day       = core.Nanos(86_400_000_000_000)
	scriptDay = 20_000 * day // some day of 2024
)

var scriptLog = store.LogID{0x51, 0xca, 15: 1}

// batch is the n-th of a stream, from 0: records n·rows+1 to (n+1)·rows.
func (s script) batch(stream store.Stream, n int) *store.Batch {
	first := uint64(n)*uint64(s.rows) + 1
	b := &store.Batch{Stream: stream, Log: scriptLog, From: first, To: first + uint64(s.rows) - 1}
	rng := rand.New(rand.NewPCG(uint64(stream), uint64(n)))
	for seq := b.From; seq <= b.To; seq++ {
		b.Time = scriptDay + core.Nanos(seq)*1_000_000
		if stream == store.Journal {
			journalRows(b, seq, rng)
		} else {
			tickRows(b, seq, rng)
		}
	}
	return b
}

// journalRows adds an order, its fill and now and then what else there is.
func journalRows(b *store.Batch, seq uint64, rng *rand.Rand) {
	id, _ := core.MakeClOrdID(fmt.Sprintf("c-%d", seq))
	account := core.AccountID(1 + rng.IntN(3))
	o := history.Order{Seq: seq, Order: core.Order{ID: core.OrderID(seq), Account: account, Strategy: core.StrategyID(account) * 10,
		Instrument: core.InstrumentID(1 + rng.IntN(4)), Side: core.Buy, Type: core.Limit, TIF: core.GTC,
		Status: core.OrdStatus(1 + rng.IntN(4)), Price: core.Price(rng.Int64N(1e9)), Qty: 1000, CumQty: core.Qty(rng.Int64N(1000)),
		CumCost:    core.MulInt64(rng.Int64(), rng.Int64()-1<<62),
		CreateTime: b.Time, UpdateTime: b.Time, ClOrdID: id}}
	b.Orders = append(b.Orders, o)
	b.Executions = append(b.Executions, history.Execution{Seq: seq, Execution: core.Execution{ID: seq, Order: o.ID, Account: o.Account,
		Strategy: o.Strategy, Instrument: o.Instrument, Side: o.Side, Liquidity: core.Taker, LastPx: o.Price, LastQty: 1,
		Fee: -3, VenueTime: b.Time, Time: b.Time, ClOrdID: id}})
	switch seq % 50 {
	case 1:
		b.Accounts = append(b.Accounts, core.Account{ID: core.AccountID(seq), Name: fmt.Sprintf("account-%d", seq)})
	case 2:
		b.RiskEvents = append(b.RiskEvents, history.RiskEvent{Seq: seq, Time: b.Time, Kind: history.RiskOrderRefused, Account: account,
			Note: "it's a 'note';\n-- of two lines"})
	case 3:
		b.Audit = append(b.Audit, history.Audit{Seq: seq, Time: b.Time, Action: "set_limits", Detail: "größer als 5"})
	case 4:
		b.Equity = append(b.Equity, history.Equity{Account: account, Settle: "USDT", Scale: 8, Time: b.Time, Realised: -5, Seq: seq})
	}
}

// tickRows adds a trade, a quote and the candles they are in.
func tickRows(b *store.Batch, seq uint64, rng *rand.Rand) {
	in := core.InstrumentID(1 + rng.IntN(4))
	px := core.Price(6_000_000 + rng.Int64N(1000))
	b.Trades = append(b.Trades, history.Trade{Instrument: in, ID: seq, Side: core.Sell, Price: px, Qty: 5,
		ExchangeTime: b.Time - 1_000_000, ReceiveTime: b.Time, Tick: seq})
	b.Quotes = append(b.Quotes, history.Quote{Instrument: in, BidPrice: px, AskPrice: px + 10, BidQty: 7, AskQty: 8,
		ExchangeTime: b.Time - 1_000_000, ReceiveTime: b.Time, Tick: seq})
	if seq%10 != 0 {
		return
	}
	for _, width := range history.CandleIntervals {
		b.Candles = append(b.Candles, history.Candle{Instrument: core.InstrumentID(1 + seq/10%4), Interval: width, Candle: core.Candle{
			OpenTime: core.CandleOpenTime(b.Time, width) - core.Nanos(seq)*width, Open: px, High: px, Low: px, Close: px, Volume: 9, Trades: 1}})
	}
}

// fill writes the batches from to to-1 of both streams.
func (s script) fill(t testing.TB, st store.Store, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		for stream := range store.NumStreams {
			if err := st.Write(t.Context(), s.batch(stream, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// mirror is the naive store that has been given the same, as far as st's positions.
type mirror struct {
	script script
	naive  *storetest.Memory
	done   [store.NumStreams]int
}

func (s script) mirror() *mirror { return &mirror{script: s, naive: storetest.NewMemory()} }

// equal fails unless st holds exactly the batches that its positions name.
func (m *mirror) equal(t testing.TB, st store.Store) {
	t.Helper()
	for stream := range store.NumStreams {
		p, err := st.Position(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		if p.Seq%uint64(m.script.rows) != 0 {
			t.Fatalf("%s stands at %d, within a batch", stream, p.Seq)
		}
		for ; m.done[stream] < int(p.Seq)/m.script.rows; m.done[stream]++ {
			if err := m.naive.Write(t.Context(), m.script.batch(stream, m.done[stream])); err != nil {
				t.Fatal(err)
			}
		}
	}
	want, err := m.naive.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := st.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := want.Diff(got); diff != nil {
		t.Fatalf("tables %v are not what the positions say:\n%+v\n%+v", diff, got, want)
	}
}
