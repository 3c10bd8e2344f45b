package market

import (
	"testing"

	"qcat/core"
	"qcat/core/book"
)

// recordRuns returns n runs of level events of instrument 1 and 2 in turn, each
// instrument's first a snapshot.
func recordRuns(l *lane, n int) [][]core.Event {
	reader := l.ring.NewReader()
	defer reader.Close()
	buf := make([]core.Event, l.ring.Cap())
	var runs [][]core.Event
	for i := range n {
		id := core.InstrumentID(1 + i%2)
		if i < 2 {
			l.snapshot(id)
		} else {
			l.delta(id)
		}
		got, _ := reader.Read(buf)
		runs = append(runs, append([]core.Event(nil), buf[:got]...))
	}
	return runs
}

// BenchmarkTap publishes runs of one to five levels of two instruments and polls
// after each: one operation is one event through the ring into a replica. Books
// are 20 levels deep; the counts are checked.
func BenchmarkTap(b *testing.B) {
	l := newLane(12, 1024, 1, 2)
	runs := recordRuns(l, 1_000)
	tap := NewTap([]Source{l.source()}, nil)
	defer tap.Close()
	levels := 0
	count := func(*core.Event, *book.Replica) { levels++ }
	b.ReportAllocs()
	b.ResetTimer()
	done := 0
	for i := 0; done < b.N; i++ {
		run := runs[i%len(runs)]
		l.ring.PublishBatch(run)
		tap.Poll(count)
		done += len(run)
	}
	b.StopTimer()
	if levels != done || tap.Lost() != 0 {
		b.Fatalf("%d events of %d, %d lost", levels, done, tap.Lost())
	}
}
