package feed

import "qcat/core"

// quoteState is what a lane knows of an instrument's best bid and offer.
type quoteState struct {
	// quote is what was last stored. Its Seq is the update id as of which bid and
	// offer are known, from the venue's quotes or from the book.
	quote  core.Quote
	ticker uint64 // update id of the last quote message
	// marked is the venue's time of the mark price in quote, 0 when the next one
	// is taken whatever its time.
	marked core.Nanos
}

// tradeState is the sequence of an instrument's trades.
type tradeState struct {
	id     uint64
	resume bool // ids may have started anew
}

// quote takes a best bid and offer of the venue's: it is news when it is newer
// than what the book has said.
func (l *Lane) quote(in *instrument, m *Message, rx core.Nanos) {
	l.stats.Quotes++
	b := &in.bbo
	if m.LastID != 0 {
		if m.LastID <= b.ticker {
			l.stats.QuotesOld++
			return
		}
		b.ticker = m.LastID
		if m.LastID <= b.quote.Seq {
			return
		}
		b.quote.Seq = m.LastID
	}
	q := &b.quote
	q.BidPrice, q.BidQty = m.Price, m.Qty
	q.AskPrice, q.AskQty = m.AskPrice, m.AskQty
	q.ExchangeTime, q.ReceiveTime = m.ExchangeTime, rx
	if q.Crossed() {
		l.stats.Crossed++
	}
	l.storeQuote(in)
	l.publishQuote(in)
}

// quoteFromBook brings the quote up to the book after m was applied. A book that
// confirms the quote refreshes its age without an event.
func (l *Lane) quoteFromBook(in *instrument, m *Message, rx core.Nanos) {
	q := &in.bbo.quote
	before := q.Flags
	changed := false
	if seq := in.sync.LastID(); seq > q.Seq {
		bid, _ := in.book.BestBid()
		ask, _ := in.book.BestAsk()
		changed = bid.Price != q.BidPrice || bid.Qty != q.BidQty ||
			ask.Price != q.AskPrice || ask.Qty != q.AskQty
		q.BidPrice, q.BidQty = bid.Price, bid.Qty
		q.AskPrice, q.AskQty = ask.Price, ask.Qty
		q.Seq = seq
		q.ExchangeTime, q.ReceiveTime = m.ExchangeTime, rx
	}
	l.storeQuote(in)
	if changed || q.Flags != before {
		l.publishQuote(in)
	}
}

// storeQuote sets the quote's flags and puts it in the quote table.
func (l *Lane) storeQuote(in *instrument) {
	q := &in.bbo.quote
	q.Flags = 0
	if in.stale {
		q.Flags |= core.FlagStale
	}
	if in.crossed || q.Crossed() {
		q.Flags |= core.FlagCrossed
	}
	if l.cfg.Quotes != nil {
		l.cfg.Quotes.Store(in.id, q)
	}
}

// trade takes a trade in.
func (l *Lane) trade(in *instrument, m *Message, rx core.Nanos) {
	l.stats.Trades++
	if m.LastID != 0 && !l.tradeID(in, m.LastID) {
		l.stats.TradeDuplicates++
		return
	}
	q := &in.bbo.quote
	q.LastPrice, q.LastTime = m.Price, rx
	l.storeQuote(in)
	ev := l.event(core.EventTrade, in, rx)
	ev.Side = m.Side
	ev.Seq = m.LastID
	ev.ExchangeTime = m.ExchangeTime
	ev.Price, ev.Qty = m.Price, m.Qty
	l.flush()
}

// tradeID takes a trade id in and reports whether it is news. The ids of a
// venue's trades are consecutive, so that one missing is known, and one repeated
// or late is dropped.
func (l *Lane) tradeID(in *instrument, id uint64) bool {
	t := &in.trades
	if id <= t.id && !t.resume {
		return false
	}
	if t.id != 0 && id > t.id+1 {
		l.stats.TradeGaps++
		l.stats.TradesMissed += id - t.id - 1
	}
	t.id, t.resume = id, false
	return true
}

// mark takes a mark price in. Connections that overlap, or an address of its own,
// may repeat one or bring an older one late: the venue's time tells.
func (l *Lane) mark(in *instrument, m *Message, rx core.Nanos) {
	l.stats.Marks++
	q := &in.bbo.quote
	if t := m.ExchangeTime; t != 0 {
		if t < in.bbo.marked || (t == in.bbo.marked && m.Price == q.MarkPrice) {
			l.stats.MarksOld++
			return
		}
		in.bbo.marked = t
	}
	q.MarkPrice, q.MarkTime = m.Price, rx
	l.storeQuote(in)
	ev := l.event(core.EventMark, in, rx)
	ev.Seq = m.LastID
	ev.ExchangeTime = m.ExchangeTime
	ev.Price = m.Price
	l.flush()
}
