package risk

import (
	"math"

	"qcat/core"
)

// DefaultMarketSlippage is the allowance in PPM by which a market order is
// valued beyond the reference price where no LimitMarketSlippage is set.
const DefaultMarketSlippage = 50_000

// size applies the tree's own limit on the quantity of one order. An amendment
// is measured by its new total.
func (c *check) size() bool { return c.most(LimitMaxOrderQty, MaxQty, int64(c.o.Qty)) }

// valued works out what the order is worth: at its limit price, at the reference
// plus the slippage allowance for a market order. It reports false on overflow.
func (c *check) valued() bool {
	c.price = c.o.Price
	if c.o.Type == core.Market {
		v, ok := core.MulDiv(int64(c.ref), core.PPM+c.slippage(), core.PPM, core.RoundUp)
		if !ok {
			return false
		}
		c.price = core.Price(v)
	}
	val := c.x.val
	unit, ok := val.unit(c.price)
	if !ok {
		return false
	}
	c.value, ok = val.value(c.o.Qty, unit)
	c.reserves = c.value
	c.adds = c.value
	if ok && c.hold != nil {
		h := c.hold
		c.reserves, ok = val.value(c.o.Qty-h.filled, unit)
		c.reserves = max(c.reserves, h.value)
		c.adds = c.reserves - h.value
	}
	return ok
}

// slippage is the largest allowance of the path for a market order, in PPM.
func (c *check) slippage() int64 {
	slip := int64(-1)
	for i, p := range c.profiles {
		if c.has(i, LimitMarketSlippage) {
			slip = max(slip, p.v[LimitMarketSlippage])
		}
	}
	if slip < 0 {
		return DefaultMarketSlippage
	}
	return slip
}

// WorstPrice is the reference price with the slippage allowance of the order's path
// against it: how far a market order is taken to walk the book. It is 0, any price,
// where there is no reference or the path is not known. It reads only.
func (t *Tree) WorstPrice(o *Order, ref *Reference, now core.Nanos) core.Price {
	c := check{t: t, o: *o}
	price, _ := ref.price(now, math.MaxInt64)
	if price <= 0 || c.identity() {
		return 0
	}
	to, r := core.PPM+c.slippage(), core.RoundUp
	if o.Side == core.Sell {
		to, r = max(core.PPM-c.slippage(), 0), core.RoundDown
	}
	v, ok := core.MulDiv(int64(price), to, core.PPM, r)
	if !ok {
		return 0
	}
	return core.Price(v)
}

// notional applies the venue's filter in the settlement currency, then the
// limits of the tree in the risk currency. A reducing order is exempt from all
// of the tree's, and from the venue's minimum, which would trap a remainder; if
// the venue holds on to it, the venue says so.
func (c *check) notional() bool {
	if c.refUnit == 0 {
		return false
	}
	if !c.valued() {
		return c.end(Reason{Code: Overflow, Unit: UnitQty, Value: int64(c.o.Qty)})
	}
	if c.venueNotional() || c.most(LimitMaxNotional, MaxNotional, c.value) {
		return true
	}
	if !c.any(LimitMinNotional) {
		return false
	}
	for i, p := range c.profiles {
		if c.applies(i, LimitMinNotional) && c.value < p.v[LimitMinNotional] && c.refuse(Reason{
			Code: MinNotional, Unit: UnitValue, Scope: c.scope(i), Limit: p.v[LimitMinNotional], Value: c.value}) {
			return true
		}
	}
	return false
}

// venueNotional applies the instrument's own filter. Against the maximum a
// market order counts at the worse end of its allowance, against the minimum at
// the reference price.
func (c *check) venueNotional() bool {
	in := c.x.in
	if in.MinNotional <= 0 && in.MaxNotional <= 0 {
		return false
	}
	dear, cheap := c.price, c.price
	if c.o.Type == core.Market {
		cheap = c.ref
		if in.Kind == core.Inverse {
			dear = c.ref // an inverse notional falls as the price rises
		}
	}
	most, ok1 := in.Notional(dear, c.o.Qty, core.RoundUp)
	least, ok2 := in.Notional(cheap, c.o.Qty, core.RoundDown)
	if !ok1 || !ok2 {
		return c.end(Reason{Code: Overflow, Unit: UnitQty, Value: int64(c.o.Qty)})
	}
	if in.MaxNotional > 0 && most > in.MaxNotional && c.refuse(Reason{
		Code: MaxNotional, Unit: UnitNotional, Limit: int64(in.MaxNotional), Value: int64(most)}) {
		return true
	}
	return least < in.MinNotional && c.exempt&exemptAccount == 0 && c.refuse(Reason{
		Code: MinNotional, Unit: UnitNotional, Limit: int64(in.MinNotional), Value: int64(least)})
}
