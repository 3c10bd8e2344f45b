package engine

import (
	"qcat/core"
	"qcat/risk"
)

// Closing the positions of a node that is flattened. Which nodes are is state; what is
// remembered here is pace only, so that a restart goes on from what it finds.
//
// A round walks the positions. One that is not flat and falls under such a node is
// closed by market orders of its own strategy and leg, no larger than the venue takes
// and together no more than what may still be reduced: the open orders of the closing
// side are taken off, because they may yet fill. When these leave nothing, they are
// cancelled again and waited for.
//
// The orders are reduce-only of the account wherever it can be reduced. Positions of
// an account's strategies that cancel out are left: the account holds nothing then,
// and trading them would only cost. A single strategy that is flattened against the
// rest of its account, or beside orders of others that would close all of what the
// account holds, is closed under the account's limits.
//
// Every attempt waits twice as long as the one before it while nothing trades, up to
// flattenSlow. It never gives up, and rests while a node on the path is halted.
const (
	flattenEvery = core.Nanos(5e6)   // between two rounds
	flattenFirst = core.Nanos(100e6) // before the second attempt
	flattenSlow  = core.Nanos(5e9)   // between attempts at most
	flattenParts = 8                 // orders of one attempt
)

// closer is the pace of closing.
type closer struct {
	next  core.Nanos // when the next round begins
	at    int        // position that the present round has come to
	tries []attempt  // by position
}

// attempt is the last try to close a position.
type attempt struct {
	due  core.Nanos // of the next
	wait core.Nanos // after which it is due
	left core.Qty   // what was held before it
}

// takeFlattens sends the closing orders that are due. A cycle looks at no more than
// Batch positions.
func (e *Engine) takeFlattens(now core.Nanos) (n int) {
	c := &e.closer
	if len(e.m.flattens.all) == 0 || e.failed != nil || e.restart || e.draining {
		return 0
	}
	if c.at == 0 && now < c.next {
		return 0
	}
	for range e.cfg.Batch {
		if c.at >= len(e.m.positions.all) {
			c.at, c.next = 0, now+flattenEvery
			return n
		}
		n += e.closePosition(c.at, now)
		c.at++
	}
	return n + 1
}

// closePosition makes an attempt at one position, if one is due, and returns how many
// commands that took.
func (e *Engine) closePosition(i int, now core.Nanos) int {
	for len(e.closer.tries) <= i {
		e.closer.tries = append(e.closer.tries, attempt{})
	}
	p, try := e.m.positions.all[i], &e.closer.tries[i]
	held := p.Position.Qty
	if held == 0 {
		*try = attempt{}
		return 0
	}
	if held != try.left {
		try.wait = 0 // something traded
	}
	node := e.m.flattens.covering(p.Account, p.Strategy, p.Instrument)
	if now < try.due && held == try.left || node == nil ||
		e.m.isHalted(&core.Order{Account: p.Account, Strategy: p.Strategy, Instrument: p.Instrument}) {
		return 0
	}
	try.wait = min(max(2*try.wait, flattenFirst), flattenSlow)
	try.due, try.left = now+try.wait, held
	qty, reduceOnly := e.closable(&p, node.scope)
	if qty <= 0 {
		return e.clearWay(&p, node.scope, now)
	}
	return e.sendClosing(&p, qty, reduceOnly, now)
}

// closable is how much of a position a closing order may ask for now, and whether it
// reduces what the account holds as well.
func (e *Engine) closable(p *PositionState, node risk.Scope) (qty core.Qty, reduceOnly bool) {
	own := e.reducible(risk.InstrumentScope(p.Account, p.Strategy, p.Instrument), p.Position.Qty)
	if p.Leg != core.LegNet {
		return own, true
	}
	account := risk.InstrumentScope(p.Account, 0, p.Instrument)
	v, _ := e.m.tree.View(account)
	left := core.Qty(0) // of what others of the account hold, or close already
	if (v.Position > 0) == (p.Position.Qty > 0) {
		left = e.reducible(account, v.Position)
	}
	if left == 0 && node.Strategy != 0 {
		return own, false
	}
	return min(own, left), true
}

// reducible is what is left of a position of a node once its open orders of the
// closing side have filled.
func (e *Engine) reducible(s risk.Scope, held core.Qty) core.Qty {
	v, _ := e.m.tree.View(s)
	if held > 0 {
		return max(0, held-v.OpenSell)
	}
	return max(0, -held-v.OpenBuy)
}

// clearWay cancels what is open in the way of a closing order, unless it has been
// asked for.
func (e *Engine) clearWay(p *PositionState, node risk.Scope, now core.Nanos) int {
	s := risk.InstrumentScope(p.Account, node.Strategy, p.Instrument)
	if v, _ := e.m.tree.View(s); v.OpenOrders == 0 || e.m.countCancellable(s) == 0 {
		return 0
	}
	e.run(&Command{Kind: CmdCancelAll, Scope: s}, now)
	return 1
}

// sendClosing enters market orders for qty of a position, in parts that the venue
// takes. What is less than its smallest order, or between two steps, stays.
func (e *Engine) sendClosing(p *PositionState, qty core.Qty, reduceOnly bool, now core.Nanos) (n int) {
	in := e.m.instrument(p.Instrument)
	step, least, most := marketLot(in)
	c := Command{Kind: CmdNew, Side: core.Sell, Type: core.Market, TIF: core.IOC, Leg: p.Leg, ReduceOnly: reduceOnly,
		Account: p.Account, Strategy: p.Strategy, Instrument: p.Instrument, closing: true}
	if p.Position.Qty < 0 {
		c.Side = core.Buy
	}
	for n < flattenParts {
		c.Qty = min(qty, most)
		c.Qty -= c.Qty % step
		if c.Qty < least || c.Qty <= 0 {
			break
		}
		before := e.m.lastOrder
		e.run(&c, now)
		n++
		if e.m.lastOrder == before {
			break // it was refused: so would be the next
		}
		qty -= c.Qty
	}
	return n
}

// marketLot is the filter that a market order of the instrument meets: step, smallest
// and largest quantity.
func marketLot(in *core.Instrument) (step, least, most core.Qty) {
	step, least, most = in.MarketStepSize, in.MarketMinQty, in.MarketMaxQty
	if step <= 0 {
		step = max(in.StepSize, 1)
	}
	if least <= 0 {
		least = in.MinQty
	}
	if most <= 0 {
		most = in.MaxQty
	}
	if most <= 0 {
		most = 1<<63 - 1
	}
	return step, least, most
}
