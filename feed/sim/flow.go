package sim

import (
	"qcat/core"
	"qcat/feed"
)

// act chooses and does the action of one step.
func (m *Market) act(now core.Nanos) {
	bid, ask := m.units(m.bids.best()), m.units(m.asks.best())
	switch {
	case m.rng.chance(chanceOrder, chanceUnit):
		m.marketOrder(now, bid, ask)
	case bid > m.fair && m.rng.chance(chanceRetreat, chanceUnit):
		m.withdraw(&m.bids)
	case ask < m.fair && m.rng.chance(chanceRetreat, chanceUnit):
		m.withdraw(&m.asks)
	case ask-bid > fairUnit && m.rng.chance(chanceNarrow, chanceUnit):
		m.narrow(bid, ask)
	default:
		m.breathe()
	}
}

// marketOrder takes from the best level on. The side leans towards the fair
// value; the size is a fraction of a level, now and then several levels.
func (m *Market) marketOrder(now core.Nanos, bid, ask int64) {
	lean := (m.fair - (bid+ask)/2) * orderLean / fairUnit
	lean = min(max(lean, -orderLeanMax), orderLeanMax)
	side := core.Sell
	if int64(m.rng.below(chanceUnit)) < chanceUnit/2+lean {
		side = core.Buy
	}
	mean := m.levelQty / 4
	if m.rng.chance(1, 32) {
		mean = 2 * m.levelQty
	}
	left := m.draw(mean)
	book := m.ladder(side.Opposite())
	for range maxSweep {
		best := book.levels[0]
		take := min(left, best.Qty)
		if take == best.Qty && len(book.levels) <= m.minLevels() {
			take -= m.step
		}
		if take <= 0 {
			break
		}
		m.lastTrade++
		m.out = append(m.out, feed.Message{
			Kind: feed.MessageTrade, Side: side, Instrument: m.id, LastID: m.lastTrade,
			ExchangeTime: now, Price: best.Price, Qty: take,
		})
		book.set(best.Price, best.Qty-take)
		if left -= take; left == 0 || take < best.Qty {
			break
		}
	}
	if len(book.delta) == 0 { // the last level that must stay held one step only
		m.grow(book, book.best(), 0)
	}
}

// withdraw removes the best level; the last ones that a side must keep grow
// instead.
func (m *Market) withdraw(l *ladder) {
	if len(l.levels) <= m.minLevels() {
		m.refill(l)
		return
	}
	l.set(l.best(), 0)
}

// narrow puts a new best level one tick inside a spread of two ticks or more, on
// a side where it does not pass the fair value.
func (m *Market) narrow(bid, ask int64) {
	bidFits, askFits := bid+fairUnit <= m.fair, ask-fairUnit >= m.fair
	if bidFits && askFits {
		bidFits = m.rng.chance(1, 2)
	}
	if bidFits {
		m.bids.set(m.bids.best()+m.tick, m.draw(m.profile(0)))
		return
	}
	if askFits {
		m.asks.set(m.asks.best()-m.tick, m.draw(m.profile(0)))
		return
	}
	m.breathe() // both quotes stand beyond the fair value
}

// breathe changes one level near the touch, deeper ones less often.
func (m *Market) breathe() {
	l := &m.bids
	if m.rng.chance(1, 2) {
		l = &m.asks
	}
	d := uint64(m.depth)
	away := int(min(m.rng.below(d), m.rng.below(d)))
	price := m.away(l, away)
	have := l.qty(price)
	want := m.profile(away)
	if m.rng.chance(uint64(have), uint64(have+want)) {
		m.shrink(l, price, have, want)
		return
	}
	m.grow(l, price, away)
}

// shrink cancels part of a level, perhaps all of it.
func (m *Market) shrink(l *ladder, price core.Price, have, want core.Qty) {
	left := have - m.draw(want/2)
	if left <= 0 {
		if len(l.levels) <= m.minLevels() {
			m.refill(l)
			return
		}
		left = 0
	}
	l.set(price, left)
}

// grow adds a limit order of some size to a level, away ticks from the touch.
func (m *Market) grow(l *ladder, price core.Price, away int) {
	l.set(price, l.qty(price)+m.draw(m.profile(away)/2))
}

// refill adds the first level that is missing behind the best.
func (m *Market) refill(l *ladder) {
	for away := 1; ; away++ {
		if price := m.away(l, away); l.qty(price) == 0 {
			m.grow(l, price, away)
			return
		}
	}
}

// away returns the price n ticks behind the best of l.
func (m *Market) away(l *ladder, n int) core.Price {
	return l.best() - core.Price(l.side.Sign())*core.Price(n)*m.tick
}

// minLevels is what each side always keeps.
func (m *Market) minLevels() int { return m.depth / 2 }

// profile is the mean quantity of a level n ticks behind the best: a full one at
// the touch, half of it right behind, rising to three times at the far end.
func (m *Market) profile(n int) core.Qty {
	if n == 0 {
		return m.levelQty
	}
	return m.levelQty/2 + m.levelQty*core.Qty(n)*5/core.Qty(2*m.depth)
}

// draw returns an exponentially distributed quantity on the step grid, at least
// one step.
func (m *Market) draw(mean core.Qty) core.Qty {
	q := core.Qty(m.rng.exponential(uint64(mean)))
	return q - q%m.step + m.step
}
