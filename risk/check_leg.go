package risk

import "qcat/core"

// fitsLeg reports whether a leg is one of an account's mode in an instrument: a spot
// instrument has no legs.
func (t *Tree) fitsLeg(a core.AccountID, x *instrument, leg core.Leg) bool {
	if leg == core.LegNet {
		return t.ledger.hedged == 0 || x.in.Kind == core.Spot || !t.ledger.hedges(a)
	}
	return leg <= core.LegShort && x.in.Kind != core.Spot && t.ledger.hedges(a)
}

// closesLeg reports whether an order closes the leg it names: a sell of the long one, a
// buy of the short one.
func closesLeg(o *Order) bool {
	return o.Leg == core.LegLong && o.Side == core.Sell || o.Leg == core.LegShort && o.Side == core.Buy
}

// closable is what an order's leg holds, and how much of it open orders would close.
func (c *check) closable() (held, open core.Qty) {
	if c.account.holding == 0 {
		return 0, 0
	}
	l := &c.t.ledger.holdings.at(c.account.holding).legs[legOf(c.o.Leg)]
	if c.o.Side == core.Buy {
		return -l.Qty, l.buy
	}
	return l.Qty, l.sell
}
