package risk

import (
	"math"

	"qcat/core"
)

// tripKind is one of the controls that are evaluated on events and trip a node: from
// then on it refuses, by the control's own code, every order that does not reduce.
// The numbers are bits of node.trips and stand in states: never reused.
type tripKind uint8

const (
	tripLoss       tripKind = iota // lost since the day began
	tripDrawdown                   // lost since the best moment
	tripStreak                     // losing round trips in a row
	tripRepeated                   // orders that traded, within a period
	tripVolatility                 // the market moved too far; for a time
	tripProtection                 // a market maker traded too much; for a time, or until reset
	tripMargin                     // an account's equity is below its maintenance margin
	numTrips
)

var tripCodes = [numTrips]Code{MaxLossDaily, MaxDrawdown, ConsecutiveLosses, RepeatedExecution,
	MarketVolatility, MarketMakerProtection, InsufficientMargin}

// tripOf returns the kind that a code stands for and whether there is one.
func tripOf(c Code) (tripKind, bool) {
	for k, code := range tripCodes {
		if code == c {
			return tripKind(k), true
		}
	}
	return 0, false
}

// Trip is one control that keeps a node from opening, by value.
type Trip struct {
	Code  Code
	Unit  Unit
	Since core.Nanos
	Until core.Nanos // when it ends by itself; MaxInt64: not by time
	Limit int64
	Value int64 // what crossed the limit
}

// never is an end that does not come.
const never = core.Nanos(math.MaxInt64)

// tripped is what is known of the trips of one node, while it has one, or while a
// breach is the cause of its state.
type tripped struct {
	place ScopeCursor
	used  bool
	at    [numTrips]Trip // Code OK: nothing known
}

// trips holds the details of all tripped nodes, off the check's path.
type trips struct {
	slots []tripped // slot 0 is nobody's
	free  []uint32
	// deadline is the earliest Until of all, or earlier: Tick finds the next.
	deadline core.Nanos
}

// trip keeps a node from opening, or renews what is known of it.
func (t *Tree) trip(s *seat, k tripKind, v Trip) {
	t.remember(s, k, v)
	s.n.trips |= 1 << k
	t.trips.deadline = min(t.trips.deadline, v.Until)
	t.touch(s.n, s.at.section, s.at.index)
}

// remember notes what is known of a trip, or of the cause of a state.
func (t *Tree) remember(s *seat, k tripKind, v Trip) {
	ts := &t.trips
	if s.sc.slot == 0 {
		if n := len(ts.free); n > 0 {
			s.sc.slot, ts.free = ts.free[n-1], ts.free[:n-1]
		} else {
			s.sc.slot = uint32(len(ts.slots))
			ts.slots = append(ts.slots, tripped{})
		}
		ts.slots[s.sc.slot] = tripped{place: s.at, used: true}
	}
	at := &ts.slots[s.sc.slot].at[k]
	v.Code, v.Since = tripCodes[k], t.scores.now
	if at.Code != OK {
		v.Since = at.Since
	}
	*at = v
}

// clear lets a node open again as far as one control is concerned. The breach may be
// queued again, unless it is the cause of the node's state.
func (t *Tree) clear(s *seat, k tripKind) {
	if (s.n.trips|s.sc.acted)&(1<<k) == 0 && (k > tripDrawdown || s.sc.over[k] == 0) {
		return // as it is nearly always
	}
	if k <= tripDrawdown {
		s.sc.over[k], s.sc.by[k] = 0, 0
	}
	if s.sc.cause != uint8(k)+1 {
		s.sc.acted &^= 1 << k
	}
	if s.n.trips&(1<<k) == 0 {
		return
	}
	s.n.trips &^= 1 << k
	t.forget(s)
	t.touch(s.n, s.at.section, s.at.index)
}

// forget drops what is known of trips that are over and are no cause of the state.
func (t *Tree) forget(s *seat) {
	if s.sc.slot == 0 {
		return
	}
	e := &t.trips.slots[s.sc.slot]
	left := false
	for k := range e.at {
		if s.n.trips&(1<<k) == 0 && s.sc.cause != uint8(k)+1 {
			e.at[k] = Trip{}
		}
		left = left || e.at[k].Code != OK
	}
	if !left {
		*e = tripped{}
		t.trips.free = append(t.trips.free, s.sc.slot)
		s.sc.slot = 0
	}
}

// resume is what a person's word does: the node opens again, what it lost in a row
// and since its best moment counts from here, and what was counted of its fills is
// forgotten. What it lost today stays lost.
func (t *Tree) resume(s *seat) {
	s.sc.cause = 0
	for k := range numTrips {
		t.clear(s, k)
	}
	t.forget(s)
	s.sc.streak, s.sc.peak = 0, s.sc.pnl
	t.flows.restart(s.sc.flow)
}

// setBy notes who set the state of a node: a person, whose word to go on also resets
// it.
func (t *Tree) setBy(s Scope, st TradingState) {
	at, ok := t.place(s)
	if !ok {
		return
	}
	n := t.seat(at)
	if st == StateActive {
		t.resume(&n)
		t.callAgain(s)
		return
	}
	n.sc.cause = 0
	t.forget(&n)
}

// Trips returns what keeps a node from opening, in the order of the controls; nil
// when nothing does.
func (t *Tree) Trips(s Scope) []Trip {
	s, r := t.resolve(s)
	if !r.OK() {
		return nil
	}
	at, ok := t.place(s)
	if !ok {
		return nil
	}
	var out []Trip
	n := t.seat(at)
	for k := range numTrips {
		if n.n.trips&(1<<k) != 0 {
			out = append(out, t.trips.slots[n.sc.slot].at[k])
		}
	}
	return out
}
