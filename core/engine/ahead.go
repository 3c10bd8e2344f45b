package engine

import "qcat/risk"

// How many commands before its turn the memory of an order's check is asked for: what
// its numbers lead to first, then what that leads to (risk.Tree.Ahead, Near).
const (
	farAhead  = 8
	nearAhead = 4
)

// lookAhead asks for the memory of the orders that come soon after command i of a
// batch; with -1, of its first. A single order has nothing to hide the wait behind.
func (e *Engine) lookAhead(batch []Command, i int) {
	if i < 0 {
		for far := range min(farAhead, len(batch)) {
			e.fetch(batch, far, true)
		}
		for near := range min(nearAhead, len(batch)) {
			e.fetch(batch, near, false)
		}
		return
	}
	e.fetch(batch, i+farAhead, true)
	e.fetch(batch, i+nearAhead, false)
}

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
