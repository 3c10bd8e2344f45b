package core

// takeFee books a fill's fee, which its trade has been booked before.
//
// A fee in the base currency is taken out of what is held: whole units of quantity
// move, what is left of one is Dust. While the position keeps its side, the cost of
// what is open stays as it is: a fee on a purchase raises the average entry. Where
// nothing is held that it could be taken from, it is a debt, entered at the fill's
// price.
func (p *Position) takeFee(in *Instrument, f *Fill) bool {
	if f.FeeIn == FeeSettle {
		fees, ok := addInt64(int64(p.Fees), int64(f.Fee))
		p.Fees = Notional(fees)
		return ok
	}
	if f.FeeIn != FeeBase || in.Kind != Spot {
		return false
	}
	fees, ok1 := addInt64(int64(p.BaseFees), int64(f.Fee))
	units, dust, ok2 := p.baseUnits(in, f.Fee)
	held, ok3 := addInt64(int64(p.Qty), -units)
	if !ok1 || !ok2 || !ok3 || held == -1<<63 {
		return false
	}
	before := p.Qty
	p.BaseFees, p.Dust, p.Qty = Notional(fees), dust, Qty(held)
	return p.keepCost(before, f.Price)
}

// baseUnits returns how many quantity units a fee takes, and the dust after it.
func (p *Position) baseUnits(in *Instrument, fee Notional) (units int64, dust Notional, ok bool) {
	if fee == -1<<63 {
		return 0, 0, false
	}
	if in.SettleScale <= in.QtyScale { // an amount is a whole number of units
		v, ok := MulDiv(int64(magnitude(int64(fee))), pow10[in.QtyScale-in.SettleScale], 1, RoundDown)
		if fee < 0 {
			v = -v
		}
		return v, 0, ok
	}
	unit := pow10[in.SettleScale-in.QtyScale]
	left, ok := addInt64(int64(p.Dust), -int64(fee))
	if !ok {
		return 0, 0, false
	}
	// left = −units·unit + dust, with 0 ≤ dust < unit
	units, rem := -(left / unit), left%unit
	if rem < 0 {
		units, rem = units+1, rem+unit
	}
	return units, Notional(rem), true
}

// keepCost sets the entry after a fee has changed the quantity from before.
func (p *Position) keepCost(before Qty, px Price) bool {
	switch {
	case p.Qty == before:
		return true
	case p.Qty == 0:
		p.EntryNum, p.EntryDen = Int128{}, 0
		return true
	case before == 0 || (before < 0) != (p.Qty < 0):
		p.EntryNum, p.EntryDen = Int128From(int64(px)), 1
		return true
	}
	cost, ok := wideFrom(p.EntryNum).mul(magnitude(int64(before)))
	if ok {
		p.EntryNum, p.EntryDen, ok = reduceEntry(cost, p.EntryDen, magnitude(int64(p.Qty)))
	}
	return ok
}

// Fund books a funding payment of amount in the settlement currency, positive when
// the position pays. It returns false, and leaves p as it was, when the sum does not
// fit.
func (p *Position) Fund(amount Notional) bool {
	sum, ok := addInt64(int64(p.Funding), int64(amount))
	if ok {
		p.Funding = Notional(sum)
	}
	return ok
}
