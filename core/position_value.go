package core

// AvgEntry returns the average entry price in units of 10^-decimals, rounded as
// named. It returns false when the position is flat or the price does not fit.
func (p *Position) AvgEntry(in *Instrument, decimals uint8, r Rounding) (int64, bool) {
	if p.Qty == 0 || decimals > MaxScale {
		return 0, false
	}
	if in.Kind == Inverse {
		// |Qty|·10^-QtyScale·size / (EntryNum·10^-24), times 10^decimals.
		n := wideProduct(magnitude(int64(p.Qty)), uint64(in.ContractSize))
		n, ok := n.mulPow10(inverseScale + int(decimals) - int(in.QtyScale))
		if !ok || p.EntryNum.Sign() <= 0 {
			return 0, false
		}
		return n.divWide(wideFrom(p.EntryNum), r)
	}
	return scaledQuotient(wideFrom(p.EntryNum), wideFrom64(p.EntryDen), int(decimals)-int(in.PriceScale), r)
}

// Unrealised returns what closing the position at mark would bring over its
// entry, in the settlement currency, its magnitude rounded as named. A flat
// position has 0. It returns false when mark is not positive or on overflow.
func (p *Position) Unrealised(in *Instrument, mark Price, r Rounding) (Notional, bool) {
	if p.Qty == 0 {
		return 0, true
	}
	if mark <= 0 {
		return 0, false
	}
	if in.Kind == Inverse {
		at, ok := fillValue(in, mark, Qty(magnitude(int64(p.Qty))))
		if !ok {
			return 0, false
		}
		gain, ok := p.EntryNum.Sub(at)
		if p.Qty < 0 {
			gain = gain.Neg()
		}
		if !ok {
			return 0, false
		}
		return settle(gain, inverseScale, in, r)
	}
	// Qty·(mark·den − num)/den
	marked, ok := wideProduct(uint64(mark), p.EntryDen).int128()
	if !ok {
		return 0, false
	}
	diff, ok := marked.Sub(p.EntryNum)
	if !ok {
		return 0, false
	}
	negative := (diff.Sign() < 0) != (p.Qty < 0)
	n, ok := wideFrom(diff.abs()).mul(magnitude(int64(p.Qty)))
	if !ok {
		return 0, false
	}
	return settleQuotient(n, p.EntryDen, negative, in, r)
}

// Realised returns what reducing fills have closed, before fees and funding, its
// magnitude rounded as named: the total less the unrealised part, which no mark
// changes. Fees and funding are amounts of their own: what a position brought is
// Realised − Fees − Funding.
// It returns false on overflow.
func (p *Position) Realised(in *Instrument, r Rounding) (Notional, bool) {
	if p.Qty == 0 {
		return settle(p.Cash, p.cashScale(in), in, r)
	}
	if in.Kind == Inverse {
		open := p.EntryNum
		if p.Qty > 0 {
			open = open.Neg()
		}
		v, ok := p.Cash.Add(open)
		if !ok {
			return 0, false
		}
		return settle(v, inverseScale, in, r)
	}
	// cash + Qty·num/den = (cash·den + Qty·num)/den
	a, ok1 := wideFrom(p.Cash.abs()).mul(p.EntryDen)
	b, ok2 := wideFrom(p.EntryNum).mul(magnitude(int64(p.Qty)))
	if !ok1 || !ok2 {
		return 0, false
	}
	sum, negative, ok := addSigned(a, p.Cash.Sign() < 0, b, p.Qty < 0)
	if !ok {
		return 0, false
	}
	return settleQuotient(sum, p.EntryDen, negative, in, r)
}

// Total returns realised plus unrealised at mark, before fees and funding, from the
// exact cash alone, its magnitude rounded as named: the profit at mark is Total −
// Fees − Funding. A fee taken in the base currency shows here as the value of what it
// took. A flat position needs no mark.
func (p *Position) Total(in *Instrument, mark Price, r Rounding) (Notional, bool) {
	if p.Qty == 0 {
		return settle(p.Cash, p.cashScale(in), in, r)
	}
	if mark <= 0 {
		return 0, false
	}
	value, ok := fillValue(in, mark, Qty(magnitude(int64(p.Qty))))
	if !ok {
		return 0, false
	}
	if (p.Qty < 0) != (in.Kind == Inverse) {
		value = value.Neg()
	}
	v, ok := p.Cash.Add(value)
	if !ok {
		return 0, false
	}
	return settle(v, p.cashScale(in), in, r)
}

// cashScale is the number of decimals of Cash.
func (p *Position) cashScale(in *Instrument) int {
	if in.Kind == Inverse {
		return inverseScale
	}
	return int(in.PriceScale) + int(in.QtyScale)
}

// towards is how a magnitude is rounded where the number, of a known sign, is rounded
// as named.
func (r Rounding) towards(negative bool) Rounding {
	switch {
	case r != RoundFloor:
		return r
	case negative:
		return RoundUp
	}
	return RoundDown
}

// settle brings v, a count of 10^-scale, to the instrument's SettleScale.
func settle(v Int128, scale int, in *Instrument, r Rounding) (Notional, bool) {
	n, ok := scaledQuotient(wideFrom(v.abs()), wideFrom64(1), int(in.SettleScale)-scale, r.towards(v.Sign() < 0))
	if v.Sign() < 0 {
		n = -n
	}
	return Notional(n), ok
}

// settleQuotient brings ±n/den, a count of 10^-(PriceScale+QtyScale), to the
// instrument's SettleScale.
func settleQuotient(n wide, den uint64, negative bool, in *Instrument, r Rounding) (Notional, bool) {
	shift := int(in.SettleScale) - int(in.PriceScale) - int(in.QtyScale)
	v, ok := scaledQuotient(n, wideFrom64(den), shift, r.towards(negative))
	if negative {
		v = -v
	}
	return Notional(v), ok
}

// scaledQuotient returns n·10^shift/d rounded as named.
func scaledQuotient(n, d wide, shift int, r Rounding) (int64, bool) {
	var ok bool
	if shift >= 0 {
		n, ok = n.mulPow10(shift)
	} else {
		d, ok = d.mulPow10(-shift)
	}
	if !ok {
		return 0, false
	}
	return n.divWide(d, r)
}

// addSigned returns |±a ± b| and whether the sum is negative.
func addSigned(a wide, aNeg bool, b wide, bNeg bool) (sum wide, negative, ok bool) {
	if aNeg == bNeg {
		sum, ok = a.add(b)
		return sum, aNeg, ok
	}
	if a.cmp(b) < 0 {
		return b.sub(a), bNeg, true
	}
	return a.sub(b), aNeg, true
}
