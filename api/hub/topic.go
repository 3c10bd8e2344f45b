package hub

import (
	"qcat/api/wire"
	"qcat/core"
)

// subState is how a public subscription stands.
type subState uint8

const (
	// subLive: every event is sent.
	subLive subState = iota
	// subWaiting: a depth subscription that waits for the next consistent book.
	subWaiting
	// subLagging: the connection refused a frame; nothing is sent until its writer
	// has caught up.
	subLagging
)

// subscription is one connection's place in a topic. ref is its index in the
// connection's list, so that either finds the other without a search.
type subscription struct {
	conn  *Conn
	ref   int
	state subState
}

// subRef is one topic a connection is subscribed to. Market goroutine only.
type subRef struct {
	topic *topic
	slot  int
}

// topic is one public channel. Market goroutine only.
type topic struct {
	in     *instrument
	kind   Kind
	prefix []byte
	seq    uint64
	subs   []subscription

	// waiting says that a subscription may be waiting for the next book.
	waiting bool

	log   []int32 // numbers of the cycle's entries
	whole bool    // the log is frames only, and they lie end to end
	turn  int     // the subscription whose turn it is, while a connection is served
}

// add subscribes c, and returns its subscription; the old one if it had one.
func (t *topic) add(c *Conn) *subscription {
	for _, r := range c.market {
		if r.topic == t {
			return &t.subs[r.slot]
		}
	}
	t.subs = append(t.subs, subscription{conn: c, ref: len(c.market)})
	c.market = append(c.market, subRef{topic: t, slot: len(t.subs) - 1})
	return &t.subs[len(t.subs)-1]
}

// remove unsubscribes c, if it is subscribed.
func (t *topic) remove(c *Conn) {
	for ref := range c.market {
		if c.market[ref].topic == t {
			removeRef(c, ref)
			return
		}
	}
}

// removeRef takes out the subscription c.market[ref]. The last subscription of
// the topic and the last reference of the connection move into the gaps.
func removeRef(c *Conn, ref int) {
	t, slot := c.market[ref].topic, c.market[ref].slot
	last := len(t.subs) - 1
	if slot != last {
		t.subs[slot] = t.subs[last]
		moved := &t.subs[slot]
		moved.conn.market[moved.ref].slot = slot
	}
	t.subs[last] = subscription{}
	t.subs = t.subs[:last]

	end := len(c.market) - 1
	if ref != end {
		c.market[ref] = c.market[end]
		r := c.market[ref]
		r.topic.subs[r.slot].ref = ref
	}
	c.market[end] = subRef{}
	c.market = c.market[:end]
}

// instrument is everything the market goroutine knows of one instrument.
type instrument struct {
	def    *core.Instrument
	topics [publicKinds]topic

	bbo      wire.BBO // the latest, for latest wins
	bboKnown bool
	bboEts   core.Nanos
	bboRts   core.Nanos
	stale    bool // the book is known to wait for a snapshot

	// The run of level events that is being collected; inRun only when there was a
	// subscriber at its start.
	inRun      bool
	bids, asks []core.Level

	trades  recent[wire.Trade]
	candles recent[core.Candle]
	builder core.CandleBuilder
	// candleDirty: the open candle changed since it was last sent.
	candleDirty bool
	candleEts   core.Nanos
	candleRts   core.Nanos
}

func newInstrument(def *core.Instrument, cfg *Config) *instrument {
	it := &instrument{def: def}
	for k := range it.topics {
		it.topics[k] = topic{in: it, kind: Kind(k), prefix: wire.ChannelPrefix(channelName(Kind(k), def))}
	}
	it.trades.limit = cfg.TradeHistory
	it.candles.limit = cfg.CandleHistory
	return it
}

// recent keeps the last limit values, oldest first in turn. It grows as they
// come, so that a quiet instrument costs nothing.
type recent[T any] struct {
	buf   []T
	next  int // where the next one goes once buf is full
	limit int
}

func (r *recent[T]) add(v *T) {
	if len(r.buf) < r.limit {
		r.buf = append(r.buf, *v)
		return
	}
	if r.limit == 0 {
		return
	}
	r.buf[r.next] = *v
	if r.next++; r.next == r.limit {
		r.next = 0
	}
}

// appendLast appends the last n values to dst, oldest first.
func (r *recent[T]) appendLast(dst []T, n int) []T {
	size := len(r.buf)
	n = min(n, size)
	for i := size - n; i < size; i++ {
		dst = append(dst, r.buf[(r.next+i)%size])
	}
	return dst
}
