package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// breaches is how far the limits that were crossed have been acted on. Nothing of it
// is state: what was crossed and waits is the limit tree's.
type breaches struct {
	// passed is how many of the tree's queue, from its head, were carried out without
	// a record, because the journal had no room.
	passed int
	// left is how many the present backlog still lets in.
	left int
	// acted are breaches whose commands have yet to go out, for the time it took.
	acted fifo[actedOn]
}

// actedOn is a breach by a price that was received at seen, and the record after whose
// commit its commands go out.
type actedOn struct {
	seq  uint64
	seen core.Nanos
}

// takeBreaches records the limits that what is held has crossed, oldest first, and
// does what they say; no more than Batch a cycle, and while the engine is backlogged
// no more in all than the kill ring holds. Breaches that a recovery found queued are
// taken like others. What the journal does not take is carried out all the same.
func (e *Engine) takeBreaches(now core.Nanos) (n int) {
	if len(e.m.tree.Breaches()) == 0 {
		e.breaches.passed = 0
		return 0
	}
	most := e.cfg.Batch
	if e.backlogged() {
		most = min(most, e.breaches.left)
		defer func() { e.breaches.left -= n }()
	} else {
		e.breaches.left = e.kills.Cap()
	}
	for n < most && len(e.m.tree.Breaches()) > 0 {
		if !e.takeBreach(now) {
			break
		}
		n++
	}
	if e.full || e.failed != nil {
		n += e.passBreaches()
	}
	return n
}

// takeBreach records the oldest breach and reports whether the journal took it. A
// change of state that waits to be recorded comes first, as does a restart.
func (e *Engine) takeBreach(now core.Nanos) bool {
	if e.failed != nil || e.restart || len(e.unsaved) > 0 {
		return false
	}
	e.rec.Type = record.TypeBreach
	if _, err := e.defineAt(now); err != nil {
		return false
	}
	e.stats.Breaches.bump()
	if e.breaches.passed > 0 {
		e.breaches.passed--
	} else if seen := e.rec.Breach.Seen; seen != 0 {
		*e.breaches.acted.push() = actedOn{e.m.seq, seen}
	}
	return true
}

// passBreaches carries out, once each, what the breaches that cannot be recorded now
// do at the venues: it cancels, and leaves the state as it was, so that it stays the
// fold of the journal. They are recorded before any order is taken; orders of what
// they halt are held back until then.
func (e *Engine) passBreaches() (n int) {
	p := &e.breaches
	if e.restart {
		return 0
	}
	waiting := e.m.tree.Breaches()
	for ; p.passed < len(waiting) && n < e.cfg.Batch; p.passed++ {
		b := &waiting[p.passed]
		e.stats.Unrecorded.bump()
		if cancelsOpen(b) {
			e.passCancelScope(b.Scope)
		}
		if b.Seen != 0 {
			*p.acted.push() = actedOn{e.m.seq, b.Seen}
		}
		n++
	}
	return n
}

// haltedByBreach reports whether a breach that has been carried out, and is not
// recorded yet, halts the order.
func (e *Engine) haltedByBreach(o *core.Order) bool {
	waiting := e.m.tree.Breaches()
	for i := range min(e.breaches.passed, len(waiting)) {
		if b := &waiting[i]; b.Action == risk.ActionHalt && inScope(b.Scope, o) {
			return true
		}
	}
	return false
}

// timeBreaches notes how long it took from the receipt of a price until what its
// breach does had been handed over.
func (e *Engine) timeBreaches(committed uint64) {
	acted := &e.breaches.acted
	if acted.len() == 0 || acted.front().seq > committed {
		return
	}
	now := e.cfg.Clock.Now()
	for ; acted.len() > 0 && acted.front().seq <= committed; acted.pop() {
		e.stats.MarkToAction.Record(int64(max(0, now-acted.front().seen)))
	}
}
