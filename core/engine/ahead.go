package engine

import "qcat/risk"

// How many commands before its turn the memory of an order's check is asked for: what
// its numbers lead to first, then what that leads to (risk.Tree.Ahead, Near).
const (
	farAhead  = 8
	nearAhead = 4
)

// fetchFirst asks for the memory of the first orders of a batch. A single one has
// nothing to hide the wait behind.
func (e *Engine) fetchFirst(batch []Command) {
	if len(batch) < 2 {
		return
	}
	for i := range farAhead {
		e.fetch(batch, i, true)
	}
	for i := range nearAhead {
		e.fetch(batch, i, false)
	}
}

// fetchAfter asks for the memory of the orders that come soon after command i.
func (e *Engine) fetchAfter(batch []Command, i int) {
	e.fetch(batch, i+farAhead, true)
	e.fetch(batch, i+nearAhead, false)
}

// fetch asks for the memory of command i, if there is one and it is a new order.
func (e *Engine) fetch(batch []Command, i int, far bool) {
	if i >= len(batch) || batch[i].Kind != CmdNew {
		return
	}
	c := &batch[i]
	o := risk.Order{Account: c.Account, Strategy: c.Strategy, Instrument: c.Instrument, Side: c.Side, Price: c.Price, Qty: c.Qty}
	if far {
		e.m.tree.Ahead(&o)
	} else {
		e.m.tree.Near(&o)
	}
}
