package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
	"qcat/risk/margin"
)

// maxFundingRate bounds one payment, in 10^-9 of the notional: all of it. A larger rate
// is a slip of the pen.
const maxFundingRate = 1_000_000_000

// Funding: every position in a derivative pays, or is paid, for the time it was held.
// It is booked by strategy and leg, from the position that each has at the record.

// admitFunding is why a funding payment cannot be booked: there is no such instrument,
// it is spot, the price makes no sense, or a payment does not fit.
func (m *machine) admitFunding(f *record.Funding) risk.Reason {
	s := risk.InstrumentScope(0, 0, f.Instrument)
	in := m.instrument(f.Instrument)
	switch {
	case in == nil:
		return risk.Reason{Code: risk.UnknownInstrument, Scope: s}
	case in.Kind == core.Spot:
		return risk.Reason{Code: risk.InvalidSetting, Scope: s}
	case f.Rate > maxFundingRate || f.Rate < -maxFundingRate:
		return risk.Reason{Code: risk.InvalidSetting, Unit: risk.UnitPPM, Scope: s, Limit: maxFundingRate / 1000, Value: f.Rate / 1000}
	case f.Price <= 0:
		return risk.Reason{Code: risk.InvalidSetting, Unit: risk.UnitPrice, Scope: s, Value: int64(f.Price)}
	}
	fits := true
	m.eachFunded(f, func(p *PositionState, paid core.Notional, ok bool) {
		after := p.Position
		fits = fits && ok && after.Fund(paid)
	})
	if !fits {
		return risk.Reason{Code: risk.Overflow, Scope: s}
	}
	return risk.Reason{}
}

// decideFunding counts the positions that pay or are paid.
func (m *machine) decideFunding(f *record.Funding) {
	f.Paid = 0
	m.eachFunded(f, func(*PositionState, core.Notional, bool) { f.Paid++ })
}

// applyFunding books the payments, in the order of the positions' first fills.
func (m *machine) applyFunding(f *record.Funding) {
	m.out.event(EventAccount).Account = AccountEvent{Change: record.TypeFunding, Instrument: f.Instrument,
		Amount: f.Rate, Price: f.Price, Paid: f.Paid}
	m.eachFunded(f, func(p *PositionState, paid core.Notional, ok bool) {
		after := p.Position
		if !ok || !after.Fund(paid) || !m.tree.Fund(p.Strategy, p.Instrument, p.Leg, paid) {
			m.haltFirm("a funding payment overflows a sum")
			return
		}
		p.Position = after
		m.out.event(EventPosition).Position = *p
	})
}

// eachFunded calls book for every position of the instrument that is not flat, with
// what it pays (negative: is paid), and false when that does not fit.
func (m *machine) eachFunded(f *record.Funding, book func(p *PositionState, paid core.Notional, ok bool)) {
	in := m.instrument(f.Instrument)
	if in == nil {
		return
	}
	for i := range m.positions.all {
		p := &m.positions.all[i]
		if p.Instrument != f.Instrument || p.Position.Qty == 0 {
			continue
		}
		paid, ok := margin.Funding(in, p.Position.Qty, f.Price, f.Rate)
		book(p, paid, ok)
	}
}
