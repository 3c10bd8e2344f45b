//go:build !race

package feed_test

import (
	"testing"

	"qcat/core"
	"qcat/core/hist"
	"qcat/feed"
)

// TestLaneDoesNotAllocate: in the live state a frame, timed or not, and a duty
// that re-emits a book, cost no memory.
func TestLaneDoesNotAllocate(t *testing.T) {
	s := newStream(1)
	lane, reader := liveLane(s, func(c *feed.LaneConfig) {
		c.DecodeTime, c.BookTime = &hist.Histogram{}, &hist.Histogram{}
	})
	dst := make([]core.Event, 256)
	now := core.Nanos(1)
	one := func() {
		now++
		if err := lane.Frame(nil, 0, now); err != nil {
			t.Fatal(err)
		}
		reader.Read(dst)
	}
	for range 10_000 {
		one()
	}
	if n := testing.AllocsPerRun(10_000, one); n != 0 {
		t.Errorf("a frame allocates %v times", n)
	}
	duty := func() {
		lane.RequestSnapshot(1)
		lane.Duty()
	}
	duty()
	if n := testing.AllocsPerRun(100, duty); n != 0 {
		t.Errorf("a snapshot run allocates %v times", n)
	}
	if st := lane.Stats(); !lane.Live(1) || st.DepthGaps != 0 || st.QuotesOld != 0 || st.TradeGaps != 0 || st.SnapshotsSent == 0 {
		t.Errorf("the stream is not what it should be: live %v, %+v", lane.Live(1), st)
	}
}

// TestWaitingDoesNotAllocate: once the buffer has its size, waiting for a
// snapshot costs no memory either.
func TestWaitingDoesNotAllocate(t *testing.T) {
	s := newStream(1)
	lane, _ := liveLane(s, func(c *feed.LaneConfig) { c.BufferMessages, c.BufferLevels = 64, 1024 })
	lane.Disconnected(1)
	lane.Connected()
	one := func() { lane.Apply(s.next(), 1) }
	for range 10_000 {
		one()
	}
	if n := testing.AllocsPerRun(10_000, one); n != 0 {
		t.Errorf("a message that waits allocates %v times", n)
	}
}
