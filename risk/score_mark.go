package risk

import "qcat/core"

// A confirmed mark values profits anew in two passes, as it does values: what any
// node cannot hold changes none. all asks also those whose profit no price changes,
// because the rate has.

// tryMark works out the profits of all that hold an instrument at a price.
func (t *Tree) tryMark(x *instrument, price core.Price, all bool) bool {
	if !x.tryMark(&x.firm, &x.tally, &t.scores.firm, price, all) {
		return false
	}
	for s := x.first; s != 0; s = t.pairs.at(s).next {
		p := t.pairs.at(s)
		if !x.tryMark(p, t.pairs.tally(s), t.seat(parentAt(p)).sc, price, all) {
			return false
		}
	}
	return true
}

func (x *instrument) tryMark(p *pair, l *tally, parent *score, price core.Price, all bool) bool {
	if !x.moved(p, l, all) {
		return true
	}
	var ok bool
	l.next, ok = x.worthOf(l.cash, l.cost, p.position, price)
	_, fits := add64(parent.pnl, l.next-l.pnl)
	return ok && fits && near(l.next, l.pnl)
}

// moved reports whether a price, or with all a rate, changes the profit of a pair.
func (x *instrument) moved(p *pair, l *tally, all bool) bool {
	if all || x.in.Kind == core.Inverse {
		return p.position != 0 || l.cash != (core.Int128{}) || l.cost != 0
	}
	return p.position != 0
}

// scoreMark commits what tryMark worked out, and looks at what it trips: first of the
// firm, then of each that holds the instrument.
func (t *Tree) scoreMark(x *instrument, price core.Price, all bool) {
	x.mark = price
	why := event{instrument: x.in.ID, price: price, mark: !all}
	firm := ScopeCursor{sectionInstruments, uint32(x.in.ID)}
	if x.moved(&x.firm, &x.tally, all) {
		t.scoreMarked(t.seat(firm), t.seat(ScopeCursor{sectionFirm, 0}), &x.tally, &why)
	}
	for s := x.first; s != 0; s = t.pairs.at(s).next {
		p := t.pairs.at(s)
		if l := t.pairs.tally(s); x.moved(p, l, all) {
			t.scoreMarked(seat{&p.node, &l.score, ScopeCursor{sectionPairs, s}}, t.seat(parentAt(p)), l, &why)
		}
	}
}

func (t *Tree) scoreMarked(own, parent seat, l *tally, why *event) {
	t.newDay(&own)
	t.newDay(&parent)
	gains(l, parent.sc)
	own.sc.rises()
	parent.sc.rises()
	t.judge(&own, why)
	t.judge(&parent, why)
}
