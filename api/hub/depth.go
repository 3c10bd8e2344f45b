package hub

import (
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/book"
)

// onLevel collects the levels of one depth message and sends them when it is
// complete: a book is only ever shown as the venue had it.
func (m *feedHandler) onLevel(it *instrument, ev *core.Event, b *book.Replica) {
	t := &it.topics[Depth]
	if ev.Flags.Has(core.FlagFirst) {
		it.inRun = len(t.subs) > 0 && !ev.Flags.Has(core.FlagSnapshot)
		it.bids, it.asks = it.bids[:0], it.asks[:0]
	}
	if it.inRun {
		l := core.Level{Price: ev.Price, Qty: ev.Qty}
		if ev.Side == core.Buy {
			it.bids = append(it.bids, l)
		} else {
			it.asks = append(it.asks, l)
		}
	}
	if !ev.Flags.Has(core.FlagLast) {
		return
	}
	whole := it.inRun
	it.inRun = false
	if b.Stale() {
		return // part of the run is missing; the tap has asked for a snapshot
	}
	m.advance(it, ev)
	m.recovered(it, b)
	t.seq++
	if len(t.subs) == 0 {
		return
	}
	if ev.Flags.Has(core.FlagSnapshot) {
		// The book was replaced, no change leads to it: all wait for the new one.
		m.out.renew(t)
	} else if whole {
		m.begin(t, ev.ExchangeTime, ev.ReceiveTime)
		m.scratch = wire.AppendDepth(m.scratch, it.def, false, it.bids, it.asks)
		m.publish(t, m.end())
	}
	if t.waiting {
		t.waiting = false
		m.out.add(t, bookEntry, m.bookFrame(t, b))
	}
}

// sendBook sends the whole book to a subscription that begins. It is live afterwards
// unless its connection lags.
func (m *feedHandler) sendBook(t *topic, s *subscription, b *book.Replica) {
	s.state = subLive
	if m.push(s, m.bookFrame(t, b)) {
		m.stats.snapshots.Add(1)
	}
}

// bookFrame returns the frame of t's book as of t.seq, built at most once a seq.
func (m *feedHandler) bookFrame(t *topic, b *book.Replica) []byte {
	if m.snapshotOf == t && m.snapshotSeq == t.seq {
		return m.snapshot
	}
	m.levels[0] = b.Book().Levels(core.Buy, m.levels[0][:0], -1)
	m.levels[1] = b.Book().Levels(core.Sell, m.levels[1][:0], -1)
	m.begin(t, b.ExchangeTime(), b.ReceiveTime())
	m.scratch = wire.AppendDepth(m.scratch, t.in.def, true, m.levels[0], m.levels[1])
	m.snapshot = append(m.snapshot[:0], m.end()...)
	m.snapshotOf, m.snapshotSeq = t, t.seq
	return m.snapshot
}

// onStale says on bbo and depth that the book is not to be trusted (I7); the
// snapshot that follows makes it whole.
func (m *feedHandler) onStale(it *instrument, ev *core.Event) {
	it.inRun = false
	if it.stale {
		return
	}
	it.stale = true
	m.stats.stale.Add(1)
	t := &it.topics[Depth]
	t.seq++
	if len(t.subs) > 0 {
		m.begin(t, ev.ExchangeTime, ev.ReceiveTime)
		m.scratch = wire.AppendDepthStale(m.scratch)
		m.publish(t, m.end())
	}
	if it.bboKnown {
		it.bbo.Stale = true
		m.publishBBO(it)
	}
}

// recovered takes back what onStale said, when the book is whole again: the best
// prices are those of the book, not those from before the gap.
func (m *feedHandler) recovered(it *instrument, b *book.Replica) {
	if !it.stale {
		return
	}
	it.stale = false
	if !it.bboKnown || !it.bbo.Stale {
		return
	}
	bid, _ := b.Book().BestBid()
	ask, _ := b.Book().BestAsk()
	it.bbo = wire.BBO{BidPrice: bid.Price, BidQty: bid.Qty, AskPrice: ask.Price, AskQty: ask.Qty}
	it.bboEts, it.bboRts = b.ExchangeTime(), b.ReceiveTime()
	m.publishBBO(it)
}
