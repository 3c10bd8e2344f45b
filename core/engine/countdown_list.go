package engine

import (
	"cmp"
	"slices"

	"qcat/core"
	"qcat/risk"
)

// Countdown is a dead man's switch that is armed.
type Countdown struct {
	Scope   risk.Scope
	Timeout core.Nanos // as it was asked for last
	// Ends is when it fires unless it is renewed. It is past while the switch fires
	// and the journal has no room to say so.
	Ends core.Nanos
}

// Countdowns returns the dead man's switches that are armed, the one that fires first
// before the others, and the journal sequence they are as of. No event tells of a
// renewal, so that only the sequencer knows when they end. Like Query it waits for the
// engine; what it copies there is bounded by the number of switches that there may be.
func (e *Engine) Countdowns() (all []Countdown, seq uint64) {
	n := 0
	e.onEngine(func() { n = len(e.m.switches.all) })
	all = make([]Countdown, 0, n) // not on the engine's time
	e.onEngine(func() {
		for i := range e.m.switches.all {
			c := &e.m.switches.all[i]
			all = append(all, Countdown{Scope: c.scope, Timeout: c.timeout, Ends: c.ends})
		}
		seq = e.m.seq
	})
	slices.SortStableFunc(all, func(x, y Countdown) int { return cmp.Compare(x.Ends, y.Ends) })
	return all, seq
}
