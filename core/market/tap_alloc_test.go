//go:build !race

package market

import "testing"

// TestTapAllocations asserts I1 for the consumer's side: neither following nor
// recovering from an overrun allocates once the books are as deep as they get.
func TestTapAllocations(t *testing.T) {
	l := newLane(11, 64, 1, 2)
	var s seen
	tap := NewTap([]Source{l.source()}, nil)
	defer tap.Close()
	l.snapshot(1)
	l.snapshot(2)
	take := s.take
	recorded := recordRuns(l, 200)
	replay := func() {
		for _, run := range recorded {
			l.ring.PublishBatch(run)
			drain(tap, take)
		}
	}
	overrun := func() {
		for _, run := range recorded {
			l.ring.PublishBatch(run)
		}
		drain(tap, take)
	}
	replay()
	overrun()
	for name, f := range map[string]func(){"Poll": replay, "overrun": overrun} {
		if n := testing.AllocsPerRun(10, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	if s.events == 0 || s.stale == 0 {
		t.Errorf("%d events, %d losses: nothing was done", s.events, s.stale)
	}
}
