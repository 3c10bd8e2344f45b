package risk

import "qcat/core"

// TakerFee is the fee in PPM of the notional that an open order sets aside: that of a
// dear venue for who takes.
const TakerFee = 1_000

// terms are what an order ties up funds by.
type terms struct {
	side   core.Side
	leaves core.Qty
	price  core.Price // what it is taken to trade at: Order.tradesAt
	ref    core.Price // the reference when it was checked
}

// funds is what an open order sets aside in one of its account's wallets, at
// AmountScale, rounded up. A spot order sets aside what it would pay: a buy price ·
// quantity and the fee, a sell its quantity. A derivative's margin is that of its leg;
// its order sets aside the fee, and what it would lose at once by trading at a price
// beyond the reference.
func (x *instrument) funds(o terms) int64 {
	if o.leaves <= 0 {
		return 0
	}
	in := x.in
	if in.Kind == core.Spot && o.side == core.Sell {
		v, ok := amountOf(wide(-int64(o.leaves)), int(in.QtyScale))
		v = v.Neg()
		return atLeast(narrow(v), ok)
	}
	at, ok1 := in.Notional(o.price, o.leaves, core.RoundUp)
	by, ok2 := in.Notional(o.ref, o.leaves, core.RoundDown)
	dear := max(at, by)
	fee, ok3 := core.MulDiv(int64(dear), TakerFee, core.PPM, core.RoundUp)
	rest := at
	if in.Kind != core.Spot {
		rest = 0
		if o.side == core.Buy && o.price > o.ref || o.side == core.Sell && o.price < o.ref {
			rest = max(at-by, by-at)
		}
	}
	total, ok4 := add64(int64(rest), fee)
	v, ok5 := demanded(core.Notional(total), in.SettleScale)
	return atLeast(v, ok1 && ok2 && ok3 && ok4 && ok5)
}

// tradesAt is what an order that is valued at a price is taken to trade at: that price,
// but a market sell as far below the reference as its value counts above it.
func (o *Order) tradesAt(price, ref core.Price) core.Price {
	if o.Type == core.Market && o.Side == core.Sell && price > ref {
		return max(ref-(price-ref), 1)
	}
	return price
}

// fundsOf is what an open order sets aside: the larger of the old and the new terms
// while an amendment is pending.
func (x *instrument) fundsOf(h *Hold) int64 {
	if !h.open {
		return 0
	}
	v := x.funds(terms{h.order.Side, h.order.Qty - h.filled, h.order.tradesAt(h.price, h.ref), h.ref})
	if h.pending {
		v = max(v, x.funds(terms{h.order.Side, h.newQty - h.filled, h.order.tradesAt(h.newPrice, h.newRef), h.newRef}))
	}
	return v
}

// fundsWallet is which of a holding's wallets an order of a side sets aside funds in.
func (h *holding) fundsWallet(x *instrument, side core.Side) uint32 {
	if x.in.Kind == core.Spot && side == core.Sell {
		return h.base
	}
	return h.settle
}
