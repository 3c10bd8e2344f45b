package core

// Position is what an account's strategy holds of one instrument, by its fills
// alone. Pointer-free; written by the sequencer only, copied to everyone else.
//
// # What is exact
//
// With a fill's value v(p, q) being p·q for spot and linear instruments, and
// contract size·q/p for inverse ones:
//
//	                 spot, linear         inverse
//	cash             −Σ side·v(p, q)      +Σ side·v(p, q)
//	average entry    Σ(q·p)/Σq            Σq/Σ(q/p)
//	total at mark m  cash + v(m, Qty)     cash − v(m, Qty)
//	unrealised       Qty·(m − entry)      Qty·size·(1/entry − 1/m)
//	realised         total − unrealised: what reducing fills closed
//	profit at mark m total − fees − funding
//
// Reducing leaves the entry as it is; a flip enters anew at the fill's price; a
// flat position has none. A fee in the base currency takes quantity and leaves the
// cost (Fill.FeeIn, Dust). Cash of a spot or linear instrument is an exact
// integer, and with it the total, whatever happened before.
//
// # What is rounded, and how
//
// The entry of a spot or linear position is a reduced fraction, exact until it
// outgrows 127 bits over 64; it is then rounded down (RoundDown) to a multiple of
// 10^-18 price units and goes on as a fraction. That moves less than 10^-18 price
// units times the quantity between realised and unrealised, and nothing in their
// sum.
//
// The value of an inverse fill is a quotient. It is rounded half to even, once,
// to 10^-24 of the settlement currency; the sum of such values is exact. An
// inverse position keeps its open quantity's value at entry, from which a
// reducing fill takes its part, rounded the same way.
type Position struct {
	Qty Qty // signed: negative is short

	// EntryNum/EntryDen is the average entry of a spot or linear position in
	// price units. For an inverse one EntryNum is the value of the open quantity
	// at entry in 10^-24 of the settlement currency and EntryDen is 1. A flat
	// position has 0/0.
	EntryNum Int128
	EntryDen uint64

	// Cash is what the fills brought in, less what they paid, before fees: in
	// 10^-(PriceScale+QtyScale) of the settlement currency, or 10^-24 of it for
	// an inverse instrument.
	Cash Int128

	Fees    Notional // Σ fees in the settlement currency; negative is a net rebate
	Funding Notional // Σ funding paid; negative is received
	Volume  Qty      // Σ filled quantity, both sides
	Fills   uint64

	// Of a spot position, Σ fees taken in the base currency, at SettleScale, and what
	// is held of it beyond whole quantity units: 0 ≤ Dust < 10^(SettleScale−QtyScale).
	// Dust has neither value nor cost until it makes up a unit.
	BaseFees Notional
	Dust     Notional
}

// Fill is one trade as a position books it.
type Fill struct {
	Side  Side
	Price Price
	Qty   Qty
	Fee   Notional // at SettleScale of the currency that FeeIn says; negative is a rebate
	FeeIn FeeCurrency
}

const (
	inverseScale = 24 // decimals of an inverse position's cash
	entryGrid    = uint64(1_000_000_000_000_000_000)
)

// Apply books a fill and its fee. It returns false, and leaves p as it was, when
// price or quantity is not positive, a fee is in a currency that the instrument does
// not have, or a sum does not fit: the caller fails closed. It does not allocate.
func (p *Position) Apply(in *Instrument, f *Fill) bool {
	side, px, qty := f.Side, f.Price, f.Qty
	if px <= 0 || qty <= 0 || (side != Buy && side != Sell) {
		return false
	}
	value, ok := fillValue(in, px, qty)
	if !ok {
		return false
	}
	next := *p
	paid := (side == Buy) != (in.Kind == Inverse)
	if paid {
		next.Cash, ok = p.Cash.Sub(value)
	} else {
		next.Cash, ok = p.Cash.Add(value)
	}
	if !ok {
		return false
	}
	signed := side.Sign() * int64(qty)
	held, ok1 := addInt64(int64(p.Qty), signed)
	volume, ok2 := addInt64(int64(p.Volume), int64(qty))
	if !ok1 || !ok2 || held == -1<<63 {
		return false
	}
	next.Qty, next.Volume = Qty(held), Qty(volume)
	next.Fills++
	if !next.moveEntry(in, p, signed, px, value) || !next.takeFee(in, f) {
		return false
	}
	*p = next
	return true
}

// fillValue is v(px, qty) in the units of Cash, rounded half to even where it is
// a quotient.
func fillValue(in *Instrument, px Price, qty Qty) (Int128, bool) {
	if in.Kind != Inverse {
		return MulInt64(int64(px), int64(qty)), true
	}
	// qty·10^-QtyScale·size / (px·10^-PriceScale), times 10^24.
	n := wideProduct(uint64(qty), uint64(in.ContractSize))
	n, ok := n.mulPow10(inverseScale + int(in.PriceScale) - int(in.QtyScale))
	if !ok {
		return Int128{}, false
	}
	q, rem := n.divMod(uint64(px))
	return q.rounded(rem, uint64(px), RoundHalfEven).int128()
}

// moveEntry sets the entry after a fill of signed quantity at px, worth value,
// that brought before to p.
func (p *Position) moveEntry(in *Instrument, before *Position, signed int64, px Price, value Int128) bool {
	inverse := in.Kind == Inverse
	opened := before.Qty == 0 || (before.Qty < 0) != (p.Qty < 0)
	added := (before.Qty < 0) == (signed < 0)
	held := magnitude(int64(before.Qty))
	ok := true
	switch {
	case p.Qty == 0:
		p.EntryNum, p.EntryDen = Int128{}, 0
	case opened && inverse:
		p.EntryNum, ok = fillValue(in, px, Qty(magnitude(int64(p.Qty))))
		p.EntryDen = 1
	case opened:
		p.EntryNum, p.EntryDen = Int128From(int64(px)), 1
	case added && inverse:
		p.EntryNum, ok = before.EntryNum.Add(value)
	case added:
		p.EntryNum, p.EntryDen, ok = blendEntry(before.EntryNum, before.EntryDen, held, uint64(px), magnitude(signed))
	case inverse:
		var n wide
		if n, ok = wideFrom(before.EntryNum).mul(magnitude(int64(p.Qty))); ok {
			q, rem := n.divMod(held)
			p.EntryNum, ok = q.rounded(rem, held, RoundHalfEven).int128()
		}
	}
	return ok
}

// blendEntry returns (held·num/den + added·px)/(held+added).
func blendEntry(num Int128, den, held, px, added uint64) (Int128, uint64, bool) {
	n, ok1 := wideFrom(num).mul(held)
	bought, ok2 := wideProduct(added, px).mul(den)
	n, ok3 := n.add(bought)
	if !ok1 || !ok2 || !ok3 {
		return Int128{}, 0, false
	}
	return reduceEntry(n, den, held+added)
}

// reduceEntry returns n/(den·held), reduced; rounded down to the entry grid when it
// does not fit.
func reduceEntry(n wide, den, held uint64) (Int128, uint64, bool) {
	// Once the numerator and each factor of the denominator are divided by what
	// they share, the numerator and the product share nothing.
	a, b := den, held
	if g := gcd64(n.mod(b), b); g > 1 {
		n, b = n.div(g), b/g
	}
	if g := gcd64(n.mod(a), a); g > 1 {
		n, a = n.div(g), a/g
	}
	if d := wideProduct(a, b); d.is64() {
		if exact, fits := n.int128(); fits {
			return exact, d[0], true
		}
	}
	n, ok := n.mul(entryGrid)
	if !ok {
		return Int128{}, 0, false
	}
	n = n.div(a).div(b) // the floor of a floor is the floor of the whole
	grid := entryGrid
	if g := gcd64(n.mod(grid), grid); g > 1 {
		n, grid = n.div(g), grid/g
	}
	num, ok := n.int128()
	return num, grid, ok
}
