package engine

import (
	"fmt"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// maxUnsaved bounds the state changes that wait to be recorded. There is one a
// scope, the latest.
const maxUnsaved = 1024

// runUnrecorded is what happens to a command that the journal did not take.
//
// An order or amend is refused. A cancel or a kill is carried out all the same,
// for it only takes risk away: the venues are asked to cancel, and the state is
// left as it was, so that it stays the fold of the journal. A change of trading
// state is recorded as the first thing once the journal has room, and no order is
// taken before; when the journal has failed for good none is taken at all. A
// report is offered again.
func (e *Engine) runUnrecorded(c *Command) (done bool) {
	switch c.Kind {
	case CmdReport, CmdClock:
		return false
	case CmdNew, CmdAmend:
		reply := e.refusal(c)
		if e.failed != nil {
			e.sinks.deliver(c.Reply, &reply)
		} else if c.Reply != 0 {
			*e.stageReply(c, e.m.seq) = reply
		}
		e.stats.Refused.bump()
		e.countUnrecorded(c.Kind, reply.Reason)
		return true
	}
	e.stats.Unrecorded.bump()
	reply := Reply{Kind: c.Kind, Token: c.Token, Unrecorded: true}
	switch c.Kind {
	case CmdCancel:
		o := e.m.find(c.Account, c.Order, &c.ClOrdID)
		switch {
		case o == nil:
			reply.Reason = risk.Reason{Code: risk.UnknownOrder}
		case !o.order.Status.Open():
			reply.Reason, reply.Order = risk.Reason{Code: risk.OrderClosed}, o.order
		default:
			e.passCancel(o)
			reply.Order = o.order
		}
	case CmdCancelAll:
		reply.Cancelled = e.passCancels(c)
	case CmdCountdown:
		reply.Unrecorded, reply.Reason = false, e.noRoom()
	case CmdState:
		scope := e.m.normalScope(c.Scope)
		if reply.Reason = e.m.knownScope(scope); reply.Reason.OK() {
			e.keepUnsaved(c, scope)
			if c.CancelOpen {
				reply.Cancelled = e.passCancelScope(scope)
			}
		}
	}
	e.countUnrecorded(c.Kind, reply.Reason)
	e.sinks.deliver(c.Reply, &reply)
	return true
}

// refusal is the answer to an order or amend that cannot be recorded.
func (e *Engine) refusal(c *Command) Reply {
	reply := Reply{Kind: c.Kind, Token: c.Token}
	reply.Reason = e.noRoom()
	if c.Kind == CmdNew {
		reply.Order = core.Order{
			Account: c.Account, Strategy: c.Strategy, Instrument: c.Instrument, Side: c.Side, Type: c.Type,
			TIF: c.TIF, ReduceOnly: c.ReduceOnly, Price: c.Price, Qty: c.Qty, ExpireTime: c.ExpireTime,
			Status: core.StatusRejected, Reason: uint16(reply.Reason.Code), ClOrdID: c.ClOrdID,
		}
	}
	return reply
}

// noRoom is why a command that needs a record is refused.
func (e *Engine) noRoom() risk.Reason {
	if reason, stopped := e.stopReason(); stopped {
		return reason
	}
	return risk.Reason{Code: risk.Capacity}
}

// keepUnsaved remembers a change of trading state to record it later: the
// cancels have been sent by then, and are asked for again, which harms nothing.
func (e *Engine) keepUnsaved(c *Command, scope risk.Scope) {
	kept := *c
	kept.Scope, kept.Reply = scope, 0
	for i := range e.unsaved {
		if e.unsaved[i].Scope == scope {
			e.unsaved[i] = kept
			return
		}
	}
	if len(e.unsaved) >= maxUnsaved {
		// More scopes than can be remembered: the whole firm stops.
		kept.Scope, kept.State = risk.Scope{Level: risk.LevelFirm}, risk.StateHalted
		e.unsaved = e.unsaved[:0]
	}
	e.unsaved = append(e.unsaved, kept)
}

func (e *Engine) passCancelScope(s risk.Scope) int {
	return e.passCancels(&Command{Kind: CmdCancelAll, Scope: s})
}

// passCancels does without a record what a CmdCancelAll asks for.
func (e *Engine) passCancels(c *Command) (n int) {
	all := record.CancelAll{Scope: scopeToRecord(e.m.normalScope(c.Scope)), Session: c.Session}
	e.m.eachCovered(&all, func(o *entry) { n += boolToInt(e.passCancel(o)) })
	return n
}

// passCancel asks the venue to cancel without touching the state, and returns
// false when the gateway has yet to take an earlier such cancel of the order. One
// that was taken is asked for again: while there is no record of what venues
// report, nobody knows whether it was refused. While the journal still commits, the
// cancel keeps its place behind the order it cancels.
func (e *Engine) passCancel(o *entry) bool {
	if o.cancelWaits {
		return false
	}
	o.cancelWaits = true
	c := commandFor(core.VenueCancel, &o.order, e.m.now)
	if e.failed != nil {
		e.route(&c)
		return true
	}
	s := e.m.out.venues.push()
	s.seq, s.command = e.m.seq, c
	return true
}

// fail ends recording for good. What is committed is released, now or, of events
// that a gating reader holds back, later; of the rest no order goes out, and its
// promises are taken back: nobody was told of it. What the journal may still
// commit afterwards comes too late.
func (e *Engine) fail(err error) {
	if e.failed != nil {
		return
	}
	e.release()
	e.failed = fmt.Errorf("%w: %w", ErrJournal, err)
	e.setHealth()
	out := &e.m.out
	for ; out.venues.len() > 0; out.venues.pop() {
		c := &out.venues.front().command
		if c.Op == core.VenueCancel {
			e.route(c)
		} else if o := e.m.orders.find(c.Order); o != nil && c.Op == core.VenueNew {
			o.withheld = true
		}
	}
	for ; out.replies.len() > 0; out.replies.pop() {
		s := out.replies.front()
		e.takeBack(&s.reply)
		e.sinks.deliver(s.to, &s.reply)
	}
	for answered := e.answered.Load(); out.events.len() > 0 && out.events.back().Seq > answered; {
		out.events.dropBack()
	}
}

// takeBack turns an answer that never became true into a refusal.
func (e *Engine) takeBack(r *Reply) {
	r.Seq = 0
	switch {
	case !r.Reason.OK():
	case r.Kind == CmdNew, r.Kind == CmdAmend, r.Kind == CmdCheck:
		r.Reason, _ = e.stopReason()
		if r.Kind == CmdNew {
			r.Order.ID, r.Order.Status, r.Order.Reason = 0, core.StatusRejected, uint16(r.Reason.Code)
		}
	default:
		r.Unrecorded = true
	}
}
