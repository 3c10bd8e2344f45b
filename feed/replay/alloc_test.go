//go:build !race

package replay_test

import (
	"bytes"
	"testing"

	"qcat/core"
	"qcat/feed"
	"qcat/feed/binance"
	"qcat/feed/replay"
)

// TestReplayDoesNotAllocate: line → frame → message → book → ring costs no memory
// once the capture's longest line has been seen.
func TestReplayDoesNotAllocate(t *testing.T) {
	tape := synthetic(binance.SpotVenue, 4000)
	r, err := replay.NewReader(bytes.NewReader(tape.text()), 0)
	if err != nil {
		t.Fatal(err)
	}
	_, first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	b, ok, err := bindBinance(tape.venue)(first)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	lane, err := feed.NewLane(feed.LaneConfig{
		Decoder: b.Decoder, Continuity: b.Continuity, Instruments: []core.InstrumentID{b.Instrument}, RingCapacity: 1 << 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	one := func() {
		rx, frame, err := r.Next()
		if err == nil {
			err = lane.Frame(frame, b.Instrument, rx)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2000 {
		one()
	}
	if n := testing.AllocsPerRun(8000, one); n != 0 {
		t.Errorf("a line allocates %v times", n)
	}
	if !lane.Live(b.Instrument) {
		t.Error("the book is stale: the wrong path was measured")
	}
}
