package journal

import (
	"testing"
	"time"

	"qcat/core"
)

// While nothing is synced, lag is what waits and for how long, as exactly as somebody
// looked; what has been synced is forgotten.
func TestLag(t *testing.T) {
	l := openMemory(t, Options{Sync: SyncBatch, BatchInterval: time.Hour})
	clock := core.NewManualClock(core.Nanos(1e18))
	lag := NewLag(l, clock)
	add := func(from, to uint64) {
		t.Helper()
		mustAppend(t, l, from, to)
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	want := func(records uint64, age time.Duration) {
		t.Helper()
		if lag.Records() != records || lag.Time() != age {
			t.Fatalf("lag of %d records, %v, want %d, %v", lag.Records(), lag.Time(), records, age)
		}
	}
	lag.Note()
	want(0, 0)
	add(1, 10)
	want(10, 0) // nobody has looked yet
	lag.Note()
	clock.Advance(3 * time.Second)
	lag.Note() // nothing has come: nothing to remember
	add(11, 12)
	clock.Advance(time.Second)
	lag.Note()
	want(12, 4*time.Second)

	// A disk that keeps up with all but the last two.
	l.durable.Store(10)
	want(2, 0) // their note is of now
	clock.Advance(5 * time.Second)
	want(2, 5*time.Second)
	l.durable.Store(12)
	want(0, 0)
}

// What is remembered is bounded, and the oldest stays.
func TestLagIsBounded(t *testing.T) {
	l := openMemory(t, Options{Sync: SyncBatch, BatchInterval: time.Hour})
	clock := core.NewManualClock(core.Nanos(1e18))
	lag := NewLag(l, clock)
	const notes = maxLagNotes + 50
	for seq := uint64(1); seq <= notes; seq++ {
		mustAppend(t, l, seq, seq)
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		lag.Note()
		clock.Advance(time.Second)
	}
	if len(lag.notes) != maxLagNotes || lag.Time() != notes*time.Second || lag.Records() != notes {
		t.Errorf("%d notes, lag %v of %d records", len(lag.notes), lag.Time(), lag.Records())
	}
}

// With SyncOS a record waits for the kernel alone.
func TestLagWithoutSync(t *testing.T) {
	l := openMemory(t, Options{Sync: SyncOS})
	lag := NewLag(l, core.NewManualClock(core.Nanos(1e18)))
	mustAppend(t, l, 1, 5)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(10 * time.Second); lag.Records() > 0; {
		if time.Now().After(late) {
			t.Fatalf("%d records wait", lag.Records())
		}
	}
	if g := l.Gauges(); g.Published != 5 || g.Committed != 5 || g.Capacity == 0 {
		t.Errorf("%+v", g)
	}
}
