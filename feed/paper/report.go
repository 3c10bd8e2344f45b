package paper

import "qcat/core"

// tell reports on an order, with its terms where it has new ones.
func (m *Matcher) tell(o *order, t core.ExecType, why core.VenueReason) {
	m.out = core.ExecReport{
		Type: t, VenueCode: uint16(why), Instrument: o.instrument, Order: o.id, Time: m.now,
	}
	if t == core.ExecReplaced {
		m.out.Price, m.out.Qty = o.price, o.qty
	}
	m.send()
}

// tellTrade books a fill on the order and reports it.
func (m *Matcher) tellTrade(in *core.Instrument, o *order, l core.Liquidity, f fill) {
	o.cum += f.qty
	m.out = core.ExecReport{
		Type: core.ExecTrade, Liquidity: l, Instrument: o.instrument, Order: o.id,
		LastPx: f.price, LastQty: f.qty, Fee: f.fee, FeeIn: m.settings.Fees.currency(in, o.side), Time: m.now,
	}
	m.send()
}

// refuse reports that a command was not carried out.
func (m *Matcher) refuse(c *core.VenueCommand, t core.ExecType, why core.VenueReason) {
	m.out = core.ExecReport{
		Type: t, VenueCode: uint16(why), Instrument: c.Instrument, Order: c.Order, Time: m.now,
	}
	m.send()
}

func (m *Matcher) send() {
	m.execs++
	m.out.VenueExecID = m.execs
	m.report(&m.out)
}
