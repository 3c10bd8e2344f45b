package engine

import (
	"math/bits"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// counts are numbers of something by instrument.
type counts []int32

func (c *counts) add(id core.InstrumentID, n int32) {
	for int64(len(*c)) <= int64(id) {
		*c = append(*c, 0)
	}
	(*c)[id] += n
}

func (c counts) any(id core.InstrumentID) bool { return int64(id) < int64(len(c)) && c[id] != 0 }

// marks is the pace at which instruments are valued anew: what was recorded last of
// each, and how far the present round has come. Nothing of it is state.
type marks struct {
	next core.Nanos // when the next round begins
	left int        // instruments of this round still to be looked at
	last []lastMark // by instrument
	// asked says that some node is over a limit and waits for marks that say so once
	// more: in this round every good price is recorded, moved or not.
	asked bool
}

type lastMark struct {
	price     core.Price
	at        core.Nanos // when it was recorded
	good      bool       // it came from a fresh, uncrossed book
	confirmed bool
}

// skipMarks bounds the instruments that nobody watches which a cycle passes over.
const skipMarks = 1 << 12

// mark records the present prices of the instruments that are watched, where they
// have moved enough: every node that holds one is thereby evaluated, and no other. A
// cycle looks at no more than Batch of them, and acts at once on what they breach.
func (e *Engine) mark(now core.Nanos) int {
	p := &e.marks
	if now >= p.next && p.left == 0 {
		p.next = now + core.Nanos(e.cfg.MarkEvery)
		p.left = len(e.m.instruments) - 1
		p.asked = e.m.tree.Confirming()
	}
	n := 0
	for looked, skipped := 0, 0; p.left > 0 && looked < e.cfg.Batch && skipped < skipMarks; p.left-- {
		id := core.InstrumentID(p.left)
		if !e.m.watched(id) {
			skipped++
			continue
		}
		looked++
		recorded, err := e.markOne(id, now)
		if err != nil {
			p.left = 0
			return n
		}
		n += recorded
	}
	return n + boolToInt(p.left > 0)
}

// watched reports whether somebody's limits depend on the price of an instrument: it
// is held, has open orders, values a currency, or has a circuit breaker.
func (m *machine) watched(id core.InstrumentID) bool {
	if m.positions.heldOf.any(id) || m.orders.openOf.any(id) || m.tree.IsRate(id) {
		return true
	}
	limits := m.tree.Limits(risk.InstrumentScope(0, 0, id))
	_, breaker := limits.Get(risk.LimitVolatilityMove)
	return breaker
}

// markOne records the price of an instrument if it is due.
func (e *Engine) markOne(id core.InstrumentID, now core.Nanos) (recorded int, err error) {
	for int64(len(e.marks.last)) <= int64(id) {
		e.marks.last = append(e.marks.last, lastMark{})
	}
	if !e.cfg.Quotes.Load(id, &e.quote) {
		return 0, nil
	}
	px, seen := valuation(&e.quote)
	if px <= 0 {
		return 0, nil
	}
	last := &e.marks.last[id]
	now = max(now, e.m.now)
	mark := lastMark{price: px, at: now, good: isGood(&e.quote, seen, now)}
	mark.confirmed = mark.good && last.good && !moved(last.price, px, e.m.markCollar(id))
	if !e.markDue(last, &mark) {
		return 0, nil
	}
	e.rec.Type = record.TypeMark
	e.rec.Mark = record.Mark{Instrument: id, Price: px, Seen: seen, Confirmed: mark.confirmed}
	if _, err := e.defineAt(now); err != nil {
		return 0, err
	}
	*last = mark
	return 1 + e.takeBreaches(now), nil
}

// isGood reports whether a price may confirm a breach: it is fresh, and its book is
// neither stale nor crossed.
func isGood(q *core.Quote, seen, now core.Nanos) bool {
	return q.Flags&(core.FlagStale|core.FlagCrossed) == 0 && !q.Crossed() && now-seen <= markFresh
}

// markDue reports whether a price is to be recorded: at once when it moved by MarkMove,
// is the first, or says more surely what was not confirmed, or when some node asks;
// otherwise once MarkQuiet has passed since the last, if it moved at all.
func (e *Engine) markDue(last, next *lastMark) bool {
	switch {
	case last.price == 0, moved(last.price, next.price, e.cfg.MarkMove), next.confirmed && !last.confirmed:
		return true
	case next.good && (e.marks.asked || !last.good):
		return true
	}
	return next.price != last.price && next.at-last.at >= core.Nanos(e.cfg.MarkQuiet)
}

// markCollar is how far, in PPM, a price may be from the last one and still agree with
// it: the tightest collar of orders in the instrument, or usualCollar where there is
// none. A price beyond it is believed when the next agrees with it.
func (m *machine) markCollar(id core.InstrumentID) int64 {
	in := m.instruments[id]
	collar := int64(usualCollar)
	for _, venue := range [...]int64{in.BidCollarUp, in.BidCollarDown, in.AskCollarUp, in.AskCollarDown} {
		if venue > 0 {
			collar = min(collar, venue)
		}
	}
	for _, s := range [...]risk.Scope{risk.FirmScope(), risk.InstrumentScope(0, 0, id)} {
		limits := m.tree.Limits(s)
		for l := risk.LimitCollarBuyUp; l <= risk.LimitCollarSellDown; l++ {
			if v, set := limits.Get(l); set {
				collar = min(collar, v)
			}
		}
	}
	return collar
}

// moved reports whether a price differs from another by a number of PPM of that or
// more.
func moved(from, to core.Price, ppm int64) bool {
	d := to - from
	if d < 0 {
		d = -d
	}
	hi, lo := bits.Mul64(uint64(d), core.PPM)
	limitHi, limitLo := bits.Mul64(uint64(from), uint64(ppm))
	return hi > limitHi || hi == limitHi && lo >= limitLo
}

const (
	// markPatience is how much older than the book a mark may be, in ns: venues send
	// one a second, and one that stopped must not value positions for ever.
	markPatience = core.Nanos(60e9)
	// markFresh is how old a price may be that confirms a breach, in ns.
	markFresh = core.Nanos(5e9)
	// usualCollar is how far a price may be from the one before it, in PPM.
	usualCollar = 50_000
)

// valuation is what a position is worth a unit, and when that price was received: the
// venue's mark, the middle of a live book when that is much newer, or else the last
// that is known.
func valuation(q *core.Quote) (core.Price, core.Nanos) {
	mid := core.Price(0)
	if q.BidPrice > 0 && q.AskPrice > 0 && !q.Flags.Has(core.FlagStale) && !q.Crossed() {
		mid = q.BidPrice + (q.AskPrice-q.BidPrice)/2
	}
	switch {
	case q.MarkPrice > 0 && (mid == 0 || q.ReceiveTime-q.MarkTime <= markPatience):
		return q.MarkPrice, q.MarkTime
	case mid > 0:
		return mid, q.ReceiveTime
	}
	return q.LastPrice, q.LastTime
}
