package feed_test

import (
	"bytes"
	"testing"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/feed"
)

// FuzzLane gives a lane whatever a decoder might make of hostile frames: nothing
// panics, a consumer's replica never disagrees with the lane, and the counters
// add up.
func FuzzLane(f *testing.F) {
	f.Add("s 10 b:90:1 a:100:1\nd 1 11 11 0 b:91:1\nd 1 13 13 12 b:92:1\nt 1 5 1 1\nq 1 12 1 1 2 1", uint8(0))
	f.Add("d 1 11 14 9 b:1:1\ns 14\nd 1 20 21 14\nd 1 18446744073709551615 18446744073709551615 21", uint8(1))
	f.Add("s 18446744073709551615\nd 1 1 1 1\nd 1 0 0 0 a:-5:-7", uint8(0))
	f.Add("d 1 0 0 0 b:5:5\ns 0 b:5:5\nq 1 0 5 5 4 4", uint8(2))
	f.Fuzz(func(t *testing.T, script string, continuity uint8) {
		lane, err := feed.NewLane(feed.LaneConfig{
			Decoder: &toyDecoder{}, Continuity: feed.Continuity(continuity % 3), Instruments: []core.InstrumentID{1},
			RingCapacity: 1 << 10, MaxInstruments: 4, BufferMessages: 8, BufferLevels: 16,
		})
		if err != nil {
			t.Fatal(err)
		}
		tap := market.NewTap([]market.Source{lane.Source()}, nil)
		frames := 0
		for line := range bytes.Lines([]byte(script)) {
			frames++
			_ = lane.Frame(line, 1, core.Nanos(frames))
			for tap.Poll(func(*core.Event, *book.Replica) {}) > 0 {
			}
			r := tap.Book(1)
			if r != nil && !r.Stale() && (!lane.Live(1) || r.Book().Hash() != lane.Book(1).Hash()) {
				t.Fatalf("after frame %d: lane live %v, the consumer's book differs", frames, lane.Live(1))
			}
		}
		lane.Duty()
		s := lane.Stats()
		// A depth message that contradicts itself is bad and a depth message.
		sum := s.Ignored + s.Unknown + s.Trades + s.Quotes + s.Marks + s.DepthMessages + s.Snapshots
		if s.Messages != uint64(frames) || sum > s.Messages || sum+s.Bad < s.Messages {
			t.Fatalf("%d frames, but %+v", frames, s)
		}
	})
}
