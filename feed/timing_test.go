package feed_test

import (
	"testing"

	"qcat/core/hist"
	"qcat/feed"
)

// TestStagesAreSampled: one in 64 messages is timed, whether it came as a frame or
// decoded already, as the simulated market's do.
func TestStagesAreSampled(t *testing.T) {
	var decode, book hist.Histogram
	s := newStream(1)
	lane, _ := liveLane(s, func(c *feed.LaneConfig) { c.DecodeTime, c.BookTime = &decode, &book })
	count := func(h *hist.Histogram) uint64 { return h.Snapshot().Count }
	decoded, applied := count(&decode), count(&book)
	for range 640 {
		if err := lane.Frame(nil, 0, 1); err != nil {
			t.Fatal(err)
		}
	}
	if d, b := count(&decode)-decoded, count(&book)-applied; d != 10 || b != 10 {
		t.Errorf("of 640 frames %d decodings and %d applications were timed", d, b)
	}
	decoded, applied = count(&decode), count(&book)
	for range 640 {
		lane.Apply(s.next(), 1)
	}
	if d, b := count(&decode)-decoded, count(&book)-applied; d != 0 || b != 10 {
		t.Errorf("of 640 messages %d decodings and %d applications were timed", d, b)
	}
}
