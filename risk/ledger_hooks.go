package risk

import "qcat/core"

// What happens to an order happens to its account's ledger in the same call.

// ledgerOpen carries a change of an order's open quantity into its account's holding,
// and what the order sets aside into the wallet.
func (t *Tree) ledgerOpen(h *Hold, change core.Qty) {
	o := &h.order
	x, a := &t.instruments[o.Instrument], t.holdingOf(h.account, o.Account, o.Instrument)
	l := &a.legs[legOf(o.Leg)]
	if o.Side == core.Buy {
		l.buy += change
	} else {
		l.sell += change
	}
	funds := x.fundsOf(h)
	w := t.ledger.wallets.at(a.fundsWallet(x, o.Side))
	w.reserved = plus(w.reserved, minus(wide(funds), wide(h.funds)))
	h.funds = funds
	t.reopen(a, legOf(o.Leg))
}

// firstMark gives an instrument without a mark the reference of its first order to
// value holdings by, of which nobody has any yet, and the currency that it is a rate of.
func (t *Tree) firstMark(x *instrument, ref core.Price) {
	if x.marked == 0 {
		x.marked = ref
		t.revalued()
	}
}

// ledgerMark values the holdings of an instrument, and the currency that it is a rate
// of, at a mark. One that is not confirmed is passed over, unless there has been no
// price at all: one bad tick calls for no margin, and frees none.
func (t *Tree) ledgerMark(x *instrument, price core.Price, confirmed bool) {
	if !confirmed && x.marked != 0 {
		return
	}
	x.marked = price
	t.revalueHoldings(x, confirmed)
	t.markRates(x.in.ID)
}

// revalueHoldings works out the figures of every holding of an instrument anew, and
// calls for margin where it is missing.
func (t *Tree) revalueHoldings(x *instrument, call bool) {
	for s := x.first; s != 0; {
		p := t.pairs.at(s)
		if p.holding != 0 {
			h := t.ledger.holdings.at(p.holding)
			t.remark(h, 0)
			if h.legs[1].opened() {
				t.remark(h, 1)
			}
			if call {
				t.callMargin(h)
			}
		}
		s = p.next
	}
}

// ledgerFill books a fill in the account's own position, before the order's open
// quantity follows it. It reports false, and changes nothing, when the position cannot
// take it; done says what it did to the leg's margin.
func (t *Tree) ledgerFill(h *Hold, b *Booking) (after core.Position, ok bool) {
	o := &h.order
	a := t.holdingOf(h.account, o.Account, o.Instrument)
	after = a.legs[legOf(o.Leg)].Position
	f := b.fill(o.Side)
	ok = after.Apply(t.instruments[o.Instrument].in, &f)
	return after, ok
}

// ledgerFilled puts the position after a fill in its place.
func (t *Tree) ledgerFilled(h *Hold, after *core.Position, price core.Price) {
	o := &h.order
	a := t.holdingOf(h.account, o.Account, o.Instrument)
	l := &a.legs[legOf(o.Leg)]
	if a.isolated {
		t.setMargin(a, l, t.instruments[o.Instrument].isolatedMargin(a, l, after.Qty, price))
	}
	l.Position = *after
	t.update(a, legOf(o.Leg))
	t.callMargin(a)
}

// isolatedMargin is the margin of an isolated leg after a fill: what is opened brings
// its initial margin at the price of the fill, what is closed takes its part away,
// rounded down.
func (x *instrument) isolatedMargin(h *holding, l *leg, after core.Qty, price core.Price) int64 {
	before, now := max(l.Qty, -l.Qty), max(after, -after)
	kept := l.margin
	switch {
	case before == 0 || (l.Qty < 0) != (after < 0):
		before, kept = 0, 0
	case now < before && kept < 0:
		v, _ := core.MulDiv(-kept, int64(now), int64(before), core.RoundUp)
		return -v
	case now < before:
		v, _ := core.MulDiv(kept, int64(now), int64(before), core.RoundDown)
		return v
	}
	sum, ok := add64(kept, x.initial(now-before, h.leverage, price))
	return atLeast(sum, ok)
}
