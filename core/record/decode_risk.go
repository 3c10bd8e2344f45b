package record

import (
	"slices"

	"qcat/core"
)

// risk reads what appendRisk appended and reports whether the record is of one of its
// types.
func (c *cursor) risk(r *Record, flags uint16) bool {
	switch r.Type {
	case TypeTransfer:
		r.Transfer = Transfer{Account: core.AccountID(c.u32()), Amount: c.i64(), Currency: c.name(), By: c.text(), Note: c.text(),
			Balance: c.i64(), Reason: c.reason(flags)}
	case TypeMargin:
		r.Margin = Margin{Kind: MarginKind(c.u8()), Leg: core.Leg(c.u8()), Account: core.AccountID(c.u32()),
			Instrument: core.InstrumentID(c.u32()), Value: c.i64(), By: c.text(), Before: c.i64(), Reason: c.reason(flags)}
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
		d := &r.Decision
		*d = Decision{Approve: flags&flagApprove != 0, Proposal: c.u32(), By: c.text(), Change: c.change(d.Change), Reason: c.reason(flags)}
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
		Scope: c.scope(), Fields: c.fields(p.Fields), Before: c.fields(p.Before), Reason: c.reason(flags)}
}

func (c *cursor) clock(k *Clock, flags uint16) {
	*k = Clock{TellsLapse: flags&flagTellsLapse != 0, Expired: c.u32(), Ended: k.Ended[:0]}
	for n := c.u16(); n > 0 && !c.bad; n-- {
		at := len(k.Ended)
		k.Ended = slices.Grow(k.Ended, 1)[:at+1]
		k.Ended[at] = c.change(k.Ended[at])
	}
	if !k.TellsLapse {
		return
	}
	if k.Lapsed.Proposal = c.u32(); k.Lapsed.Proposal != 0 {
		k.Lapsed.Scope, k.Lapsed.By = c.scope(), c.text()
	}
}

// change reads limits into the memory of to.
func (c *cursor) change(to Change) Change {
	return Change{Proposal: c.u32(), Scope: c.scope(), Before: c.fields(to.Before), After: c.fields(to.After)}
}
