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

// tripped is what is known of the trips of one node. A node has one while a bit of
// its trips is set, or while a breach is the cause of its state.
type tripped struct {
	scope Scope
	at    [numTrips]Trip // Code OK: nothing known
}

// trips holds the details of all tripped nodes, off the check's path.
type trips struct {
	slots    []tripped // slot 0 is nobody's
	free     []uint32
	deadline core.Nanos // the earliest Until of all
}

// Trips returns what keeps a node from opening, in the order of the controls; nil
// when nothing does.
func (t *Tree) Trips(s Scope) []Trip {
	return nil
}

// Deadline returns when Tick has something to do next: the end of a cool-down or of
// a freeze, or the beginning of a day; MaxInt64 when nothing is due ever.
func (t *Tree) Deadline() core.Nanos { return never }

// Tick tells the tree the time: what ends by itself ends. Time that does not advance
// changes nothing.
func (t *Tree) Tick(now core.Nanos) {
}
