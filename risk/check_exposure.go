package risk

import "qcat/core"

// counts applies max_open_orders to a new order and max_amends to an amendment.
func (c *check) counts() bool {
	if c.hold != nil {
		return c.most(LimitMaxAmends, MaxAmends, int64(c.hold.amends)+1)
	}
	if !c.any(LimitMaxOpenOrders) {
		return false
	}
	for i, p := range c.profiles {
		if open := int64(c.nodes[i].open) + 1; c.applies(i, LimitMaxOpenOrders) && open > p.v[LimitMaxOpenOrders] &&
			c.refuse(Reason{Code: MaxOpenOrders, Unit: UnitCount, Scope: c.scope(i), Limit: p.v[LimitMaxOpenOrders], Value: open}) {
			return true
		}
	}
	return false
}

// pairsOf returns the three pairs of the path, firm-wide first.
func (c *check) pairsOf() [3]*pair { return [3]*pair{&c.x.firm, c.account, c.strategy} }

// position refuses where position + open orders of the side + this order would
// pass the limit of the instrument, firm-wide, of the account or of the strategy.
func (c *check) position() bool {
	if !c.any(LimitMaxPosition) {
		return false
	}
	for k, p := range c.pairsOf() {
		i := atFirmInstrument + k
		if !c.applies(i, LimitMaxPosition) {
			continue
		}
		held, open := int64(p.position), int64(p.buy)
		if c.o.Side == core.Sell {
			held, open = -held, int64(p.sell)
		}
		v, ok1 := add64(held, open)
		v, ok2 := add64(v, int64(c.add))
		if !ok1 || !ok2 {
			return c.end(Reason{Code: Overflow, Unit: UnitQty, Scope: c.scope(i), Value: int64(c.o.Qty)})
		}
		if l := c.profiles[i].v[LimitMaxPosition]; v > l &&
			c.refuse(Reason{Code: MaxPosition, Unit: UnitQty, Scope: c.scope(i), Limit: l, Value: v}) {
			return true
		}
	}
	return false
}

// unfilled refuses where the open orders of a node would be worth more, at their
// own prices, than its limit.
func (c *check) unfilled() bool {
	if c.refUnit == 0 {
		return false
	}
	for i, n := range c.nodes {
		v, ok := add64(n.unfilled, c.adds)
		if !ok {
			return c.end(Reason{Code: Overflow, Unit: UnitValue, Scope: c.scope(i), Value: c.adds})
		}
		if c.applies(i, LimitMaxUnfilled) && v > c.profiles[i].v[LimitMaxUnfilled] && c.refuse(Reason{
			Code: UnfilledNotional, Unit: UnitValue, Scope: c.scope(i), Limit: c.profiles[i].v[LimitMaxUnfilled], Value: v}) {
			return true
		}
	}
	return false
}

// exposure projects the three pairs with this order open and refuses where the
// worst case of a node, gross or net, passes its limit. A value that does not
// fit refuses whether or not there is a limit: sums stay exact.
func (c *check) exposure() bool {
	if c.refUnit == 0 {
		return false
	}
	for k, p := range c.pairsOf() {
		long, short, gross, ok := c.project(p)
		if !ok {
			return c.end(Reason{Code: Overflow, Unit: UnitQty, Scope: c.scope(atFirmInstrument + k), Value: int64(c.o.Qty)})
		}
		parent := c.nodes[k]
		total, ok := add64(parent.gross-p.gross, gross)
		if !ok {
			return c.end(Reason{Code: Overflow, Unit: UnitValue, Scope: c.scope(k), Value: gross})
		}
		net, own := parent.long-p.long+long, long
		if c.o.Side == core.Sell {
			net, own = -(parent.short - p.short + short), -short
		}
		if c.over(k, total, net) || c.over(atFirmInstrument+k, gross, own) {
			return true
		}
	}
	return false
}

// over applies the two exposure limits of node i.
func (c *check) over(i int, gross, net int64) bool {
	if c.exempt&(1<<i) != 0 {
		return false
	}
	p := c.profiles[i]
	if c.has(i, LimitMaxExposureGross) && gross > p.v[LimitMaxExposureGross] && c.refuse(Reason{
		Code: MaxExposureGross, Unit: UnitValue, Scope: c.scope(i), Limit: p.v[LimitMaxExposureGross], Value: gross}) {
		return true
	}
	return c.has(i, LimitMaxExposureNet) && net > p.v[LimitMaxExposureNet] && c.refuse(Reason{
		Code: MaxExposureNet, Unit: UnitValue, Scope: c.scope(i), Limit: p.v[LimitMaxExposureNet], Value: net})
}

// project values a pair at the reference price as if the order were open.
func (c *check) project(p *pair) (long, short, gross int64, ok bool) {
	return p.projected(c.x.val, c.o.Side, c.add, c.ref, c.refUnit)
}

// projected values a pair at a price as if add more of a side were open. At the
// price it is valued at already, only that side is new.
func (p *pair) projected(v valuation, side core.Side, add core.Qty, price core.Price, unit int64) (long, short, gross int64, ok bool) {
	long, short = p.long, p.short
	if side == core.Buy {
		open, ok1 := add64(int64(p.buy), int64(add))
		up, ok2 := add64(int64(p.position), open)
		long, ok = v.signed(core.Qty(up), unit)
		ok = ok && ok1 && ok2
		if p.price != price && ok {
			_, short, _, ok = worth(v, unit, p.position, 0, p.sell)
		}
	} else {
		open, ok1 := add64(int64(p.sell), int64(add))
		down, ok2 := add64(int64(p.position), -open)
		short, ok = v.signed(core.Qty(down), unit)
		ok = ok && ok1 && ok2
		if p.price != price && ok {
			long, _, _, ok = worth(v, unit, p.position, p.buy, 0)
		}
	}
	return long, short, max(long, -short), ok
}

// duplicate refuses an order that repeats an accepted one of the same account,
// instrument, side, price and quantity within the window.
func (c *check) duplicate() bool {
	if c.hold != nil || !c.any(LimitDuplicateWindow) {
		return false
	}
	k := recentOf(&c.o, c.now)
	old, found, room := c.t.recent.look(&k)
	for i, p := range c.profiles {
		if !c.applies(i, LimitDuplicateWindow) {
			continue
		}
		if !room {
			return c.refuse(Reason{Code: Capacity, Unit: UnitCount, Scope: c.scope(i), Limit: recentWays, Value: recentWays + 1})
		}
		if w := p.v[LimitDuplicateWindow]; found && int64(old) < w && c.refuse(Reason{
			Code: DuplicateOrder, Unit: UnitNanos, Scope: c.scope(i), Limit: w, Value: int64(old)}) {
			return true
		}
	}
	return false
}

// rates asks the throttles of every level for a token; Accept takes them. Orders
// that reduce and cancels are counted and not refused.
func (c *check) rates() bool {
	if c.any(LimitMessageRate) {
		for i, p := range c.profiles {
			if c.applies(i, LimitMessageRate) && !p.messages.admits(c.nodes[i].msgTAT, c.now) &&
				c.refuse(c.rateReason(MessageRate, i, LimitMessageRate)) {
				return true
			}
		}
	}
	if c.hold == nil && c.any(LimitOrderRate) {
		for i, p := range c.profiles {
			if c.applies(i, LimitOrderRate) && !p.orders.admits(c.nodes[i].ordTAT, c.now) &&
				c.refuse(c.rateReason(OrderRate, i, LimitOrderRate)) {
				return true
			}
		}
	}
	return false
}

func (c *check) rateReason(code Code, i int, l Limit) Reason {
	n := c.profiles[i].v[l]
	return Reason{Code: code, Unit: UnitCount, Scope: c.scope(i), Limit: n, Value: n + 1}
}
