package risk

import "qcat/core"

// After is what the nodes of an order's path would have used once it had been
// accepted, whether or not it would be. Nothing of it is reserved or counted.
type After struct {
	// Known is how many of Levels are filled in: none when the order has no path or
	// is no order, and otherwise all.
	Known  int
	Levels [pathLen]LevelAfter

	// Margin says what the order's account would have left in the currency that pays
	// for it.
	Margin MarginAfter
}

// LevelAfter is one node with the order open.
type LevelAfter struct {
	Scope      Scope
	State      TradingState // now: an order changes none
	OpenOrders int

	// Valued is false when there is no price to value the order at, or a value does
	// not fit: the amounts are then what they are without it.
	Valued bool
	// Gross, Net and Unfilled are in the risk currency. Net is what the node would be
	// worth if the orders of the order's side filled, with its sign.
	Gross, Net, Unfilled int64

	// Leverage is gross over equity; firm and account, while the equity is known.
	Leverage      int64 // PPM
	LeverageKnown bool

	// ScenarioLoss is what the node would lose in the worst of the scenarios, whose
	// name is Scenario; not on instrument scopes.
	ScenarioLoss  int64
	Scenario      string
	ScenarioKnown bool
}

// MarginAfter is a wallet with the order open, in 10^-ValueScale of its currency.
type MarginAfter struct {
	Known    bool // there is such a wallet, and every amount fits
	Currency string
	Initial  int64 // initial margin of all positions and open orders
	Reserved int64 // set aside by open orders
	Free     int64
}

// Project tells what the nodes of o's path would have used once it had been accepted
// now. It reads only, whatever the controls would say of the order: see CheckAll.
func (t *Tree) Project(o *Order, ref *Reference, now core.Nanos) (a After) {
	c := check{t: t, o: *o, now: now, all: true}
	if c.identity() || c.valid() {
		return a
	}
	c.reference(ref)
	valued := c.refUnit != 0 && c.valued()
	for i, n := range c.nodes {
		l := &a.Levels[i]
		*l = LevelAfter{Scope: c.scope(i), State: n.state, OpenOrders: int(n.open) + 1, Gross: n.gross, Unfilled: n.unfilled}
		if l.Net = n.long; o.Side == core.Sell {
			l.Net = n.short
		}
		if valued {
			c.projectUnfilled(n, l)
		}
	}
	a.Known = pathLen
	if valued {
		c.projectExposure(&a)
		c.projectMargin(&a)
	}
	return a
}

// projectUnfilled adds the order to what is open of a node.
func (c *check) projectUnfilled(n *node, l *LevelAfter) {
	if v, ok := add64(n.unfilled, c.adds); ok {
		l.Unfilled, l.Valued = v, true
	}
}

// projectExposure values the three pairs with the order open, and what they belong to.
func (c *check) projectExposure(a *After) {
	var size shocks
	at := c.t.branches(&c.o)
	for k, p := range c.pairsOf() {
		above, own := &a.Levels[k], &a.Levels[atFirmInstrument+k]
		long, short, gross, ok := c.project(p)
		if !ok {
			above.Valued, own.Valued = false, false
			continue
		}
		parent := c.nodes[k]
		net, before := long, p.long
		if c.o.Side == core.Sell {
			net, before = short, p.short
		}
		own.Gross, own.Net = gross, net
		total, ok1 := add64(parent.gross-p.gross, gross)
		sum, ok2 := add64(above.Net-before, net)
		if above.Valued = above.Valued && ok1 && ok2; above.Valued {
			above.Gross, above.Net = total, sum
		}
		size.take(&c.profiles[k].Limits)
		c.projectScenarios(above, size.or(), parent.long-p.long+long, parent.short-p.short+short, at[k].stress.with(c.x, p, long, short))
	}
}

// projectScenarios works out the worst scenario of a node that would be worth long and
// short.
func (c *check) projectScenarios(l *LevelAfter, size shocks, long, short int64, d stress) {
	if !l.Valued {
		return
	}
	l.ScenarioKnown = true
	for i := range fullScenarios {
		if s := size.scenario(i, long, short, l.Gross, d); i == 0 || s.Loss > l.ScenarioLoss {
			l.Scenario, l.ScenarioLoss = s.Name, s.Loss
		}
	}
}
