package risk

import "qcat/core"

// event is what made a profit change: a fill, or a confirmed mark.
type event struct {
	instrument core.InstrumentID
	price      core.Price
	mark       bool
}

const (
	limitsOfLoss = 1<<LimitMaxLossDaily | 1<<LimitMaxDrawdown | 1<<LimitConsecutiveLosses
	lossTrips    = 1<<tripLoss | 1<<tripDrawdown | 1<<tripStreak
)

// judge holds what a node has lost against its limits after an event. Crossing one
// trips the node at once; the action follows when as many marks of one instrument in a row say so as
// the node asks for. Between marks a fill counts once; when nothing is held or open,
// no mark will come that could say otherwise, and when round trips are counted no
// mark is asked at all: the action follows at once.
func (t *Tree) judge(s *seat, why *event) {
	p := &t.profiles[s.n.profile]
	if p.set&limitsOfLoss == 0 && s.n.trips&lossTrips == 0 {
		return
	}
	sc := s.sc
	t.judgeValue(s, p, tripLoss, LimitMaxLossDaily, lost(sc.open, sc.pnl), why)
	t.judgeValue(s, p, tripDrawdown, LimitMaxDrawdown, lost(sc.peak, sc.pnl), why)
	limit, set := p.Get(LimitConsecutiveLosses)
	if !set || int64(sc.streak) <= limit {
		t.clear(s, tripStreak)
		return
	}
	t.trip(s, tripStreak, Trip{Unit: UnitCount, Limit: limit, Value: int64(sc.streak), Until: never})
	t.act(s, p, tripStreak, why)
}

// lost is how far a profit is below what it was; 0 when it is not.
func lost(was, is int64) int64 {
	if d, ok := add64(was, -is); ok {
		return max(0, d)
	}
	return maxAny
}

func (t *Tree) judgeValue(s *seat, p *profile, k tripKind, l Limit, value int64, why *event) {
	limit, set := p.Get(l)
	if !set || value <= limit {
		t.clear(s, k)
		return
	}
	over, by := &s.sc.over[k], &s.sc.by[k]
	switch {
	case !why.mark:
		*over, *by = max(*over, 1), 0
	case *by == 0 || *by == why.instrument || t.unheard(s, k):
		// Another instrument's mark only repeats the price that is to be confirmed.
		*over, *by = min(*over+1, maxCount), why.instrument
	}
	t.trip(s, k, Trip{Unit: UnitValue, Limit: limit, Value: value, Until: never})
	if int64(*over) >= p.or(LimitLossConfirmations, 1) || s.n.gross == 0 {
		t.act(s, p, k, why)
	}
}

// confirmWithin is how long a price that is to be confirmed is waited for: after that
// its market is silent, and the marks of others have to do.
const confirmWithin = core.Nanos(5_000_000_000)

// unheard reports whether a node has waited too long for the mark of one instrument.
func (t *Tree) unheard(s *seat, k tripKind) bool {
	return s.n.trips&(1<<k) != 0 && t.scores.now-t.trips.slots[s.sc.slot].at[k].Since >= confirmWithin
}

// act queues the breach of a node's loss limit, once.
func (t *Tree) act(s *seat, p *profile, k tripKind, why *event) {
	t.breach(s, k, lossAction(&p.Limits), why)
}

// lossAction is what a crossed loss limit of a node brings about.
func lossAction(ls *Limits) Action { return Action(ls.or(LimitLossAction, int64(ActionReduce))) }

// breach queues what a node's trip is to bring about, once until it is cleared.
func (t *Tree) breach(s *seat, k tripKind, a Action, why *event) {
	if s.sc.acted&(1<<k) != 0 {
		return
	}
	s.sc.acted |= 1 << k
	at := &t.trips.slots[s.sc.slot].at[k]
	scope, _ := t.scopeAt(&s.at)
	t.breaches.push(&Breach{Scope: scope, Code: at.Code, Unit: at.Unit, Action: a, Limit: at.Limit, Value: at.Value,
		Instrument: why.instrument, Price: why.price})
}
