//go:build !race

package book

import (
	"testing"

	"qcat/core"
)

// TestAllocations asserts I1 for the book: nothing allocates once a side has
// been as deep as it gets.
func TestAllocations(t *testing.T) {
	b := New(0)
	const depth = 2_000
	churn := func() {
		for i := range depth {
			b.Set(core.Buy, core.Price(i*7919%depth), 1)
			b.Set(core.Sell, core.Price(depth+i*7919%depth), 1)
		}
		for i := range depth {
			b.Set(core.Buy, core.Price(i*104729%depth), 0)
			b.Set(core.Sell, core.Price(depth+i*104729%depth), core.Qty(i%3))
		}
	}
	refill := func() {
		b.Clear()
		churn()
	}
	refill()
	levels := make([]core.Level, 0, depth)
	var sum uint64
	count := func(l core.Level) bool { sum += uint64(l.Qty); return true }
	r := NewReplica(0)
	run := [...]core.Event{level(snap|first, core.Buy, 5, 1), level(snap|last, core.Sell, 6, 1), level(first|last, core.Buy, 5, 2)}
	for name, f := range map[string]func(){
		"Set":    churn,
		"Ahead":  func() { b.Ahead(); b.AheadOf(levels, levels) },
		"Clear":  refill,
		"Best":   func() { b.BestBid(); b.BestAsk(); b.Crossed() },
		"Qty":    func() { b.Qty(core.Sell, depth+1) },
		"Levels": func() { levels = b.Levels(core.Sell, levels[:0], -1) },
		"Walk":   func() { b.Walk(core.Sell, count) },
		"Hash":   func() { sum += b.Hash() },
		"Replica": func() {
			for i := range run {
				r.Apply(&run[i])
			}
		},
	} {
		if n := testing.AllocsPerRun(3, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	if sum == 0 || r.Stale() {
		t.Error("nothing was done")
	}
}
