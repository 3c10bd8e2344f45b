package feed_test

import (
	"testing"

	"qcat/core"
	"qcat/feed"
)

// BenchmarkLaneApply is decoded message → book → quote table → ring, for the mix
// of stream: 6 depth messages of 10 levels, 24 quotes and 8 trades of one
// instrument with 200 levels a side, one reader that keeps up.
func BenchmarkLaneApply(b *testing.B) {
	s := newStream(1)
	lane, reader := liveLane(s, nil)
	dst := make([]core.Event, 256)
	b.ReportAllocs()
	for b.Loop() {
		lane.Apply(s.next(), 1)
		reader.Read(dst)
	}
	b.StopTimer()
	checkClean(b, lane)
}

// BenchmarkLaneDepth is the same for depth messages of 10 levels alone.
func BenchmarkLaneDepth(b *testing.B) {
	s := newStream(1)
	var depth []feed.Message
	for i := range s.messages {
		if s.messages[i].Kind == feed.MessageDepth {
			depth = append(depth, s.messages[i])
		}
	}
	s.messages = depth
	lane, reader := liveLane(s, nil)
	dst := make([]core.Event, 256)
	b.ReportAllocs()
	for b.Loop() {
		lane.Apply(s.next(), 1)
		reader.Read(dst)
	}
	b.StopTimer()
	checkClean(b, lane)
}

func checkClean(b *testing.B, lane *feed.Lane) {
	b.Helper()
	lane.Duty()
	s := lane.Stats()
	if !lane.Live(1) || s.DepthGaps != 0 || s.TradeGaps != 0 || s.QuotesOld != 0 || s.DepthApplied != s.DepthMessages {
		b.Fatalf("live %v, %+v", lane.Live(1), s)
	}
}
