package main

import "math"

// What a round takes, and when it says that the head is slower.
const (
	fullBlocks  = 12   // blocks in the order ABBA, base as A and head as B
	leastBlocks = 4    // with fewer no p is below worstP
	worstP      = 0.01 // a p below it is no accident
	leastEffect = 0.05 // a smaller slow-down is no failure
	spreads     = 3    // nor is one within so many A/A spreads
	rounds      = 3    // a kernel fails only if it fails in each
)

// round holds the figures of one kernel in one round, in ns an operation: two a side
// and block, in the order base[2i], head[2i], head[2i+1], base[2i+1].
type round struct {
	base, head []float64
}

// blocks that are complete.
func (r *round) blocks() int { return min(len(r.base), len(r.head)) / 2 }

// opinion is what a round says.
type opinion struct {
	effect float64 // the slow-down of the head; negative: it is faster
	p      float64
	spread float64 // A/A
	bound  float64 // the effect above which it counts
	slower bool
}

// judge compares neighbours in time: base with head at the beginning of each block, head
// with base at its end. What the same binary shows within a block is the A/A spread.
func (r *round) judge() opinion {
	var pairs, same []float64
	for i := range r.blocks() {
		a, b := 2*i, 2*i+1
		pairs = append(pairs, logRatio(r.head[a], r.base[a]), logRatio(r.head[b], r.base[b]))
		same = append(same, logRatio(r.base[b], r.base[a]), logRatio(r.head[b], r.head[a]))
	}
	o := opinion{effect: math.Expm1(shift(pairs)), p: slowerP(pairs), spread: math.Expm1(spread(same))}
	o.bound = max(leastEffect, spreads*o.spread)
	o.slower = o.p < worstP && o.effect > o.bound
	return o
}

// settled says that more blocks would not make the head slower: the effect is below what
// counts by three spreads. Most kernels that did not change are settled after few blocks.
func (r *round) settled() bool {
	if r.blocks() < leastBlocks {
		return false
	}
	o := r.judge()
	return o.effect+spreads*o.spread < leastEffect
}

// logRatio is symmetric: twice as slow is as far from zero as twice as fast. A figure of
// zero, which a benchmark prints that does nothing, is taken as its smallest digit.
func logRatio(a, b float64) float64 {
	const smallest = 1e-5
	return math.Log(max(a, smallest) / max(b, smallest))
}
