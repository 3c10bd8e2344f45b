package record

// appendRisk appends the body of the records about accounts, limits and what is done
// when they are crossed.
func (r *Record) appendRisk(dst []byte) []byte {
	switch r.Type {
	case TypeTransfer:
		t := &r.Transfer
		dst = appendInts(le.AppendUint32(dst, uint32(t.Account)), t.Amount)
		dst = appendText(appendText(appendName(dst, t.Currency), &t.By), &t.Note)
		return appendReason(appendInts(dst, t.Balance), &t.Reason)
	case TypeMargin:
		m := &r.Margin
		dst = append(dst, byte(m.Kind), byte(m.Leg))
		dst = le.AppendUint32(le.AppendUint32(dst, uint32(m.Account)), uint32(m.Instrument))
		dst = appendText(appendInts(dst, m.Value), &m.By)
		return appendReason(appendInts(dst, m.Before), &m.Reason)
	case TypeTiers:
		dst = le.AppendUint32(dst, uint32(r.Tiers.Instrument))
		dst = le.AppendUint16(dst, uint16(len(r.Tiers.Tiers)))
		for _, t := range r.Tiers.Tiers {
			dst = appendInts(dst, t.Floor, t.Rate, t.Leverage)
		}
		return dst
	case TypeFunding:
		f := &r.Funding
		dst = le.AppendUint32(dst, uint32(f.Instrument))
		return le.AppendUint32(appendInts(dst, f.Rate, int64(f.Price)), f.Paid)
	case TypeBreach:
		b := &r.Breach
		dst = le.AppendUint16(appendScope(dst, &b.Scope), b.Code)
		dst = le.AppendUint32(append(dst, b.Unit, b.Action), uint32(b.Instrument))
		dst = appendInts(dst, b.Limit, b.Value, int64(b.Price), int64(b.Cause), int64(b.Seen))
		return le.AppendUint32(dst, b.Cancelled)
	case TypeCountdown:
		c := &r.Countdown
		return appendReason(appendInts(appendScope(dst, &c.Scope), int64(c.Timeout)), &c.Reason)
	case TypeProposal:
		p := &r.Proposal
		dst = le.AppendUint32(appendInts(dst, int64(p.Until)), p.ID)
		dst = appendText(appendText(dst, &p.By), &p.Note)
		dst = appendFields(appendScope(dst, &p.Scope), p.Fields)
		return appendReason(appendFields(dst, p.Before), &p.Reason)
	case TypeDecision:
		d := &r.Decision
		dst = appendText(le.AppendUint32(dst, d.Proposal), &d.By)
		return appendReason(appendChange(dst, &d.Change), &d.Reason)
	case TypeRateFrom:
		return appendName(le.AppendUint32(dst, uint32(r.RateFrom.Instrument)), r.RateFrom.Currency)
	default:
		panic("record: unknown type")
	}
}

func appendClock(dst []byte, c *Clock) []byte {
	dst = le.AppendUint32(dst, c.Expired)
	dst = le.AppendUint16(dst, uint16(len(c.Ended)))
	for i := range c.Ended {
		dst = appendChange(dst, &c.Ended[i])
	}
	if !c.TellsLapse {
		return dst
	}
	dst = le.AppendUint32(dst, c.Lapsed.Proposal)
	if c.Lapsed.Proposal == 0 {
		return dst
	}
	return appendText(appendScope(dst, &c.Lapsed.Scope), &c.Lapsed.By)
}

func appendChange(dst []byte, c *Change) []byte {
	dst = appendScope(le.AppendUint32(dst, c.Proposal), &c.Scope)
	return appendFields(appendFields(dst, c.Before), c.After)
}

func appendInts(dst []byte, vs ...int64) []byte {
	for _, v := range vs {
		dst = le.AppendUint64(dst, uint64(v))
	}
	return dst
}

func appendText(dst []byte, t *Text) []byte {
	return append(append(dst, t.Len), t.B[:t.Len]...)
}
