package store

import (
	"fmt"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
)

// cancelRetry is how long after a rejected cancel an expired order is asked to be
// cancelled again. It is the sequencer's.
const cancelRetry = core.Nanos(1_000_000_000)

// changed notes that an order's row is other than it was.
func (p *JournalProjection) changed(o *orderRow) {
	o.Seq = p.rec.Seq
	if !o.changed {
		o.changed = true
		p.changedOrders = append(p.changedOrders, o)
	}
}

// open returns the open order of that id.
func (p *JournalProjection) open(id core.OrderID) (*orderRow, error) {
	o := p.orders[id]
	if o == nil || !o.Status.Open() {
		return nil, fmt.Errorf("%w: order %d is not open", ErrRecord, id)
	}
	return o, nil
}

// setDue says when an order is asked to be cancelled next; 0 is never.
func (p *JournalProjection) setDue(o *orderRow, due core.Nanos) {
	p.due.remove(o)
	if o.Due = due; due != 0 {
		p.due.push(o)
	}
}

func (p *JournalProjection) foldNew(n *record.New) error {
	switch {
	case n.Duplicate:
		return nil
	case n.Reason.Code != 0:
		e := p.riskEvent(history.RiskOrderRefused)
		p.refusal(e, &n.Reason)
		p.subject(e, n.Account, n.Strategy, n.Instrument)
		e.Side, e.ClOrdID = n.Side, n.ClOrdID
		p.terms(e, n.Price, n.Qty)
		return nil
	case n.Order == 0 || p.orders[n.Order] != nil:
		return fmt.Errorf("%w: order %d is there already", ErrRecord, n.Order)
	}
	o := &orderRow{Order: history.Order{Order: core.Order{
		ID: n.Order, Account: n.Account, Strategy: n.Strategy, Instrument: n.Instrument,
		Side: n.Side, Type: n.Type, TIF: n.TIF, Status: core.StatusNew, ReduceOnly: n.ReduceOnly,
		Leg: n.Leg, CancelOnDrop: n.CancelOnDrop, Session: n.Session,
		Price: n.Price, Qty: n.Qty - n.Less, ExpireTime: n.ExpireTime, CreateTime: p.rec.Time, UpdateTime: p.rec.Time, ClOrdID: n.ClOrdID,
	}}}
	p.orders[o.ID] = o
	if o.TIF == core.GTD {
		p.setDue(o, o.ExpireTime)
	}
	p.changed(o)
	return nil
}

func (p *JournalProjection) foldCancel(c *record.Cancel) error {
	if c.Reason.Code != 0 {
		e := p.riskEvent(history.RiskCancelRefused)
		p.refusal(e, &c.Reason)
		p.subject(e, c.Account, 0, 0)
		e.Order, e.ClOrdID = orderID(max(c.Order, c.Found)), c.ClOrdID
		return nil
	}
	if !c.Sent {
		return nil
	}
	o, err := p.open(c.Found)
	if err != nil {
		return err
	}
	p.askCancel(o)
	return nil
}

// askCancel notes that the venue is asked to cancel an open order.
func (p *JournalProjection) askCancel(o *orderRow) {
	o.PendingCxl = true
	o.UpdateTime = p.rec.Time
	p.changed(o)
}

func (p *JournalProjection) foldCancelAll(c *record.CancelAll) error {
	switch {
	case c.Cause == record.CauseCountdown:
		p.audit("countdown", c.Scope, "%s: it was not renewed, %d cancels sent", p.scopeText(&c.Scope), c.Cancelled)
		e := p.riskEvent(history.RiskCountdownEnded)
		p.about(e, &c.Scope)
		e.Cancelled = c.Cancelled
	case c.Session == 0:
		p.audit("cancel_all", c.Scope, "%d cancels sent", c.Cancelled)
	case c.Cancelled == 0: // sessions come and go
	case c.Session == core.EverySession:
		p.audit("cancel_session", c.Scope, "every session ended with its process, %d cancels sent", c.Cancelled)
	default:
		p.audit("cancel_session", c.Scope, "session %d ended, %d cancels sent", c.Session, c.Cancelled)
	}
	return p.cancelWhere(c.Cancelled, func(o *core.Order) bool {
		return inScope(&c.Scope, o) && (c.Session == 0 ||
			o.CancelOnDrop && (c.Session == core.EverySession || c.Session == o.Session))
	})
}

// cancelScope asks for every open order of a scope, which must be want many.
func (p *JournalProjection) cancelScope(s *record.Scope, want uint32) error {
	return p.cancelWhere(want, func(o *core.Order) bool { return inScope(s, o) })
}

// cancelWhere asks for every open order that is meant, which must be want many.
func (p *JournalProjection) cancelWhere(want uint32, meant func(o *core.Order) bool) error {
	n := uint32(0)
	for _, o := range p.orders {
		if o.Status.Open() && !o.PendingCxl && meant(&o.Order.Order) {
			p.askCancel(o)
			n++
		}
	}
	if n != want {
		return fmt.Errorf("%w: %d orders to cancel, %d by the record", ErrRecord, n, want)
	}
	return nil
}

// inScope reports whether an order falls under a node of the limit tree.
func inScope(s *record.Scope, o *core.Order) bool {
	return s.Level >= levelFirm && s.Level <= levelInstrument &&
		(s.Account == 0 || s.Account == o.Account) &&
		(s.Strategy == 0 || s.Strategy == o.Strategy) &&
		(s.Instrument == 0 || s.Instrument == o.Instrument)
}

func (p *JournalProjection) foldAmend(a *record.Amend) error {
	if a.Reason.Code != 0 {
		p.amendRefused(a)
		return nil
	}
	o, err := p.open(a.Found)
	if err != nil {
		return err
	}
	o.PendingRepl = true
	o.NewPrice, o.NewQty = o.Price, o.Qty
	if a.Price != 0 {
		o.NewPrice = a.Price
	}
	if a.Qty != 0 {
		o.NewQty = a.Qty
	}
	o.Amends++
	o.UpdateTime = p.rec.Time
	p.changed(o)
	return nil
}

func (p *JournalProjection) amendRefused(a *record.Amend) {
	e := p.riskEvent(history.RiskAmendRefused)
	p.refusal(e, &a.Reason)
	e.Order, e.ClOrdID = orderID(max(a.Order, a.Found)), a.ClOrdID
	o := p.orders[a.Found]
	if o == nil || !o.Status.Open() {
		p.subject(e, a.Account, 0, 0)
		return
	}
	p.subject(e, o.Account, o.Strategy, o.Instrument)
	e.Side, e.ClOrdID = o.Side, o.ClOrdID
	price, qty := a.Price, a.Qty
	if price == 0 {
		price = o.Price
	}
	if qty == 0 {
		qty = o.Qty
	}
	p.terms(e, price, qty)
}

// foldClock asks for what is due, and tells of overrides that ended. An order whose
// cancel had been asked for becomes an expiry without any other change.
func (p *JournalProjection) foldClock(c *record.Clock) error {
	n := uint32(0)
	for o := p.due.first(); o != nil && o.Due <= p.rec.Time; o = p.due.first() {
		p.setDue(o, 0)
		if o.PendingCxl {
			p.changed(o)
		} else {
			p.askCancel(o)
		}
		n++
	}
	if n != c.Expired {
		return fmt.Errorf("%w: %d orders are due, %d by the record", ErrRecord, n, c.Expired)
	}
	p.foldEnded(c.Ended)
	p.foldLapse(&c.Lapsed)
	return nil
}

// foldRestart marks the open orders of which a cancel, an amend or the order itself
// was on its way when a process ended.
func (p *JournalProjection) foldRestart(r *record.Restart) error {
	n := uint32(0)
	for _, o := range p.orders {
		if o.Status.Open() && unsettled(o) {
			o.Unknown = true
			o.UpdateTime = p.rec.Time
			p.changed(o)
			n++
		}
	}
	if n != r.Unknown {
		return fmt.Errorf("%w: %d orders unknown, %d by the record", ErrRecord, n, r.Unknown)
	}
	e := p.riskEvent(history.RiskRestarted)
	e.Scope.Level, e.Value = levelFirm, int64(n)
	p.audit("restart", record.Scope{Level: levelFirm}, "%d orders unknown", n)
	return nil
}
