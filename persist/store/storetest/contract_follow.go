package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// Fill projects both logs into s in one go: what followers of them must come to.
func Fill(t testing.TB, s store.Store, dir *core.Directory, journal, ticks *Log) {
	t.Helper()
	p := store.NewJournalProjection(journal.ID(), &store.State{}, func(id core.OrderID) (history.Order, bool, error) {
		return s.Order(t.Context(), id)
	})
	for _, rec := range journal.records {
		if err := p.Apply(rec); err != nil {
			t.Fatal(err)
		}
		if p.Rows() > 1000 { // late fills are looked up
			write(t, s, p.Take())
		}
	}
	write(t, s, p.Take())
	q := store.NewTicksProjection(ticks.ID(), &store.State{}, dir, 0)
	for _, rec := range ticks.records {
		if err := q.Apply(rec); err != nil {
			t.Fatal(err)
		}
	}
	write(t, s, q.Take())
}

func write(t testing.TB, s store.Store, b *store.Batch) {
	t.Helper()
	if b == nil {
		return
	}
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// testFollowers has both streams followed into the store while its calls fail, a
// commit's answer is lost, and the followers are stopped and begun anew. It is the
// fault table's "cut mid-COPY, cut after commit, before its answer": afterwards rows
// and content hash are those of the logs, no row lost or doubled.
func testFollowers(t *testing.T, open Open) {
	const records = 1500
	for _, seed := range seeds[:2] {
		w := newWorld(t, seed)
		journal := NewLog(store.LogID{1}, Journal(w.dir, seed, records)...)
		ticks := NewLog(store.LogID{2}, Ticks(w.dir, seed, records)...)
		s := open(t, w.dir)
		naive := NewMemory()
		Fill(t, naive, w.dir, journal, ticks)
		faulty := NewFaulty(s, seed, 4)
		for round := 1; round <= 5; round++ {
			followTo(t, faulty, w.dir, journal, ticks, uint64(records*round/5))
		}
		if faulty.Refused == 0 || faulty.Lost == 0 || faulty.Failed == 0 {
			t.Errorf("seed %d: too few faults: %d refused, %d lost, %d failed", seed, faulty.Refused, faulty.Lost, faulty.Failed)
		}
		(&pair{t, s, naive, w}).same()
		(&pair{t, s, naive, w}).everything()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// followTo runs followers of both logs until the store has record seq of each.
func followTo(t *testing.T, s store.Store, dir *core.Directory, journal, ticks *Log, seq uint64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running sync.WaitGroup
	for stream, log := range []*Log{journal, ticks} {
		f := store.NewFollower(store.Config{Stream: store.Stream(stream), Log: log, Store: s, Name: "test", BatchRows: 40,
			BatchInterval: time.Millisecond, RetryMin: time.Microsecond, RetryMax: time.Millisecond, Directory: dir})
		running.Go(func() {
			if err := f.Run(ctx); err != nil {
				t.Errorf("%s: %v", store.Stream(stream), err)
			}
		})
		wait, stop := context.WithTimeout(ctx, time.Minute)
		err := f.WaitFor(wait, seq)
		stop()
		if err != nil {
			t.Fatalf("%s: %v; %+v", store.Stream(stream), err, f.Stats())
		}
	}
	cancel()
	running.Wait()
}
