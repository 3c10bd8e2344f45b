package ticklog_test

import (
	"context"
	"sync"
	"testing"

	"qcat/core"
	"qcat/persist/journal"
	"qcat/persist/ticklog"
	"qcat/ringbuf"
)

var _ ticklog.Log = (*journal.Log)(nil)

// record runs a writer on the log in dir while two lanes publish n trades each,
// and closes everything in order.
func record(t *testing.T, dir string, n int) ticklog.Stats {
	t.Helper()
	log, err := journal.Open(journal.Options{Dir: dir, Name: "ticks", Sync: journal.SyncOS, Lossy: true})
	if err != nil {
		t.Fatal(err)
	}
	rings := []*ringbuf.Broadcast[core.Event]{ringbuf.NewBroadcast[core.Event](1 << 15), ringbuf.NewBroadcast[core.Event](1 << 15)}
	w, err := ticklog.NewWriter(ticklog.Config{Log: log, Sources: []ticklog.Source{{Ring: rings[0]}, {Ring: rings[1]}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var writing, lanes sync.WaitGroup
	writing.Go(func() { w.Run(ctx) })
	for i, ring := range rings {
		lanes.Go(func() {
			for id := range n {
				at := core.SystemClock().Now()
				ring.Publish(&core.Event{Kind: core.EventTrade, Instrument: core.InstrumentID(1 + i), Seq: uint64(id), Price: 5, Qty: 1, ReceiveTime: at})
				ring.Publish(&core.Event{Kind: core.EventQuote, Instrument: core.InstrumentID(1 + i), Seq: uint64(id), Price: 5, AskPrice: 6, ReceiveTime: at})
			}
		})
	}
	lanes.Wait()
	stop()
	writing.Wait()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	return w.Stats()
}

// On a real log two runs give one sequence of records: each trade once, in its
// lane's order, the restart marked in between, and the last quote of each run.
func TestOnAJournal(t *testing.T) {
	dir := t.TempDir()
	const n = 5_000
	stats := []ticklog.Stats{record(t, dir, n), record(t, dir, n)}
	log, err := journal.Open(journal.Options{Dir: dir, Name: "ticks", Sync: journal.SyncOS, Lossy: true})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var r ticklog.Record
	var next [3]uint64
	var lastQuote [3]uint64
	var gaps []ticklog.Gap
	seq := uint64(0)
	for b, err := range log.Records(1, log.Committed()) {
		if err == nil {
			err = ticklog.Decode(b, &r)
		}
		if seq++; err != nil || r.Seq != seq {
			t.Fatalf("record %d is %d: %v", seq, r.Seq, err)
		}
		switch r.Type {
		case ticklog.TypeTrade:
			if id := r.Trade.ID; id != next[r.Trade.Instrument]%n {
				t.Fatalf("trade %d of lane %d, want %d", id, r.Trade.Instrument, next[r.Trade.Instrument]%n)
			}
			next[r.Trade.Instrument]++
		case ticklog.TypeQuote:
			lastQuote[r.Quote.Instrument] = r.Quote.UpdateID
		case ticklog.TypeGap:
			gaps = append(gaps, r.Gap)
		}
	}
	if next != [3]uint64{0, 2 * n, 2 * n} || lastQuote != [3]uint64{0, n - 1, n - 1} {
		t.Errorf("%d trades, last quotes %d", next, lastQuote)
	}
	if len(gaps) != 1 || gaps[0].Reason != ticklog.GapRestart || gaps[0].From == 0 || gaps[0].To < gaps[0].From {
		t.Errorf("gaps %+v", gaps)
	}
	for _, s := range stats {
		if s.Lost+s.Dropped != 0 || s.Trades != 2*n || s.Quotes+s.QuotesConflated != 2*n {
			t.Errorf("stats %+v", s)
		}
	}
}
