package store

import (
	"errors"
	"fmt"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
)

// The notes of halts that the sequencer gives by itself.
const (
	noteStrayFill = "a fill of an order that is not kept"
	noteInvalid   = "a venue's report cannot be booked"
)

// lateOrder returns the order that a fill came too late for: of the batch in hand,
// or looked up. It changes nothing.
func (p *JournalProjection) lateOrder(r *record.Record) (*orderRow, error) {
	if r.Type != record.TypeReport || r.Report.Disposition != record.Late || r.Report.Report.Type != core.ExecTrade {
		return nil, nil
	}
	id := r.Report.Report.Order
	if o := p.orders[id]; o != nil {
		return o, nil
	}
	row, ok, err := p.find(id)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: order %d of record %d: %w", ErrLookup, id, r.Seq, err)
	case !ok:
		return nil, fmt.Errorf("%w: record %d is a fill of order %d, which is not stored", ErrRecord, r.Seq, id)
	}
	return &orderRow{Order: row}, nil
}

// foldReport does what the record says became of a venue's report; late is the
// order of a late fill.
func (p *JournalProjection) foldReport(c *record.Report, late *orderRow) error {
	switch c.Disposition {
	case record.Repeated:
		return nil
	case record.Stray:
		e := p.reportEvent(history.RiskReportStray, c)
		if c.Report.Type == core.ExecTrade {
			e.State, e.Note = stateHalted, noteStrayFill
		}
		return nil
	case record.Invalid:
		e := p.reportEvent(history.RiskReportInvalid, c)
		e.State, e.Note = stateHalted, noteInvalid
		return nil
	case record.Late:
		if late == nil {
			return nil
		}
		p.orders[late.ID] = late
		return p.book(late, c)
	case record.Applied:
		o, err := p.open(c.Report.Order)
		if err != nil {
			return err
		}
		return p.applied(o, c)
	}
	return fmt.Errorf("%w: disposition %d", ErrRecord, c.Disposition)
}

func (p *JournalProjection) applied(o *orderRow, c *record.Report) error {
	r := &c.Report
	o.UpdateTime = p.rec.Time
	switch r.Type {
	case core.ExecTrade:
		learn(o, r)
		return p.book(o, c)
	case core.ExecReplaced:
		o.Price, o.Qty = o.NewPrice, o.NewQty
		if r.Price > 0 {
			o.Price = r.Price
		}
		if r.Qty > 0 {
			o.Qty = r.Qty
		}
		endAmend(o)
	case core.ExecReplaceRejected:
		endAmend(o)
	case core.ExecCancelRejected:
		p.endCancel(o, r)
	case core.ExecRejected:
		o.Reason = r.VenueCode
	default: // the status says it all
	}
	learn(o, r)
	p.settle(o, c.Status)
	return nil
}

// endCancel takes back a cancel that the venue rejected: an expiry is tried again.
func (p *JournalProjection) endCancel(o *orderRow, r *core.ExecReport) {
	if denied(r) {
		return
	}
	o.PendingCxl = false
	if o.TIF == core.GTD && o.Due == 0 {
		p.setDue(o, p.rec.Time+cancelRetry)
	}
}

// unsettled reports whether the answer to something that was sent for an open order
// is still to come.
func unsettled(o *orderRow) bool { return !o.VenueAcked || o.PendingCxl || o.PendingRepl }

// denied reports whether a venue says that it does not have the order that it was
// to cancel or amend: what became of the order is then not known.
func denied(r *core.ExecReport) bool {
	return (r.Type == core.ExecCancelRejected || r.Type == core.ExecReplaceRejected) &&
		core.VenueReason(r.VenueCode) == core.VenueReasonUnknownOrder
}

// learn takes what an applied report tells of the order as such.
func learn(o *orderRow, r *core.ExecReport) {
	if denied(r) {
		o.Unknown = true
		return
	}
	o.VenueAcked = o.VenueAcked || r.Type != core.ExecRejected
	o.Unknown = o.Unknown && unsettled(o)
}

func endAmend(o *orderRow) {
	o.PendingRepl = false
	o.NewPrice, o.NewQty = 0, 0
}

// settle gives an order its status after a record and ends what was on its way when
// that closes it.
func (p *JournalProjection) settle(o *orderRow, status core.OrdStatus) {
	o.Status = status
	if !status.Open() {
		o.PendingCxl, o.Unknown = false, false
		endAmend(o)
		p.setDue(o, 0)
	}
	p.changed(o)
}

var errSum = errors.New("a sum does not fit")

// book makes the rows of a fill: the execution, the order and the position.
func (p *JournalProjection) book(o *orderRow, c *record.Report) error {
	r := &c.Report
	in := p.instruments[o.Instrument]
	if in == nil {
		return fmt.Errorf("%w: order %d is of instrument %d, which is not defined", ErrRecord, o.ID, o.Instrument)
	}
	cost, fits := o.CumCost.Add(core.MulInt64(int64(r.LastPx), int64(r.LastQty)))
	held := p.held.get(o.Account, o.Strategy, o.Instrument, o.Leg)
	if !fits || !held.Position.Position.Apply(in, r.Fill(o.Side)) {
		return fmt.Errorf("%w: a fill of order %d: %w", ErrRecord, o.ID, errSum)
	}
	o.CumQty += r.LastQty
	o.CumCost = cost
	o.UpdateTime = p.rec.Time
	p.settle(o, c.Status)
	p.heldChanged(held)
	p.batch.Executions = append(p.batch.Executions, history.Execution{Seq: p.rec.Seq, Execution: core.Execution{
		ID: c.ExecID, Order: o.ID, Account: o.Account, Strategy: o.Strategy, Instrument: o.Instrument,
		Side: o.Side, Liquidity: r.Liquidity, LastPx: r.LastPx, LastQty: r.LastQty, Leg: o.Leg, Fee: r.Fee, FeeIn: r.FeeIn,
		VenueTime: r.Time, Time: p.rec.Time, ClOrdID: o.ClOrdID,
	}})
	return nil
}

// heldChanged notes that a position's row is other than it was.
func (p *JournalProjection) heldChanged(h *heldRow) {
	h.Seq, h.Time = p.rec.Seq, p.rec.Time
	if !h.changed {
		h.changed = true
		p.changedHeld = append(p.changedHeld, h)
	}
}
