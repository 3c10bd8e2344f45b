package feed

import "qcat/core"

// runCapacity is how many events are put together before they are published: a
// depth message of a usual size is one batch.
const runCapacity = 1 << 10

// event appends a zeroed event to the run and returns it. Runs longer than
// runCapacity go out in several batches.
func (l *Lane) event(kind core.EventKind, in *instrument, rx core.Nanos) *core.Event {
	if len(l.run) == cap(l.run) {
		l.flush()
	}
	l.run = l.run[:len(l.run)+1]
	ev := &l.run[len(l.run)-1]
	*ev = core.Event{Kind: kind, Instrument: in.id, ReceiveTime: rx}
	return ev
}

// flush publishes the events put together so far.
func (l *Lane) flush() {
	l.ring.PublishBatch(l.run)
	l.run = l.run[:0]
}

// publishQuote publishes the instrument's quote as it was stored.
func (l *Lane) publishQuote(in *instrument) {
	q := &in.bbo.quote
	ev := l.event(core.EventQuote, in, q.ReceiveTime)
	ev.Flags = q.Flags
	ev.Seq = q.Seq
	ev.ExchangeTime = q.ExchangeTime
	ev.Price, ev.Qty = q.BidPrice, q.BidQty
	ev.AskPrice, ev.AskQty = q.AskPrice, q.AskQty
	l.flush()
}

// publishStatus says that the book turned stale, or that it is being rebuilt.
func (l *Lane) publishStatus(in *instrument, flags core.EventFlags, rx core.Nanos) {
	ev := l.event(core.EventStatus, in, rx)
	ev.Flags = flags
	ev.Seq = in.sync.LastID()
	l.flush()
}

// publishLevels publishes a run of levels as of the instrument's last id, or
// nothing when there are none.
func (l *Lane) publishLevels(in *instrument, bids, asks []core.Level, flags core.EventFlags, ets, rx core.Nanos) {
	in.exchangeTime, in.receiveTime = ets, rx
	n := len(bids) + len(asks)
	if n == 0 {
		return
	}
	seq := in.sync.LastID()
	first := flags | core.FlagFirst
	side, levels := core.Buy, bids
	for i := range n {
		if i == len(bids) {
			side, levels = core.Sell, asks
		}
		level := levels[0]
		levels = levels[1:]
		ev := l.event(core.EventLevel, in, rx)
		ev.Flags = first
		first = flags
		ev.Side = side
		ev.Seq = seq
		ev.ExchangeTime = ets
		ev.Price, ev.Qty = level.Price, level.Qty
	}
	l.run[len(l.run)-1].Flags |= core.FlagLast
	l.flush()
}

// publishBook publishes the whole book as a snapshot run: the best levels of
// each side as far as half the ring allows, so that a reader that asked for it
// can read it.
func (l *Lane) publishBook(in *instrument) {
	limit := l.ring.Cap() / 4
	l.levels = in.book.Levels(core.Buy, l.levels[:0], limit)
	split := len(l.levels)
	l.levels = in.book.Levels(core.Sell, l.levels, limit)
	if len(l.levels) == 0 {
		ev := l.event(core.EventLevel, in, in.receiveTime)
		ev.Flags = core.FlagFirst | core.FlagLast | core.FlagSnapshot
		ev.Seq = in.sync.LastID()
		ev.ExchangeTime = in.exchangeTime
		l.flush()
		return
	}
	l.publishLevels(in, l.levels[:split], l.levels[split:], core.FlagSnapshot, in.exchangeTime, in.receiveTime)
}

// publishStats makes the counters visible to other goroutines.
func (l *Lane) publishStats() { l.published.Store(&l.stats) }
