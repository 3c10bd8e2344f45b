package record

import "qcat/core"

// risk reads what appendRisk appended and reports whether the record is of one of its
// types.
func (c *cursor) risk(r *Record, flags uint16) bool {
	switch r.Type {
	case TypeTransfer:
		r.Transfer = Transfer{Account: core.AccountID(c.u32()), Amount: c.i64(), Currency: c.name(), By: c.text(), Note: c.text(),
			Reason: c.reason(flags)}
	case TypeMargin:
		r.Margin = Margin{Kind: MarginKind(c.u8()), Leg: core.Leg(c.u8()), Account: core.AccountID(c.u32()),
			Instrument: core.InstrumentID(c.u32()), Value: c.i64(), By: c.text(), Reason: c.reason(flags)}
	case TypeTiers:
		c.tiers(&r.Tiers)
	case TypeFunding:
		r.Funding = Funding{Instrument: core.InstrumentID(c.u32()), Rate: c.i64(), Price: core.Price(c.i64()), Paid: c.u32()}
	case TypeBreach:
		r.Breach = Breach{Scope: c.scope(), Code: c.u16(), Unit: c.u8(), Action: c.u8(), Instrument: core.InstrumentID(c.u32()),
			Limit: c.i64(), Value: c.i64(), Price: core.Price(c.i64()), Cause: c.u64(), Seen: core.Nanos(c.i64()), Cancelled: c.u32()}
	case TypeCountdown:
		r.Countdown = Countdown{Scope: c.scope(), Timeout: core.Nanos(c.i64()), Reason: c.reason(flags)}
	case TypeProposal:
		c.proposal(&r.Proposal, flags)
	case TypeDecision:
		r.Decision = Decision{Approve: flags&flagApprove != 0, Proposal: c.u32(), By: c.text(), Reason: c.reason(flags)}
	case TypeRateFrom:
		r.RateFrom = RateFrom{Instrument: core.InstrumentID(c.u32()), Currency: c.name()}
	default:
		return false
	}
	return true
}

func (c *cursor) text() (t Text) {
	b := c.take(int(c.u8()))
	if len(b) > MaxNoteLen {
		c.bad = true
		return t
	}
	t.Len = uint8(copy(t.B[:], b))
	return t
}

func (c *cursor) tiers(t *Tiers) {
	*t = Tiers{Instrument: core.InstrumentID(c.u32()), Tiers: t.Tiers[:0]}
	for n := c.u16(); n > 0 && !c.bad; n-- {
		t.Tiers = append(t.Tiers, Tier{Floor: c.i64(), Rate: c.i64(), Leverage: c.i64()})
	}
}

func (c *cursor) proposal(p *Proposal, flags uint16) {
	*p = Proposal{Applied: flags&flagApplied != 0, Until: core.Nanos(c.i64()), ID: c.u32(), By: c.text(), Note: c.text(),
		Fields: p.Fields[:0]}
	l := Limits{Fields: p.Fields}
	c.limits(&l)
	p.Scope, p.Fields = l.Scope, l.Fields
	p.Reason = c.reason(flags)
}
