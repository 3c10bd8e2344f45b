package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// decideReport settles what a venue's report means for the order it names.
//
//	report            open order                        closed order
//	new               acknowledged                      late
//	trade             booked; filled when complete      late, and booked
//	cancelled         cancelled, or expired if due      late
//	expired           expired                           late
//	rejected          rejected                          late
//	replaced          new terms; filled if complete     late
//	cancel rejected   cancel no longer pending          late
//	replace rejected  amend no longer pending           late
//
// A cancel or amend that the venue rejects because it does not have the order
// leaves the order unknown, and the cancel pending: see learn.
//
// An order closed before keeps its status through a late report. A repeated
// VenueExecID changes nothing. Of an order that is not kept any more nothing can be
// said, and its fill cannot be booked: the position is then not what the venue
// says, and the firm is halted. Other reports of it are ignored.
func (m *machine) decideReport(p *record.Report) {
	r := &p.Report
	p.Status, p.ExecID = 0, 0
	e := m.orders.find(r.Order)
	if e == nil {
		p.Disposition = record.Stray
		return
	}
	m.target = e
	p.Status = e.order.Status
	if r.VenueExecID != 0 && r.VenueExecID <= e.venueExec {
		p.Disposition = record.Repeated
		return
	}
	p.Disposition = record.Late
	open := e.order.Status.Open()
	if open {
		p.Disposition = record.Applied
	}
	switch r.Type {
	case core.ExecTrade:
		m.decideTrade(e, p)
	case core.ExecNew, core.ExecCancelRejected:
	case core.ExecReplaceRejected:
		if !e.order.PendingRepl {
			p.Disposition = record.Late
		}
	case core.ExecReplaced:
		m.decideReplaced(e, p)
	case core.ExecCancelled:
		p.Status = closedAs(e, core.StatusCancelled)
	case core.ExecExpired:
		p.Status = closedAs(e, core.StatusExpired)
	case core.ExecRejected:
		p.Status = closedAs(e, core.StatusRejected)
	default:
		p.Disposition = record.Invalid
	}
}

// closedAs is the status of e after the venue ended it as status.
func closedAs(e *entry, status core.OrdStatus) core.OrdStatus {
	switch {
	case !e.order.Status.Open():
		return e.order.Status
	case status == core.StatusCancelled && e.expiring:
		return core.StatusExpired
	}
	return status
}

func (m *machine) decideTrade(e *entry, p *record.Report) {
	r, o := &p.Report, &e.order
	in := m.instrument(o.Instrument)
	pos := core.Position{}
	if have := m.positions.find(o.Strategy, o.Instrument, o.Leg); have != nil {
		pos = have.Position
	}
	cum := o.CumQty + r.LastQty
	_, costFits := o.CumCost.Add(core.MulInt64(int64(r.LastPx), int64(r.LastQty)))
	if r.Instrument != o.Instrument || cum <= o.CumQty || !costFits ||
		!pos.Apply(in, r.Fill(o.Side)) {
		p.Disposition = record.Invalid
		return
	}
	p.ExecID = m.lastExec + 1
	switch {
	case !o.Status.Open():
	case cum >= o.Qty:
		p.Status = core.StatusFilled
	default:
		p.Status = core.StatusPartiallyFilled
	}
}

func (m *machine) decideReplaced(e *entry, p *record.Report) {
	if !e.order.PendingRepl {
		p.Disposition = record.Late
		return
	}
	if _, qty := replacedTerms(&e.order, &p.Report); e.order.CumQty >= qty {
		p.Status = core.StatusFilled
	}
}

// replacedTerms are the terms a venue confirmed: its own where it names them.
func replacedTerms(o *core.Order, r *core.ExecReport) (core.Price, core.Qty) {
	px, qty := o.NewPrice, o.NewQty
	if r.Price > 0 {
		px = r.Price
	}
	if r.Qty > 0 {
		qty = r.Qty
	}
	return px, qty
}

func (m *machine) applyReport(p *record.Report) {
	e, r := m.target, &p.Report
	switch p.Disposition {
	case record.Stray:
		if r.Type == core.ExecTrade {
			m.haltFirm("a fill of an order that is not kept")
		}
		return
	case record.Repeated:
		return
	case record.Invalid:
		m.haltFirm("a venue's report cannot be booked")
		return
	case record.Late:
		e.venueExec = max(e.venueExec, r.VenueExecID)
		if r.Type == core.ExecTrade {
			m.book(e, p)
		}
		return
	default:
	}
	e.venueExec = max(e.venueExec, r.VenueExecID)
	e.order.UpdateTime = m.now
	switch r.Type {
	case core.ExecTrade:
		m.learn(e, r)
		m.book(e, p)
		return
	case core.ExecReplaced:
		e.order.Price, e.order.Qty = replacedTerms(&e.order, r)
		m.endAmend(e)
		m.tree.ConfirmAmend(&e.hold, e.order.Price, e.order.Qty)
	case core.ExecReplaceRejected:
		m.endAmend(e)
		m.tree.RejectAmend(&e.hold)
	case core.ExecCancelRejected:
		m.endCancel(e, r)
	case core.ExecRejected:
		e.order.Reason = r.VenueCode
	default:
	}
	m.learn(e, r)
	m.settle(e, p.Status)
	m.out.event(EventOrder).Order = e.order
	m.closingEnded(e)
	if !p.Status.Open() {
		m.orders.close(e)
	}
}

// book records a fill: the execution, the order, the position and the limits.
func (m *machine) book(e *entry, p *record.Report) {
	r, o := &p.Report, &e.order
	wasOpen := o.Status.Open()
	m.lastExec = p.ExecID
	o.CumQty += r.LastQty
	o.CumCost, _ = o.CumCost.Add(core.MulInt64(int64(r.LastPx), int64(r.LastQty)))
	o.UpdateTime = m.now
	pos := m.positions.get(o.Account, o.Strategy, o.Instrument, o.Leg)
	before, fill := pos.Position, r.Fill(o.Side)
	pos.Position.Apply(m.instrument(o.Instrument), fill)
	m.positions.moved(pos, before.Qty)
	booking := risk.BookingOf(&before, &pos.Position, fill)
	if !m.tree.Fill(&e.hold, &booking, m.now) {
		m.haltFirm("a fill overflows the limits' sums")
	}
	m.settle(e, p.Status)
	ev := m.out.event(EventExecution)
	ev.Order, ev.Position = *o, *pos
	ev.Execution = core.Execution{
		ID: p.ExecID, Order: o.ID, Account: o.Account, Strategy: o.Strategy, Instrument: o.Instrument,
		Side: o.Side, Liquidity: r.Liquidity, LastPx: r.LastPx, LastQty: r.LastQty, Leg: o.Leg, Fee: r.Fee, FeeIn: r.FeeIn,
		VenueTime: r.Time, Time: m.now, ClOrdID: o.ClOrdID,
	}
	if e.closing {
		m.closingTraded(o)
	}
	if wasOpen && !o.Status.Open() {
		m.orders.close(e)
	}
}

// endCancel takes back a cancel that the venue rejected: an expiry is tried again.
// One of an order that the venue denies has not been answered.
func (m *machine) endCancel(e *entry, r *core.ExecReport) {
	if denied(r) {
		return
	}
	e.order.PendingCxl = false
	if e.expiring && e.heapAt == 0 {
		m.expiry.push(&m.orders, e, m.now+expiryRetry)
	}
}

func (m *machine) endAmend(e *entry) {
	e.order.PendingRepl = false
	e.order.NewPrice, e.order.NewQty = 0, 0
	m.own.place(&m.orders, e)
}
