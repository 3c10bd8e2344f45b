package risk

import (
	"math/bits"

	"qcat/core"
	"qcat/risk/margin"
)

// margin refuses, where margin is required on the order's path, what the account
// cannot pay for: a derivative's initial margin in the worst case of position and open
// orders, with the fee and what it would lose at once; a spot order's price and fee, or
// the quantity it sells. Only what comes on top of what is tied up already is asked.
func (c *check) margin() bool {
	if !c.any(LimitMarginRequired) || c.refUnit == 0 {
		return false
	}
	for i := atFirm; i <= atStrategy; i++ {
		if !c.applies(i, LimitMarginRequired) {
			continue
		}
		d, ok := c.t.demandOf(c.x, &c.o, c.account, c.hold, c.add, c.price, c.ref)
		if !ok {
			return c.end(Reason{Code: Overflow, Unit: UnitQty, Scope: c.scope(i), Value: int64(c.o.Qty)})
		}
		return !d.met() && c.refuse(Reason{Code: d.code(c.x.in.Kind), Unit: UnitAmount, Scope: c.scope(i),
			Limit: narrow(d.free), Value: narrow(d.need)})
	}
	return false
}

// demand is what an order needs of a wallet, and what is free in it.
type demand struct {
	need, free core.Int128
	initial    core.Int128 // the part of need that is initial margin
	wallet     uint32      // 0: there is none
}

func (d *demand) met() bool { return d.need.Sign() <= 0 || d.need.Cmp(d.free) <= 0 }

func (d *demand) code(k core.ContractKind) Code {
	if k == core.Spot {
		return InsufficientFunds
	}
	return InsufficientMargin
}

// demandOf works out what an order, or the amendment of the order behind was, needs
// beyond what is tied up already. It reports false when that does not fit.
func (t *Tree) demandOf(x *instrument, o *Order, p *pair, was *Hold, add core.Qty, price, ref core.Price) (demand, bool) {
	if p.holding == 0 {
		return t.firstDemand(x, o, was, add, price, ref)
	}
	return t.demandIn(t.ledger.holdings.at(p.holding), x, o, was, add, price, ref)
}

// firstDemand is demandOf where the account has no holding in the instrument yet.
func (t *Tree) firstDemand(x *instrument, o *Order, was *Hold, add core.Qty, price, ref core.Price) (demand, bool) {
	none := holding{leverage: margin.DefaultLeverage, settle: t.ledger.walletOf(o.Account, x.settleCurrency)}
	if x.in.Kind == core.Spot {
		none.base = t.ledger.walletOf(o.Account, x.baseCurrency)
	}
	return t.demandIn(&none, x, o, was, add, price, ref)
}

func (t *Tree) demandIn(h *holding, x *instrument, o *Order, was *Hold, add core.Qty, price, ref core.Price) (d demand, ok bool) {
	leaves, before := o.Qty, int64(0)
	if was != nil {
		leaves, before = o.Qty-was.filled, was.funds
	}
	funds := x.funds(terms{o.Side, leaves, o.tradesAt(price, ref), ref})
	d.need = wide(max(funds, before) - before) // neither is negative
	ok = funds != most
	if x.in.Kind != core.Spot {
		l, buy, sell := &h.legs[legOf(o.Leg)], add, core.Qty(0)
		if o.Side == core.Sell {
			buy, sell = 0, add
		}
		after := x.required(h, l, buy, sell, x.markedOr(ref))
		d.initial = minus(wide(after), wide(l.initial))
		d.need = plus(d.need, d.initial)
		ok = ok && after != most
	}
	d.wallet = h.fundsWallet(x, o.Side)
	d.free = t.ledger.wallets.at(d.wallet).free()
	return d, ok
}

// leverage refuses where the gross exposure of the firm or the account, with this
// order open, would be more than so many times what it is worth. Without equity, or
// with one that nobody can tell, nothing is admitted.
func (c *check) leverage() bool {
	if !c.any(LimitMaxLeverage) || c.refUnit == 0 {
		return false
	}
	for k, p := range c.pairsOf() {
		if k > atAccount || !c.applies(k, LimitMaxLeverage) {
			continue
		}
		_, _, gross, ok1 := c.project(p)
		total, ok2 := add64(c.nodes[k].gross-p.gross, gross)
		if !ok1 || !ok2 {
			return c.end(Reason{Code: Overflow, Unit: UnitValue, Scope: c.scope(k), Value: gross})
		}
		limit := c.profiles[k].v[LimitMaxLeverage]
		equity, known := c.t.worthOf(k, c.o.Account)
		if overLeveraged(total, narrow(equity), known, limit) && c.refuse(Reason{Code: MaxLeverage, Unit: UnitTimes, Scope: c.scope(k),
			Limit: limit, Value: timesOf(total, equity, known)}) {
			return true
		}
	}
	return false
}

// worthOf is the equity of the firm or of an account, by its place on the path.
func (t *Tree) worthOf(at int, a core.AccountID) (core.Int128, bool) {
	if at == atFirm {
		return t.firmEquity()
	}
	return t.equityOf(a)
}

// overLeveraged reports whether gross > limit·equity, exactly.
func overLeveraged(gross, equity int64, known bool, limit int64) bool {
	if !known || equity <= 0 {
		return true
	}
	gh, gl := bits.Mul64(uint64(gross), core.PPM)
	eh, el := bits.Mul64(uint64(equity), uint64(limit))
	return gh > eh || (gh == eh && gl > el)
}

// projectMargin says what the wallet that pays for the order would have left, and how
// many times their equity the firm and the account would be in.
func (c *check) projectMargin(a *After) {
	for k := atFirm; k <= atAccount; k++ {
		l := &a.Levels[k]
		equity, known := c.t.worthOf(k, c.o.Account)
		if l.LeverageKnown = l.Valued && known && equity.Sign() > 0; l.LeverageKnown {
			l.Leverage = timesOf(l.Gross, equity, known)
		}
	}
	d, ok := c.t.demandOf(c.x, &c.o, c.account, c.hold, c.add, c.price, c.ref)
	if !ok || d.wallet == 0 {
		return
	}
	w := c.t.ledger.wallets.at(d.wallet)
	a.Margin = MarginAfter{Known: true, Currency: c.t.ledger.currencies[w.currency],
		Initial:  narrow(plus(w.initial, d.initial)),
		Reserved: narrow(plus(w.reserved, minus(d.need, d.initial))),
		Free:     narrow(minus(d.free, d.need)),
	}
}
