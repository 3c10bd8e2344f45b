package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/sqlite"
	"qcat/persist/store"
)

// aged opens a store that prunes only when told to, at the end of day 10.
func aged(t *testing.T) (*sqlite.Store, *core.ManualClock) {
	clock := core.NewManualClock(scriptDay + 10*day)
	return open(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "qcat.db"), KeepTicks: 3 * 24 * time.Hour,
		PruneInterval: 24 * time.Hour, Clock: clock}), clock
}

// ageing is one batch with a row of every table of ticks every hour of ten days, of
// instrument 1; instrument 2 stopped after five.
func ageing() *store.Batch {
	b := &store.Batch{Stream: store.Ticks, Log: scriptLog, From: 1, To: 1000, Time: scriptDay + 10*day}
	for hour := range 240 {
		at := scriptDay + core.Nanos(hour)*3_600_000_000_000
		for in := core.InstrumentID(1); in <= 2; in++ {
			if in == 2 && hour >= 120 {
				continue
			}
			tick := uint64(2*hour) + uint64(in)
			b.Trades = append(b.Trades, history.Trade{Instrument: in, ID: tick, ExchangeTime: at, ReceiveTime: at, Tick: tick})
			b.Quotes = append(b.Quotes, history.Quote{Instrument: in, ReceiveTime: at, Tick: tick})
			for _, width := range history.CandleIntervals {
				b.Candles = append(b.Candles, history.Candle{Instrument: in, Interval: width, Candle: core.Candle{OpenTime: at}})
			}
			b.Gaps = append(b.Gaps, history.Gap{Tick: tick, Reason: "overrun"})
		}
	}
	return b
}

// TestPruneDeletesOldTicksOnly counts what is left after three of ten days are kept.
func TestPruneDeletesOldTicksOnly(t *testing.T) {
	s, _ := aged(t)
	if err := s.Write(t.Context(), ageing()); err != nil {
		t.Fatal(err)
	}
	script{100}.fillJournal(t, s)
	before, err := s.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Prune(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Three days before the newest of each: 72 hours, and the newest itself.
	const gone = 240 - 73 + 120 - 73
	if want := (sqlite.Pruned{Trades: gone, Quotes: gone, Candles: gone}); p != want {
		t.Errorf("deleted %+v, not %+v", p, want)
	}
	after, err := s.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, table := range after.Tables {
		switch was := before.Tables[i]; table.Table {
		case "trades", "quotes":
			if table.Rows != was.Rows-gone {
				t.Errorf("%s: %d rows of %d", table.Table, table.Rows, was.Rows)
			}
		case "candles":
			if table.Rows != was.Rows-gone {
				t.Errorf("candles: %d rows of %d", table.Rows, was.Rows)
			}
		default:
			if table != was {
				t.Errorf("%s changed: %+v, was %+v", table.Table, table, was)
			}
		}
	}
	oldest := scriptDay + 239*3_600_000_000_000 - 3*day
	trades, err := s.Trades(t.Context(), history.TradeQuery{Instrument: 1, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if last := trades[len(trades)-1].ExchangeTime; last != oldest {
		t.Errorf("the oldest trade is of %v, not %v", last.Time(), oldest.Time())
	}
	if p, err = s.Prune(t.Context()); err != nil || p.Rows() != 0 {
		t.Errorf("once more: %+v, %v", p, err)
	}
}

// fillJournal writes one batch of the journal.
func (s script) fillJournal(t *testing.T, st store.Store) {
	t.Helper()
	if err := st.Write(t.Context(), s.batch(store.Journal, 0)); err != nil {
		t.Fatal(err)
	}
}

// TestPruneBatches has more old rows than a transaction deletes, all but one of them at
// one time.
func TestPruneBatches(t *testing.T) {
	s, _ := aged(t)
	b := &store.Batch{Stream: store.Ticks, Log: scriptLog, From: 1, To: 20_000, Time: 1}
	for tick := uint64(1); tick <= 9000; tick++ {
		at := scriptDay + core.Nanos(tick)
		if tick <= 5000 {
			at = scriptDay
		}
		b.Trades = append(b.Trades, history.Trade{Instrument: 1, ID: tick, ExchangeTime: at, Tick: tick})
	}
	b.Trades = append(b.Trades, history.Trade{Instrument: 1, ID: 1, ExchangeTime: scriptDay + 9*day, Tick: 10_000})
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Prune(t.Context()); err != nil || p.Trades != 9000 {
		t.Errorf("deleted %+v, %v", p, err)
	}
}

// TestPruneCountsFromNowAtTheLatest has a trade from the future, which must not take
// the others with it, and one at the smallest time there is.
func TestPruneCountsFromNowAtTheLatest(t *testing.T) {
	s, clock := aged(t)
	now := clock.Now()
	b := &store.Batch{Stream: store.Ticks, Log: scriptLog, From: 1, To: 10, Time: now}
	for i, at := range []core.Nanos{-1 << 63, now - 4*day, now - 2*day, now + 300*day} {
		b.Trades = append(b.Trades, history.Trade{Instrument: 1, ID: uint64(i), ExchangeTime: at, Tick: uint64(i)})
	}
	b.Trades = append(b.Trades, history.Trade{Instrument: 2, ExchangeTime: -1 << 63, Tick: 9})
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Prune(t.Context()); err != nil || p.Trades != 2 {
		t.Errorf("deleted %+v, %v", p, err)
	}
}

// TestPrunesByItself waits for the pruner to delete what a store had when it was opened.
func TestPrunesByItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qcat.db")
	s, err := sqlite.Open(t.Context(), keep(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), ageing()); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Prune(t.Context()); err != nil || p.Rows() != 0 {
		t.Errorf("a store that keeps all deleted %+v, %v", p, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, sqlite.Config{Path: path, KeepTicks: 24 * time.Hour, PruneInterval: time.Millisecond})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		trades, err := s.Trades(t.Context(), history.TradeQuery{Instrument: 1, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if len(trades) == 25 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %d trades", len(trades))
		}
	}
}
