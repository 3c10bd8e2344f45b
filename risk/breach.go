package risk

import "qcat/core"

// Breach is a limit that was crossed by what is held, not by an order: the numbers
// that say so, and what is to be done about it. The tree queues one when a mark, a
// fill or the time crosses a limit; the sequencer journals it and calls Act.
type Breach struct {
	Scope      Scope
	Code       Code
	Unit       Unit
	Action     Action
	Limit      int64
	Value      int64
	Instrument core.InstrumentID // whose price, or fill, crossed it
	Price      core.Price

	// What the sequencer said that it was about when the breach was queued: see
	// CausedBy.
	Cause uint64
	Seen  core.Nanos
}

// Cancels reports whether the open orders of the node are to be cancelled.
func (b *Breach) Cancels() bool { return b.Action >= ActionHalt }

// Flattens reports whether the positions of the node are to be closed.
func (b *Breach) Flattens() bool { return b.Action == ActionFlatten }

// breaches is the queue of those not acted on, oldest first. A control of a node that
// has been queued is not queued again until a person, what is held, or a stricter
// action has cleared it.
type breaches struct {
	queue []Breach
	head  int

	cause uint64 // of what is queued now; not part of the state
	seen  core.Nanos
}

func (q *breaches) push(b *Breach) {
	q.queue = append(q.queue, *b)
	last := &q.queue[len(q.queue)-1]
	last.Cause, last.Seen = q.cause, q.seen
}

// CausedBy names what follows, for the breaches that it causes: the sequence of the
// record and, of a mark, when its price was received.
func (t *Tree) CausedBy(seq uint64, seen core.Nanos) { t.breaches.cause, t.breaches.seen = seq, seen }

// Breaches returns the breaches that have not been acted on, oldest first. The slice
// is the tree's: it is to be read, and good until the tree changes.
func (t *Tree) Breaches() []Breach { return t.breaches.waiting() }

func (q *breaches) waiting() []Breach { return q.queue[q.head:] }

// drop takes the oldest of b's control and node off the queue.
func (q *breaches) drop(b *Breach) {
	w := q.waiting()
	for i := range w {
		if w[i].Code != b.Code || w[i].Scope != b.Scope {
			continue
		}
		copy(w[1:i+1], w[:i])
		if q.head++; q.head == len(q.queue) {
			q.queue, q.head = q.queue[:0], 0
		}
		return
	}
}

// NextBreach returns the oldest breach that has not been acted on, and whether there
// is one. It stays the next until Act is called with it.
func (t *Tree) NextBreach() (Breach, bool) {
	if w := t.breaches.waiting(); len(w) > 0 {
		return w[0], true
	}
	return Breach{}, false
}

// Act takes a breach off the queue and does to its node what it says: a notice
// nothing, a halt halts it, the others let it only reduce; a state that is stricter
// already stays. What the breach tripped by itself for a time, the volatility of the
// market and the protection of a market maker, changes no state. The caller cancels
// and closes (Cancels, Flattens).
func (t *Tree) Act(b *Breach) {
	t.version++
	t.breaches.drop(b)
	k, known := tripOf(b.Code)
	if !known || k == tripVolatility || k == tripProtection {
		return
	}
	state := StateReducing
	switch b.Action {
	case ActionNotify:
		return
	case ActionHalt:
		state = StateHalted
	case ActionReduce, ActionFlatten:
	}
	scope, r := t.resolve(b.Scope)
	if !r.OK() || t.node(scope, true) == nil {
		return
	}
	at, _ := t.place(scope)
	if s := t.seat(at); s.n.state < state {
		t.remember(&s, k, Trip{Unit: b.Unit, Limit: b.Limit, Value: b.Value, Until: never})
		s.n.state, s.sc.cause = state, uint8(k)+1
		t.forget(&s)
		t.touch(s.n, s.at.section, s.at.index)
	}
}
