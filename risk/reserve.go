package risk

import "qcat/core"

// path returns the nodes an order counts at, in check order, which are about to
// change.
func (t *Tree) path(o *Order, account, strategy uint32) (nodes [pathLen]*node, held [3]*pair) {
	x := &t.instruments[o.Instrument]
	held = [3]*pair{&x.firm, t.pairs.at(account), t.pairs.at(strategy)}
	nodes = [pathLen]*node{
		&t.firm.node, &t.accounts[o.Account].node, &t.strategies[o.Strategy].node,
		&held[0].node, &held[1].node, &held[2].node,
	}
	t.touchPath(&nodes, o, account, strategy)
	return nodes, held
}

// Accept reserves what a check approved. For a new order *h is overwritten; for
// an amendment h must be the hold that was checked, and reserves the worse of
// its old and new terms until ConfirmAmend or RejectAmend. It panics when a was
// not made by a check of this tree's present state.
func (t *Tree) Accept(a *Approved, h *Hold) {
	if a.version != t.version || (a.hold != nil && a.hold != h) {
		panic("risk: Accept of an approval that no check of this state made")
	}
	t.version++
	if a.hold == nil {
		t.acceptNew(a, h)
	} else {
		t.acceptAmend(a, h)
	}
}

func (t *Tree) acceptNew(a *Approved, h *Hold) {
	o := &a.order
	*h = Hold{order: *o, price: a.price, ref: a.ref, account: a.account, strategy: a.strategy, open: true}
	h.order.Crosses = 0 // it was so when it was checked
	if h.account == 0 {
		h.account = t.makePair(accountPairKey(o.Account, o.Instrument), o.Instrument)
	}
	if h.strategy == 0 {
		h.strategy = t.makePair(strategyPairKey(o.Strategy, o.Instrument), o.Instrument)
	}
	nodes, held := t.path(o, h.account, h.strategy)
	for _, n := range nodes {
		n.open++
		p := &t.profiles[n.profile]
		n.takeMessage(p, a.now)
		if p.set&(1<<LimitOrderRate) != 0 {
			n.ordTAT = p.orders.take(n.ordTAT, a.now)
		}
	}
	t.refresh(&t.instruments[o.Instrument], &nodes, held[2])
	t.setUnfilled(&nodes, h, a.reserves)
	t.openBy(&held, o, o.Qty, a.ref)
	t.firstMark(&t.instruments[o.Instrument], a.ref)
	t.ledgerOpen(h, o.Qty)
	t.observe(&t.instruments[o.Instrument], a.ref, a.now)
	if t.recent.sets != nil {
		k := recentOf(o, a.now)
		t.recent.record(&k)
	}
}

func (t *Tree) acceptAmend(a *Approved, h *Hold) {
	nodes, held := t.path(&h.order, h.account, h.strategy)
	for _, n := range nodes {
		n.takeMessage(&t.profiles[n.profile], a.now)
	}
	before := h.Leaves()
	h.pending, h.newPrice, h.newQty, h.newRef = true, a.order.Price, a.order.Qty, a.ref
	h.amends++
	t.setUnfilled(&nodes, h, a.reserves)
	t.openBy(&held, &h.order, h.Leaves()-before, a.ref)
	t.ledgerOpen(h, h.Leaves()-before)
	t.observe(&t.instruments[h.order.Instrument], a.ref, a.now)
}

// takeMessage takes a token of the message rate, where there is one.
func (n *node) takeMessage(p *profile, now core.Nanos) {
	if p.set&(1<<LimitMessageRate) != 0 {
		n.msgTAT = p.messages.take(n.msgTAT, now)
	}
}

// setUnfilled changes what the order counts as in unfilled.
func (t *Tree) setUnfilled(nodes *[pathLen]*node, h *Hold, value int64) {
	d := value - h.value
	for _, n := range nodes {
		n.unfilled += d
	}
	h.value = value
}

// openBy adds d to the open quantity of the order's side in all three pairs and
// values them at price.
func (t *Tree) openBy(held *[3]*pair, o *Order, d core.Qty, price core.Price) {
	x, parents := &t.instruments[o.Instrument], t.branches(o)
	unit, _ := x.val.unit(price)
	for k, p := range held {
		p.openBy(o.Side, d)
		t.value(x, p, parents[k], price, unit)
	}
}

func (p *pair) openBy(side core.Side, d core.Qty) {
	if side == core.Buy {
		p.buy += d
	} else {
		p.sell += d
	}
}

// Fill books a fill: b.Qty of the order is open no more, and the position moves by
// b.Moves. More than what is open, or a fill after Release, still moves the position:
// the venue's word counts. An order with nothing left gives back its place. It reports
// false, and changes nothing, when quantity or price is not positive or a position or
// its value would overflow.
func (t *Tree) Fill(h *Hold, b *Booking, now core.Nanos) bool {
	if h.account == 0 || b.Qty <= 0 || b.Price <= 0 {
		return false
	}
	next := *h
	filled, ok := add64(int64(h.filled), int64(b.Qty))
	next.filled = core.Qty(filled)
	var s scoring
	after, booked := t.ledgerFill(h, b)
	if !ok || !booked || !t.tryFill(&s, h, b) || !t.settle(h, &next, b.Moves) {
		return false
	}
	t.ledgerFilled(h, &after, b.Price)
	t.scoreFill(&s, b, next.filled == b.Qty, now)
	return true
}

// Release gives back what the order still reserves: it was cancelled, rejected,
// expired or filled. Releasing twice changes nothing.
func (t *Tree) Release(h *Hold) {
	if !h.open {
		return
	}
	next := *h
	next.open, next.pending = false, false
	t.settle(h, &next, 0)
}

// ConfirmAmend settles a pending amendment on the terms the venue confirmed
// (qty is the new total), which count even if they are not those asked for. An
// order with nothing left gives back its place. It reports false, and changes
// nothing, when the order is closed, a term is not positive or its value would
// overflow.
func (t *Tree) ConfirmAmend(h *Hold, price core.Price, qty core.Qty) bool {
	if !h.open || price <= 0 || qty <= 0 {
		return false
	}
	next := *h
	if next.pending {
		next.ref = next.newRef
	}
	next.pending = false
	next.order.Price, next.order.Qty, next.price = price, qty, price
	return t.settle(h, &next, 0)
}

// RejectAmend drops a pending amendment: the old terms stay. An order whose old
// terms are filled gives back its place.
func (t *Tree) RejectAmend(h *Hold) {
	if !h.open || !h.pending {
		return
	}
	next := *h
	next.pending = false
	t.settle(h, &next, 0)
}

// CountCancel counts a cancel of the order against the message rate of every
// level. It never refuses. Cancel-all and the kill switch do not call it.
func (t *Tree) CountCancel(h *Hold, now core.Nanos) {
	if h.account == 0 {
		return
	}
	t.version++
	nodes, _ := t.path(&h.order, h.account, h.strategy)
	for _, n := range nodes {
		n.takeMessage(&t.profiles[n.profile], now)
	}
}

// settle moves the tree from what h reserves to what next reserves and the
// position by d, and writes next to h. Each pair keeps the price it is valued at.
// All or nothing: on overflow it reports false.
func (t *Tree) settle(h, next *Hold, d core.Qty) bool {
	if next.Leaves() == 0 {
		next.open, next.pending = false, false
	}
	x := &t.instruments[h.order.Instrument]
	value, ok := next.reserve(x.val)
	if !ok {
		return false
	}
	nodes, held := t.path(&h.order, h.account, h.strategy)
	for _, n := range nodes {
		if _, ok := add64(n.unfilled-h.value, value); !ok {
			return false
		}
	}
	change := next.Leaves() - h.Leaves()
	for k, p := range held {
		if !moves(p, nodes[k], x.val, h.order.Side, change, d) {
			return false
		}
	}
	t.version++
	t.setUnfilled(&nodes, h, value)
	next.value = value
	parents := t.branches(&h.order)
	for k, p := range held {
		p.position += d
		p.openBy(h.order.Side, change)
		unit, _ := x.val.unit(p.price)
		t.value(x, p, parents[k], p.price, unit)
	}
	if h.open && !next.open {
		for _, n := range nodes {
			n.open--
		}
	}
	*h = *next
	t.ledgerOpen(h, change)
	return true
}

// moves reports whether a pair and its parent can hold a change of the open
// quantity of a side and of the position.
func moves(p *pair, parent *node, v valuation, side core.Side, change, d core.Qty) bool {
	q := pair{price: p.price, buy: p.buy, sell: p.sell}
	q.gross = p.gross
	position, ok1 := add64(int64(p.position), int64(d))
	q.position = core.Qty(position)
	open, ok2 := add64(int64(p.buy), int64(change))
	if side == core.Sell {
		open, ok2 = add64(int64(p.sell), int64(change))
		q.sell = core.Qty(open)
	} else {
		q.buy = core.Qty(open)
	}
	unit, ok3 := v.unit(p.price)
	return ok1 && ok2 && ok3 && fits(&q, parent, v, unit)
}

// reserve returns what the order counts as in unfilled: the open quantity at its
// price, the larger of the old and the new while an amendment is pending.
func (h *Hold) reserve(v valuation) (int64, bool) {
	if !h.open {
		return 0, true
	}
	value, ok := v.at(max(h.order.Qty-h.filled, 0), h.price)
	if h.pending && ok {
		var other int64
		other, ok = v.at(max(h.newQty-h.filled, 0), h.newPrice)
		value = max(value, other)
	}
	return value, ok
}

// at is the value of a quantity at a price.
func (v valuation) at(q core.Qty, p core.Price) (int64, bool) {
	unit, ok := v.unit(p)
	if !ok {
		return 0, false
	}
	return v.value(q, unit)
}
