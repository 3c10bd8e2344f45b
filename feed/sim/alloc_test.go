//go:build !race

package sim

import (
	"testing"

	"qcat/core"
	"qcat/feed"
)

func TestAdvanceDoesNotAllocate(t *testing.T) {
	e := newExchange(t, Settings{Seed: 1, Rate: 1000, Start: start}, 20)
	now := start
	seen := 0
	count := func(*feed.Message) { seen++ }
	e.Advance(now, count)
	allocs := testing.AllocsPerRun(100, func() {
		now += core.Nanos(1e7)
		e.RequestSnapshot(3)
		e.Advance(now, count)
	})
	if allocs != 0 || seen < 20_000 {
		t.Errorf("%v allocations an Advance, %d messages", allocs, seen)
	}
}
