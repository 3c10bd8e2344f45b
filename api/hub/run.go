package hub

import (
	"time"

	"qcat/core"
	"qcat/core/book"
)

// marketWait bounds how long the market goroutine sleeps when nothing happens:
// candles that are due are sent that much late at most.
const marketWait = 20 * time.Millisecond

// run is the market goroutine.
func (m *feedHandler) run() {
	defer m.close()
	handle := m.handle
	ready := m.ready
	for !m.stop.Load() {
		m.now = m.cfg.Clock.Now()
		work := m.commands()
		work += m.tap.Poll(handle)
		m.flushCandles()
		m.flush()
		m.stats.overruns.Store(m.tap.Overruns())
		m.stats.lost.Store(m.tap.Lost())
		if work == 0 {
			m.waiter.Wait(ready, marketWait)
		}
	}
}

func (m *feedHandler) ready() bool {
	return m.tap.Ready() || m.inbox.some.Load() || m.stop.Load()
}

// close leaves the lanes and answers what is still queued.
func (m *feedHandler) close() {
	m.tap.Close()
	for _, c := range m.inbox.close() {
		if c.op == opRun {
			c.run()
		}
	}
}

// commands carries out what is in the inbox.
func (m *feedHandler) commands() int {
	m.batch = m.inbox.take(m.batch)
	for i := range m.batch {
		c := &m.batch[i]
		switch c.op {
		case opSubscribe:
			m.subscribe(c)
		case opUnsubscribe:
			for _, ch := range c.channels {
				if it := m.instrument(ch.Instrument); it != nil {
					it.topics[ch.Kind].remove(c.conn)
				}
			}
			m.answer(c)
		case opDrop:
			for len(c.conn.market) > 0 {
				removeRef(c.conn, len(c.conn.market)-1)
			}
		case opCatchUp:
			m.catchUp(c.conn)
		case opRun:
			c.run()
		}
		m.batch[i] = command{}
	}
	return len(m.batch)
}

func (m *feedHandler) answer(c *command) {
	if len(c.answer) > 0 {
		c.conn.Send(c.answer)
	}
}

// subscribe answers first, so that a client reads the answer before the data.
func (m *feedHandler) subscribe(c *command) {
	m.answer(c)
	for _, ch := range c.channels {
		it := m.instrument(ch.Instrument)
		if it == nil {
			continue // ParseChannel found it: it cannot be missing
		}
		if ch.Kind == Depth {
			m.replica(ch.Instrument) // makes the tap ask for a book it does not have
		}
		m.start(it, it.topics[ch.Kind].add(c.conn), ch.Kind)
	}
}

// replica returns the tap's book of id, asking for it when it is not followed yet.
func (m *feedHandler) replica(id core.InstrumentID) *book.Replica {
	if b := m.tap.Book(id); b != nil {
		return b
	}
	m.tap.Request(id)
	return m.tap.Book(id)
}

// start gives a subscription what it begins, or begins again, with: the latest
// quote or candle, the book, and of trades nothing.
func (m *feedHandler) start(it *instrument, s *subscription, k Kind) {
	s.state = subLive
	switch k {
	case BBO:
		if it.bboKnown {
			m.push(s, m.bboFrame(it))
		}
	case Depth:
		if b := m.replica(it.def.ID); b.Consistent() {
			m.sendBook(&it.topics[Depth], s, b)
		} else {
			s.state = subWaiting
			it.topics[Depth].waiting = true
		}
	case Candles:
		if c, open := it.builder.Current(); open {
			m.push(s, m.candleFrame(it, &c, it.candleEts, it.candleRts))
		}
	}
}

// catchUp restarts the lagging subscriptions of a connection whose writer has
// written everything.
func (m *feedHandler) catchUp(c *Conn) {
	for _, r := range c.market {
		if s := &r.topic.subs[r.slot]; s.state == subLagging {
			m.start(r.topic.in, s, r.topic.kind)
		}
	}
}
