package risk

import "qcat/core"

// valid refuses combinations of fields that no venue takes, and works out what
// the order adds to the open quantity of its side.
func (c *check) valid() bool {
	o := &c.o
	ok := (o.Side == core.Buy || o.Side == core.Sell) && o.TIF >= core.GTC && o.TIF <= core.PostOnly
	switch o.Type {
	case core.Limit:
		ok = ok && o.Price > 0
	case core.Market:
		ok = ok && o.Price == 0 && o.TIF != core.PostOnly && o.TIF != core.GTD && c.hold == nil
	default:
		ok = false
	}
	if !ok {
		return c.end(Reason{Code: InvalidOrder})
	}
	if !c.t.fitsLeg(o.Account, c.x, o.Leg) {
		return c.end(Reason{Code: WrongLeg, Scope: c.scope(atAccount)})
	}
	c.add = o.Qty
	if c.hold != nil {
		c.add = max(0, o.Qty-c.hold.order.Qty)
	}
	if o.Qty <= 0 || (c.hold != nil && o.Qty <= c.hold.filled) {
		return c.end(Reason{Code: InvalidOrder, Unit: UnitQty, Value: int64(o.Qty)})
	}
	return false
}

// halted refuses what any node of the path has halted, reducing or not.
func (c *check) halted() bool {
	for i, n := range c.nodes {
		if n.state == StateHalted && c.refuse(c.stopped(i, Halted)) {
			return true
		}
	}
	return false
}

// reducing finds out whose position the order only reduces, which exempts it
// from their limits, and refuses what must reduce and does not: an order that says so,
// and one that closes a leg, which never goes through zero.
func (c *check) reducing() bool {
	if c.shrinks() {
		c.exempt = exemptAll
	} else {
		if c.reduces(c.account) {
			c.exempt |= exemptAccount
		}
		if c.reduces(c.strategy) {
			c.exempt |= exemptStrategy
		}
	}
	for i, n := range c.nodes {
		if n.state == StateReducing && c.exempt&(1<<i) == 0 &&
			c.refuse(c.stopped(i, Reducing)) {
			return true
		}
	}
	if (c.o.ReduceOnly || closesLeg(&c.o)) && c.exempt&exemptAccount == 0 {
		return c.refuse(Reason{
			Code: ReduceOnly, Unit: UnitQty, Scope: c.scope(atAccountInstrument),
			Limit: int64(c.reducible(c.account)), Value: int64(c.o.Qty),
		})
	}
	return false
}

// shrinks reports whether an amendment takes back part of the order and nothing
// else: no more quantity, no price nearer to a fill.
func (c *check) shrinks() bool {
	if c.hold == nil || c.o.Qty > c.hold.order.Qty {
		return false
	}
	if c.o.Side == core.Buy {
		return c.o.Price <= c.hold.order.Price
	}
	return c.o.Price >= c.hold.order.Price
}

// reducible is the part of a position that the order's side may still reduce:
// open orders of that side are counted as filled, so that all of them together
// never take the position through zero. In hedge mode the position is the leg of the
// account, for its strategies too.
func (c *check) reducible(p *pair) core.Qty {
	held, open := p.position, p.sell
	switch {
	case c.o.Leg != core.LegNet && !closesLeg(&c.o):
		return 0
	case c.o.Leg != core.LegNet:
		held, open = c.closable()
	case c.o.Side == core.Buy:
		held, open = -held, p.buy
	}
	if held <= 0 || open >= held {
		return 0
	}
	return held - open
}

// reduces reports whether the order only reduces a position.
func (c *check) reduces(p *pair) bool {
	if c.add > 0 {
		return c.add <= c.reducible(p)
	}
	// An amendment that only moves the price: the order reduced, or did not, as
	// part of what is open on its side.
	if c.o.Leg != core.LegNet {
		held, open := c.closable()
		return closesLeg(&c.o) && held > 0 && open <= held
	}
	if c.o.Side == core.Buy {
		return p.position < 0 && p.buy <= -p.position
	}
	return p.position > 0 && p.sell <= p.position
}

// permitted refuses instruments on a restricted list, and those that are not on
// the list of a level that has one.
func (c *check) permitted() bool {
	if c.any(LimitRestricted) {
		for i := atFirmInstrument; i < pathLen; i++ {
			if c.applies(i, LimitRestricted) && c.refuse(Reason{Code: Restricted, Scope: c.scope(i)}) {
				return true
			}
		}
	}
	if c.any(LimitPermittedOnly) {
		for i := atFirm; i < atFirmInstrument; i++ {
			listed := c.has(i+atFirmInstrument, LimitPermitted)
			if !listed && c.applies(i, LimitPermittedOnly) &&
				c.refuse(Reason{Code: InstrumentNotPermitted, Scope: c.scope(i)}) {
				return true
			}
		}
	}
	return false
}

// format applies the instrument's own price and lot filters.
func (c *check) format() bool {
	in, o := c.x.in, &c.o
	if o.Type == core.Limit {
		if o.Price%in.TickSize != 0 && c.refuse(Reason{
			Code: PriceTick, Unit: UnitPrice, Limit: int64(in.TickSize), Value: int64(o.Price)}) {
			return true
		}
		if b, out := outside(int64(o.Price), int64(in.MinPrice), int64(in.MaxPrice)); out &&
			c.refuse(Reason{Code: PriceBounds, Unit: UnitPrice, Limit: b, Value: int64(o.Price)}) {
			return true
		}
	}
	step, least, most := in.StepSize, in.MinQty, in.MaxQty
	if o.Type == core.Market {
		step, least, most = first(in.MarketStepSize, step), first(in.MarketMinQty, least), first(in.MarketMaxQty, most)
	}
	if o.Qty%step != 0 && c.refuse(Reason{
		Code: QtyStep, Unit: UnitQty, Limit: int64(step), Value: int64(o.Qty)}) {
		return true
	}
	if most > 0 && o.Qty > most && c.refuse(Reason{
		Code: MaxQty, Unit: UnitQty, Limit: int64(most), Value: int64(o.Qty)}) {
		return true
	}
	return o.Qty < least && c.refuse(Reason{
		Code: MinQty, Unit: UnitQty, Limit: int64(least), Value: int64(o.Qty)})
}

// outside reports whether v is below low or above high, and which it was; a
// zero bound is none.
func outside(v, low, high int64) (bound int64, out bool) {
	switch {
	case low > 0 && v < low:
		return low, true
	case high > 0 && v > high:
		return high, true
	}
	return 0, false
}

// first returns q, or other where q is not set.
func first(q, other core.Qty) core.Qty {
	if q > 0 {
		return q
	}
	return other
}
