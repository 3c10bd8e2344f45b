package risk

import "qcat/core"

// scoring is a fill, or a payment, on its way into the three pairs of a path.
type scoring struct {
	x     *instrument
	pairs [3]*pair
	tally [3]*tally
	seats [pathLen]seat // in check order
	mark  core.Price    // what profits are valued at after it
}

// scoringOf finds the path of a strategy in an instrument that it holds.
func (t *Tree) scoringOf(s *scoring, account, strategy, id, slotA, slotS uint32) {
	s.x = &t.instruments[id]
	s.pairs = [3]*pair{&s.x.firm, t.pairs.at(slotA), t.pairs.at(slotS)}
	s.tally = [3]*tally{&s.x.tally, t.pairs.tally(slotA), t.pairs.tally(slotS)}
	s.seats = [pathLen]seat{
		{&t.firm.node, &t.scores.firm, ScopeCursor{sectionFirm, 0}},
		{&t.accounts[account].node, &t.scores.accounts[account], ScopeCursor{sectionAccounts, account}},
		{&t.strategies[strategy].node, &t.scores.strategies[strategy], ScopeCursor{sectionStrategies, strategy}},
		{&s.pairs[0].node, &s.tally[0].score, ScopeCursor{sectionInstruments, id}},
		{&s.pairs[1].node, &s.tally[1].score, ScopeCursor{sectionPairs, slotA}},
		{&s.pairs[2].node, &s.tally[2].score, ScopeCursor{sectionPairs, slotS}},
	}
	s.mark = s.x.mark
}

// try works out what a booking makes of the profits of a path, and reports whether
// they fit. It changes nothing but what is being tried.
func (s *scoring) try(b *Booking) bool {
	if s.mark == 0 {
		s.mark = b.Price // nothing was held: this is the first price there is
	}
	for k, l := range s.tally {
		cash, ok1 := l.cash.Add(b.Cash)
		cost, ok2 := add64(l.cost, int64(b.Fee))
		held, ok3 := add64(int64(s.pairs[k].position), int64(b.Moves))
		pnl, ok4 := s.x.worthOf(cash, cost, core.Qty(held), s.mark)
		_, ok5 := add64(s.seats[k].sc.pnl, pnl-l.pnl)
		if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !near(pnl, l.pnl) {
			return false
		}
		l.next = pnl
	}
	return true
}

// near reports whether the difference of two profits fits.
func near(a, b int64) bool {
	d := a - b
	return (d < 0) == (a < b)
}

// tryFill prepares what scoreFill commits. It reports false when a profit does not
// fit, and then nothing has changed.
func (t *Tree) tryFill(s *scoring, h *Hold, b *Booking) bool {
	o := &h.order
	t.scoringOf(s, uint32(o.Account), uint32(o.Strategy), uint32(o.Instrument), h.account, h.strategy)
	return s.try(b)
}

// scoreFill books what tryFill prepared, after positions have moved: profits, round
// trips, and what they trip. first says that the order had not traded before.
func (t *Tree) scoreFill(s *scoring, b *Booking, first bool, now core.Nanos) {
	t.told(now)
	t.begin()
	s.x.mark = s.mark
	for k, l := range s.tally {
		t.newDay(&s.seats[k])
		t.newDay(&s.seats[atFirmInstrument+k])
		l.cash, _ = l.cash.Add(b.Cash)
		l.cost += int64(b.Fee)
		gains(l, s.seats[k].sc)
		if ended, lost := l.round(s.x.in, s.pairs[k].position, b); ended {
			s.seats[k].sc.ended(lost)
			l.ended(lost)
		}
	}
	why := event{instrument: s.x.in.ID, price: b.Price}
	for i := range s.seats {
		s.seats[i].sc.rises()
		t.judge(&s.seats[i], &why)
	}
	t.flows.fill(t, s, b, first)
}

// charge takes a payment off the profits of a strategy in an instrument: funding. It
// reports false, and books nothing, when its account never traded it, the strategy's
// node has no room or a profit does not fit.
func (t *Tree) charge(strategy core.StrategyID, id core.InstrumentID, paid core.Notional) bool {
	n := nodeAt(t.strategies, uint32(strategy))
	if n == nil || t.instrument(id) == nil {
		return false
	}
	slotA := t.pairs.find(accountPairKey(core.AccountID(n.owner), id))
	slotS := t.pairs.find(strategyPairKey(strategy, id))
	if slotA == 0 || (slotS == 0 && !t.pairs.room(1)) {
		return false
	}
	if slotS == 0 {
		slotS = t.makePair(strategyPairKey(strategy, id), id)
	}
	var s scoring
	t.scoringOf(&s, n.owner, uint32(strategy), uint32(id), slotA, slotS)
	if !s.try(&Booking{Fee: paid}) {
		return false
	}
	why := event{instrument: id, price: s.mark}
	for k, l := range s.tally {
		t.newDay(&s.seats[k])
		t.newDay(&s.seats[atFirmInstrument+k])
		l.cost += int64(paid)
		gains(l, s.seats[k].sc)
	}
	for i := range s.seats {
		s.seats[i].sc.rises()
		t.judge(&s.seats[i], &why)
	}
	return true
}

// round reports whether a booking that left after of the position ended a round trip,
// and whether that lost money in the settlement currency, all its fees and funding
// counted. One ends when the position returns to zero, or flips: the part beyond zero
// begins the next at the fill's price, and the fee is the old one's.
func (l *tally) round(in *core.Instrument, after core.Qty, b *Booking) (ended, lost bool) {
	before := after - b.Moves
	if before == 0 || (after != 0 && (before < 0) == (after < 0)) {
		return false, false
	}
	end := l.cash
	if after != 0 {
		size := after
		if after < 0 {
			size = -after
		}
		v, _ := core.ExactValue(in, b.Price, size)
		if (after < 0) != (in.Kind == core.Inverse) {
			v = v.Neg()
		}
		end, _ = l.cash.Add(v)
	}
	scale := int(in.PriceScale) + int(in.QtyScale)
	if in.Kind == core.Inverse {
		scale = 24
	}
	won, _ := end.Sub(l.startCash)
	net, ok := won.Scaled(1, 1, scale-int(in.SettleScale))
	lost = net < l.cost-l.startCost
	if !ok {
		lost = won.Sign() < 0
	}
	l.startCash, l.startCost = end, l.cost
	return true, lost
}

// ended counts a round trip.
func (s *score) ended(lost bool) {
	if !lost {
		s.streak = 0
	} else if s.streak < maxCount {
		s.streak++
	}
}
