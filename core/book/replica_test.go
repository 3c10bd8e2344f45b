package book

import (
	"testing"

	"qcat/core"
)

const (
	first = core.FlagFirst
	last  = core.FlagLast
	snap  = core.FlagSnapshot
)

func level(flags core.EventFlags, side core.Side, price core.Price, qty core.Qty) core.Event {
	return core.Event{Kind: core.EventLevel, Flags: flags, Side: side, Price: price, Qty: qty,
		Seq: uint64(price), ExchangeTime: core.Nanos(price) * 10, ReceiveTime: core.Nanos(price) * 100}
}

// TestReplica walks through the life of a replica, one event a step.
func TestReplica(t *testing.T) {
	status := core.Event{Kind: core.EventStatus, Flags: core.FlagStale}
	rebuilding := core.Event{Kind: core.EventStatus}
	trade := core.Event{Kind: core.EventTrade, Flags: first | last, Side: core.Buy, Price: 1, Qty: 1, Seq: 999}
	for _, story := range []struct {
		name  string
		steps []core.Event
		want  string // a letter a step: w stale, r stale in a snapshot run, l live, m live in a run
		bids  int
	}{
		{"waits for a snapshot", []core.Event{
			level(first|last, core.Buy, 5, 1), level(first, core.Buy, 5, 1), level(last, core.Buy, 5, 1), trade,
		}, "wwww", 0},
		{"snapshot, then deltas", []core.Event{
			level(snap|first, core.Buy, 5, 1), level(snap, core.Buy, 4, 1), level(snap|last, core.Sell, 6, 1),
			level(first, core.Buy, 3, 1), trade, level(last, core.Buy, 4, 0), level(first|last, core.Buy, 2, 1),
		}, "rrlmmll", 3},
		{"empty snapshot", []core.Event{
			level(snap|first|last, core.Buy, 5, 1), level(snap|first|last, 0, 0, 0),
		}, "ll", 0},
		{"stale status, then resynchronised", []core.Event{
			level(snap|first|last, core.Buy, 5, 1), status, level(first|last, core.Buy, 4, 1), rebuilding,
			level(snap|first, core.Buy, 7, 1), level(snap|last, core.Buy, 6, 1),
		}, "lwwwrl", 2},
		{"a live book is replaced", []core.Event{
			level(snap|first|last, core.Buy, 5, 1), level(snap|first, core.Buy, 7, 1), level(snap|last, core.Buy, 6, 1),
		}, "lml", 2},
		{"joined in the middle of a snapshot", []core.Event{
			level(snap, core.Buy, 5, 1), level(snap|last, core.Buy, 4, 1), level(first|last, core.Buy, 3, 1),
		}, "www", 0},
		{"a snapshot without an end", []core.Event{
			level(snap|first, core.Buy, 5, 1), level(first|last, core.Buy, 4, 1), level(snap|last, core.Buy, 3, 1),
		}, "rww", 1},
		{"a snapshot that starts over", []core.Event{
			level(snap|first, core.Buy, 5, 1), level(snap|first, core.Buy, 4, 1), level(snap|last, core.Buy, 3, 1),
		}, "rrl", 2},
		{"a run without a beginning", []core.Event{
			level(snap|first|last, core.Buy, 5, 1), level(last, core.Buy, 4, 1), level(first|last, core.Buy, 3, 1),
		}, "lww", 1},
		{"a run without an end", []core.Event{
			level(snap|first|last, core.Buy, 5, 1), level(first, core.Buy, 4, 1), level(first|last, core.Buy, 3, 1),
		}, "lmw", 2},
		{"a stale level", []core.Event{
			level(snap|first|last, core.Buy, 5, 1), level(first|last|core.FlagStale, core.Buy, 4, 1),
		}, "lw", 1},
	} {
		t.Run(story.name, func(t *testing.T) {
			r := NewReplica(0)
			for i := range story.steps {
				r.Apply(&story.steps[i])
				got := "lmwr"[b2i(r.InRun())+2*b2i(r.Stale())]
				if got != story.want[i] {
					t.Fatalf("step %d: %c, want %c", i, got, story.want[i])
				}
				if r.Consistent() != (got == 'l') {
					t.Fatalf("step %d: %c, but Consistent is %v", i, got, r.Consistent())
				}
			}
			if n := r.Book().Len(core.Buy); n != story.bids {
				t.Errorf("%d bids, want %d", n, story.bids)
			}
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestReplicaSequence(t *testing.T) {
	r := NewReplica(0)
	ev := level(snap|first|last, core.Buy, 5, 1)
	r.Apply(&ev)
	dropped := level(last, core.Buy, 9, 1)
	r.Apply(&dropped)
	if r.Seq() != 5 || r.ExchangeTime() != 50 || r.ReceiveTime() != 500 {
		t.Errorf("seq %d, times %d and %d, want those of the last level applied: 5, 50, 500",
			r.Seq(), r.ExchangeTime(), r.ReceiveTime())
	}
}
