package risk

import (
	"math"

	"qcat/core"
)

// quickly is an order on its way through what depends on the use of its path.
type quickly struct {
	t       *Tree
	x       *instrument
	m       *merged
	o       *Order
	parents [3]*branch
	held    [3]*pair
	ref     core.Price
	unit    int64 // valuation.unit of ref
	value   int64 // of the order at its price
}

// plain bounds the quantities of which sums are made without looking for overflows.
const plain = 1 << 60

// use asks the six nodes for a place, unfilled value and the tokens, and is
// check.position, exposure, leverage, shares and stresses. It looks at a sell in the
// mirror: quantities and values are of the order's own side, positive the way it
// moves them, so that nothing branches on a side that nobody can predict.
func (q *quickly) use(now core.Nanos) bool {
	sell := int64(core.Buy) - int64(q.o.Side) // all ones; of a buy none
	qty, all := int64(q.o.Qty), q.t.bounds
	for k, p := range q.held {
		n := q.parents[k]
		of, own := &all[n.profile], &all[p.profile]
		if !of.admit(&n.node, q.value, now) || !own.admit(&p.node, q.value, now) {
			return false
		}
		open, against := swapped(int64(p.buy), int64(p.sell), sell)
		held := (int64(p.position) ^ sell) - sell
		if uint64(held^held>>63|open|against|qty) >= plain {
			return false
		}
		position := held + open + qty
		is, ok := q.x.val.signed(core.Qty(position), q.unit)
		was, other := swapped(p.long, -p.short, sell)
		otherWas := other
		if p.price != q.ref && ok {
			other, ok = q.x.val.signed(core.Qty(against-held), q.unit)
		}
		side, _ := swapped(n.long, -n.short, sell)
		gross := max(is, other)
		total, net := n.gross-p.gross+gross, side-was+is // gross is not negative: an overflow is
		if !ok || uint64(total) > uint64(of.gross) || net > of.net ||
			gross > own.gross || is > own.net || position > own.position {
			return false
		}
		if of.leverage != math.MaxInt64 && !q.leveraged(k, total, of.leverage) {
			return false
		}
		if of.share != math.MaxInt64 && total > of.floor && concentrated(gross, total, of.share) {
			return false
		}
		if of.scenario == math.MaxInt64 {
			continue
		}
		mine, theirs := swapped(n.stress.long, -n.stress.short, sell)
		if sigma := q.x.deviation.sigma; sigma != 0 {
			mine += scaledUp(is, sigma) - scaledUp(was, sigma)
			if other != otherWas {
				theirs += scaledUp(other, sigma) - scaledUp(otherWas, sigma)
			}
		}
		if q.m.shocks.loses(total, stress{mine, -theirs}, of.scenario) {
			return false
		}
	}
	return true
}

// admit asks a node for a place, unfilled value and the tokens.
func (b *bounds) admit(n *node, value int64, now core.Nanos) bool {
	return uint64(n.unfilled+value) <= uint64(b.unfilled) && // neither is negative: an overflow is
		int64(n.open) < b.open && b.messages.admit(n.msgTAT, now) && b.orders.admit(n.ordTAT, now)
}

// swapped exchanges two numbers where mask is all ones.
func swapped(a, b, mask int64) (int64, int64) {
	d := (a ^ b) & mask
	return a ^ d, b ^ d
}

// leveraged is check.leverage for the firm or the account: whether it passes.
func (q *quickly) leveraged(at int, gross, limit int64) bool {
	equity, known := q.t.equity(at, q.parents[at], q.o.Account)
	return !overLeveraged(gross, equity, known, limit)
}

// margin is check.margin. An order of a cross position in a linear contract whose
// notional the valuation gives is worked out from the pair; what is not so simple is
// asked of the holding.
func (q *quickly) margin() bool {
	p, x := q.held[atAccount], q.x
	need, wallet, ok := int64(0), x.settleCurrency, false
	switch {
	case x.in.Kind == core.Spot:
		need = x.funds(terms{q.o.Side, q.o.Qty, q.o.Price, q.ref})
		if ok = need != most; q.o.Side == core.Sell {
			wallet = x.baseCurrency
		}
	case x.settles && p.leverage != 0 && q.o.Leg == core.LegNet:
		funds, ok1 := q.funds()
		after, ok2 := q.required(p)
		need, ok = add64(funds, after-p.initial) // neither margin is negative
		ok = ok && ok1 && ok2
	default:
		d, ok := q.t.demandOf(x, q.o, p, nil, q.o.Qty, q.o.Price, q.ref)
		return ok && d.met()
	}
	return ok && (need <= 0 || need <= q.t.free(q.parents[atAccount], q.o.Account, wallet))
}

// funds is instrument.funds of a linear order: the fee, and what it loses at once by
// trading at its price instead of the reference.
func (q *quickly) funds() (int64, bool) {
	by, ok := mul64(int64(q.o.Qty), q.unit)
	if !ok {
		return 0, false
	}
	rest := int64(0)
	if (q.o.Side == core.Buy) == (q.value > by) {
		rest = max(q.value-by, by-q.value)
	}
	const part = core.PPM / TakerFee
	fee := (uint64(max(q.value, by)) + part - 1) / part // rounded up
	return add64(rest, int64(fee))
}

// required is instrument.required of a cross position with the order open.
func (q *quickly) required(p *pair) (int64, bool) {
	buy, sell := q.o.Qty, core.Qty(0)
	if q.o.Side == core.Sell {
		buy, sell = 0, buy
	}
	up, ok1 := sum3(p.position, p.buy, buy)
	down, ok2 := sum3(-p.position, p.sell, sell)
	unit, ok3 := q.x.val.unit(q.x.marked)
	if !ok1 || !ok2 || !ok3 {
		return 0, false
	}
	n, ok := mul64(int64(max(up, down, -up, -down)), unit)
	if !ok {
		return 0, false
	}
	m, ok := q.x.schedule.Initial(core.Notional(n), int64(p.leverage))
	return int64(m), ok
}
