package engine

import (
	"qcat/core"
	"qcat/core/record"
)

// questions are what a venue is to be asked: what it knows of orders of ours.
// Nothing of it is state.
type questions struct {
	first fifo[core.OrderID]   // to be asked now
	again fifo[askedOfAnOrder] // asked, to be looked at again, earliest first
}

type askedOfAnOrder struct {
	order core.OrderID
	due   core.Nanos
}

// Progress of the question about an order, beside its entry.
type questionState uint8

const (
	notAsked questionState = iota
	toAsk
	asked    // and not answered
	answered // and still in line to be looked at again
)

// takeRestart records that a process took over, before anything else is recorded.
// While the journal has no room for that, nothing else is taken but what needs no
// record.
func (e *Engine) takeRestart(now core.Nanos) {
	if !e.restart || e.failed != nil {
		return
	}
	e.rec.Type = record.TypeRestart
	if _, err := e.defineAt(now); err != nil {
		return
	}
	e.restart = false
	e.noteUnknown()
	e.m.orders.each(&e.m.orders.open, e.ask)
	e.findDoomed()
}

// ask puts an order in line to be asked about, once.
func (e *Engine) ask(o *entry) {
	b := e.outboxFor(o.order.Instrument)
	if b == nil || o.question == toAsk || o.question == asked {
		return // nobody to ask, or in line already
	}
	if o.question == notAsked {
		*b.questions.first.push() = o.order.ID
	}
	o.question = toAsk
}

// follow looks at what a recorded report tells of the order it names: whether it
// is the answer to a question, or the reason for one.
func (e *Engine) follow(r *record.Record) {
	o := e.m.target
	if r.Type != record.TypeReport || o == nil {
		return
	}
	e.noteUnknown()
	e.followCancel(o, &r.Report.Report)
	switch r.Report.Report.Type {
	case core.ExecNew, core.ExecReplaced, core.ExecReplaceRejected:
		if o.question == asked {
			o.question = answered
		}
	default: // a trade alone does not say that no other was missed
	}
	if o.order.Unknown {
		e.ask(o)
	}
}

// noteUnknown publishes how many orders are unknown.
func (e *Engine) noteUnknown() {
	before, now := int(e.unknown.Load()), e.m.unknown
	if now == before {
		return
	}
	e.unknown.Store(int64(now))
	if now < before {
		e.stats.Reconciled.add(uint64(before - now))
	}
}

// Unknown is how many open orders are known here and not at their venue: sent
// before a restart and not answered, or denied. They count in full against every
// limit. Any goroutine.
func (e *Engine) Unknown() int { return int(e.unknown.Load()) }

// takeQuestions asks the venues about orders, no more than Batch a cycle each and
// none while a command waits for the gateway.
func (e *Engine) takeQuestions(now core.Nanos) (n int) {
	if e.failed != nil || e.draining {
		return 0
	}
	for i := range e.outboxes {
		b := &e.outboxes[i]
		for range e.cfg.Batch {
			if b.queue.len() > 0 || !e.takeQuestion(b, now) {
				break
			}
			n++
		}
	}
	return n
}

// takeQuestion sees to the order that is first in line of a venue, if any.
func (e *Engine) takeQuestion(b *outbox, now core.Nanos) bool {
	q := &b.questions
	switch {
	case q.first.len() > 0:
		o := e.m.orders.find(*q.first.front())
		if o != nil && !e.askVenue(b, o, now) {
			return false
		}
		q.first.pop()
	case q.again.len() > 0 && q.again.front().due <= now:
		o := e.m.orders.find(q.again.front().order)
		if o != nil && !e.lookAgain(b, o, now) {
			return false
		}
		q.again.pop()
	default:
		return false
	}
	return true
}

// lookAgain asks about an order once more if it is still unknown or the question
// was not answered. It returns false when the gateway has no room.
func (e *Engine) lookAgain(b *outbox, o *entry, now core.Nanos) bool {
	if o.order.Unknown || o.question != answered {
		return e.askVenue(b, o, now)
	}
	o.question = notAsked
	return true
}

// askVenue sends the question about an open order and, if a cancel of it was
// promised, the cancel after it. It returns false when the gateway has no room.
func (e *Engine) askVenue(b *outbox, o *entry, now core.Nanos) bool {
	if !o.order.Status.Open() || o.withheld {
		o.question = notAsked
		return true
	}
	c := commandFor(core.VenueStatus, &o.order, now)
	c.Acked, c.Amending = o.order.VenueAcked, o.order.PendingRepl
	c.CumQty, c.VenueExecID = o.order.CumQty, o.venueExec
	if !b.gateway.Submit(&c) {
		return false
	}
	o.question = asked
	e.stats.StatusSent.bump()
	*b.questions.again.push() = askedOfAnOrder{o.order.ID, now + core.Nanos(e.cfg.ReconcileEvery)}
	if o.order.PendingCxl {
		c = commandFor(core.VenueCancel, &o.order, now)
		e.route(&c)
	}
	return true
}

// waitsToAsk reports whether a question waits for a gateway to take it.
func (e *Engine) waitsToAsk() bool {
	for i := range e.outboxes {
		if e.outboxes[i].questions.first.len() > 0 {
			return true
		}
	}
	return false
}
