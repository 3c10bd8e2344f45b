package store_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
	"qcat/persist/ticklog"
)

// recordAt is the header time of record seq of records, the first of which is its
// own number.
func recordAt(records [][]byte, seq int) core.Nanos {
	var r ticklog.Record
	if err := ticklog.Decode(records[seq-1], &r); err != nil {
		panic(err)
	}
	return r.Time
}

func checkGap(t *testing.T, m *storetest.Memory, want history.Gap) {
	t.Helper()
	state, err := m.Load(t.Context(), store.Ticks)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(state.Gaps, want) {
		t.Errorf("no gap %+v among %+v", want, state.Gaps)
	}
}

// checkTicks requires trades of no tick but those that may be there, and some on
// both ends.
func checkTicks(t *testing.T, m *storetest.Memory, may func(uint64) bool) {
	t.Helper()
	seen := map[uint64]bool{}
	for id := range core.InstrumentID(2) {
		rows, err := m.Trades(t.Context(), history.TradeQuery{Instrument: id + 1, Limit: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if seen[r.Tick] || !may(r.Tick) {
				t.Errorf("tick %d is stored (again: %v)", r.Tick, seen[r.Tick])
			}
			seen[r.Tick] = true
		}
	}
	if len(seen) < 50 {
		t.Errorf("%d trades only", len(seen))
	}
}

// naiveCandles groups the trades of a tick log: one at a time, by looking at all
// that came before.
func naiveCandles(t *testing.T, records [][]byte) map[history.Candle]bool {
	t.Helper()
	type key struct {
		in       core.InstrumentID
		interval core.Nanos
	}
	list := map[key][]*history.Candle{}
	var gaps []ticklog.Gap
	for _, rec := range records {
		var r ticklog.Record
		if err := ticklog.Decode(rec, &r); err != nil {
			t.Fatal(err)
		}
		if r.Type == ticklog.TypeGap {
			gaps = append(gaps, r.Gap)
			continue
		}
		in, at := r.Trade.Instrument, r.Trade.ExchangeTime
		if r.Type == ticklog.TypeQuote {
			in, at = r.Quote.Instrument, r.Quote.ExchangeTime
		} else if r.Type == ticklog.TypeMark {
			in, at = r.Mark.Instrument, r.Mark.ExchangeTime
		}
		for _, interval := range history.CandleIntervals {
			k := key{in, interval}
			open := at - at%interval
			var last *history.Candle
			if n := len(list[k]); n > 0 {
				last = list[k][n-1]
				last.Closed = last.Closed || open > last.OpenTime
			}
			if r.Type != ticklog.TypeTrade || last != nil && (open < last.OpenTime || open == last.OpenTime && last.Closed) {
				continue
			}
			if last == nil || open > last.OpenTime {
				last = &history.Candle{Instrument: in, Interval: interval,
					Candle: core.Candle{OpenTime: open, Open: r.Trade.Price, Low: r.Trade.Price}}
				list[k] = append(list[k], last)
			}
			last.High, last.Low, last.Close = max(last.High, r.Trade.Price), min(last.Low, r.Trade.Price), r.Trade.Price
			last.Volume += r.Trade.Qty
			last.Trades++
		}
	}
	out := map[history.Candle]bool{}
	for _, candles := range list {
		for _, c := range candles {
			for _, g := range gaps {
				c.Gap = c.Gap || g.From < c.CloseTime() && g.To >= c.OpenTime
			}
			out[*c] = true
		}
	}
	return out
}

// writeTicks projects records into m in batches of random size, beginning anew from
// what is stored with the chance of one in restart.
func writeTicks(t *testing.T, m store.Store, records [][]byte, rng *rand.Rand, restart int) {
	t.Helper()
	var p *store.TicksProjection
	for next := 0; next < len(records); {
		if p == nil || rng.IntN(restart) == 0 {
			state, err := m.Load(t.Context(), store.Ticks)
			if err != nil {
				t.Fatal(err)
			}
			p = store.NewTicksProjection(ticksLog, state, nil, 0)
		}
		for range min(1+rng.IntN(40), len(records)-next) {
			if err := p.Apply(records[next]); err != nil {
				t.Fatal(err)
			}
			next++
		}
		if err := m.Write(t.Context(), p.Take()); err != nil {
			t.Fatal(err)
		}
	}
}

// The rows of a tick log are every trade, the first quote of each second, the
// candles that grouping gives, flagged where a gap overlaps them; and begun anew
// after any batch they are the same.
func TestTickRowsAgainstNaive(t *testing.T) {
	dir := directory(t)
	for seed := range uint64(6) {
		records := storetest.Ticks(dir, seed, 3000)
		rng := rand.New(rand.NewPCG(seed, 9))
		straight := storetest.NewMemory()
		writeTicks(t, straight, records, rng, 1<<30)
		for _, restart := range []int{1, 6} {
			again := storetest.NewMemory()
			writeTicks(t, again, records, rng, restart)
			same(t, again, straight)
		}
		checkCandles(t, straight, records)
		checkTradesAndQuotes(t, straight, records)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func checkCandles(t *testing.T, m *storetest.Memory, records [][]byte) {
	t.Helper()
	want := naiveCandles(t, records)
	n, flagged := 0, 0
	for _, interval := range history.CandleIntervals {
		for id := range core.InstrumentID(2) {
			rows, err := m.Candles(t.Context(), history.CandleQuery{Instrument: id + 1, Interval: interval, Limit: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range rows {
				if !want[c] {
					t.Fatalf("a candle that grouping does not give: %+v", c)
				}
				if c.Gap {
					flagged++
				}
			}
			n += len(rows)
		}
	}
	if n != len(want) || flagged == 0 || flagged == n {
		t.Errorf("%d candles of %d, %d flagged", n, len(want), flagged)
	}
}

func checkTradesAndQuotes(t *testing.T, m *storetest.Memory, records [][]byte) {
	t.Helper()
	var trades []history.Trade
	var quotes []history.Quote
	last := map[core.InstrumentID]core.Nanos{}
	for _, rec := range records {
		var r ticklog.Record
		if err := ticklog.Decode(rec, &r); err != nil {
			t.Fatal(err)
		}
		switch x := r.Trade; r.Type {
		case ticklog.TypeTrade:
			trades = append(trades, history.Trade{Instrument: x.Instrument, ID: x.ID, Side: x.Side, Price: x.Price, Qty: x.Qty,
				ExchangeTime: x.ExchangeTime, ReceiveTime: x.ReceiveTime, Tick: r.Seq})
		case ticklog.TypeQuote:
			q := r.Quote
			if second := q.ReceiveTime / 1e9; second > last[q.Instrument] {
				last[q.Instrument] = second
				quotes = append(quotes, history.Quote{Instrument: q.Instrument, Stale: q.Flags.Has(core.FlagStale), BidPrice: q.BidPrice,
					AskPrice: q.AskPrice, BidQty: q.BidQty, AskQty: q.AskQty, ExchangeTime: q.ExchangeTime, ReceiveTime: q.ReceiveTime, Tick: r.Seq})
			}
		}
	}
	var gotTrades []history.Trade
	var gotQuotes []history.Quote
	for id := range core.InstrumentID(2) {
		x, err := m.Trades(t.Context(), history.TradeQuery{Instrument: id + 1, Limit: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		q, err := m.Quotes(t.Context(), history.QuoteQuery{Instrument: id + 1, Limit: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		gotTrades, gotQuotes = append(gotTrades, x...), append(gotQuotes, q...)
	}
	slices.SortFunc(gotTrades, func(a, b history.Trade) int { return cmp.Compare(a.Tick, b.Tick) })
	slices.SortFunc(gotQuotes, func(a, b history.Quote) int { return cmp.Compare(a.Tick, b.Tick) })
	if !slices.Equal(gotTrades, trades) {
		t.Errorf("%d trades, want %d", len(gotTrades), len(trades))
	}
	if !slices.Equal(gotQuotes, quotes) {
		t.Errorf("%d quotes, want %d", len(gotQuotes), len(quotes))
	}
}

// Ticks of an instrument that is not defined are left out: no table could say what
// their numbers mean.
func TestTicksOfUndefinedInstruments(t *testing.T) {
	dir := directory(t)
	p := store.NewTicksProjection(ticksLog, &store.State{}, dir, 0)
	for seq, id := range []core.InstrumentID{1, 3, 2, 99} {
		r := ticklog.Record{Header: ticklog.Header{Type: ticklog.TypeTrade, Seq: uint64(seq + 1)}, Trade: ticklog.Trade{Instrument: id, Price: 1, Qty: 1}}
		if err := p.Apply(r.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if b := p.Take(); len(b.Trades) != 2 || b.To != 4 || p.Unknown() != 2 {
		t.Errorf("%d trades up to %d, %d left out", len(b.Trades), b.To, p.Unknown())
	}
}

// An instrument's definition is stored with its first tick, once, also by a projection
// that goes on from stored rows: the journal's follower may be behind.
func TestTicksBringTheirInstruments(t *testing.T) {
	dir := directory(t)
	state := &store.State{Position: store.Position{Log: ticksLog, Seq: 4}, Quotes: []history.Quote{{Instrument: 1, ReceiveTime: 1}}}
	p := store.NewTicksProjection(ticksLog, state, dir, 0)
	for seq, want := range [][]core.InstrumentID{{1}, {2}, nil} {
		r := ticklog.Record{Header: ticklog.Header{Type: ticklog.TypeTrade, Seq: uint64(5 + seq)},
			Trade: ticklog.Trade{Instrument: core.InstrumentID(1 + seq%2), Price: 1, Qty: 1}}
		if err := p.Apply(r.Append(nil)); err != nil {
			t.Fatal(err)
		}
		var got []core.InstrumentID
		for _, in := range p.Take().Instruments {
			if in != *dir.Instrument(in.ID) {
				t.Errorf("tick %d brings %+v", 5+seq, in)
			}
			got = append(got, in.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("tick %d brings %v, want %v", 5+seq, got, want)
		}
	}
}
