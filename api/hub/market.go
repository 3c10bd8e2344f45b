package hub

import (
	"sync/atomic"
	"time"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/ringbuf"
)

// feedHandler is the market goroutine: it follows the lanes, owns the public
// topics and answers queries about them.
type feedHandler struct {
	hub   *Hub
	cfg   *Config
	stats *Stats

	tap    *market.Tap
	waiter *ringbuf.Waiter
	inbox  inbox
	batch  []command
	stop   atomic.Bool

	instruments []*instrument // by id; nil: not seen yet
	dirty       []*instrument // candles to be sent at the next tick
	nextCandles core.Nanos
	now         core.Nanos // read once a duty cycle

	scratch []byte // the frame being built
	levels  [2][]core.Level
	// snapshot is the last book frame that was built, of snapshotOf at
	// snapshotSeq: many who lag on one book are sent the same bytes.
	snapshot    []byte
	snapshotOf  *topic
	snapshotSeq uint64

	out     outbox  // what the cycle has for the subscribers
	wakes   []*Conn // who was given something besides, and has to be kicked
	sampled uint64
	frames  uint64    // built
	began   time.Time // when the frame being built was begun, if it is a sample
}

// handle is market.Tap's callback: one event, already applied to b.
func (m *feedHandler) handle(ev *core.Event, b *book.Replica) {
	it := m.instrument(ev.Instrument)
	if it == nil {
		m.stats.unknown.Add(1)
		return
	}
	m.sample(ev)
	switch ev.Kind {
	case core.EventLevel:
		m.onLevel(it, ev, b)
	case core.EventQuote:
		m.onQuote(it, ev)
	case core.EventTrade:
		m.onTrade(it, ev)
	case core.EventStatus:
		if ev.Flags.Has(core.FlagStale) {
			m.onStale(it, ev)
		}
	}
}

// instrument returns what is known of id, nil when the directory does not have it.
func (m *feedHandler) instrument(id core.InstrumentID) *instrument {
	if int(id) < len(m.instruments) && m.instruments[id] != nil {
		return m.instruments[id]
	}
	def := m.cfg.Directory.Instrument(id)
	if def == nil {
		return nil
	}
	for int(id) >= len(m.instruments) {
		m.instruments = append(m.instruments, nil)
	}
	m.instruments[id] = newInstrument(def, m.cfg)
	return m.instruments[id]
}

func (m *feedHandler) onQuote(it *instrument, ev *core.Event) {
	it.bbo = wire.BBO{BidPrice: ev.Price, BidQty: ev.Qty, AskPrice: ev.AskPrice, AskQty: ev.AskQty,
		Stale: ev.Flags.Has(core.FlagStale)}
	it.bboKnown, it.bboEts, it.bboRts = true, ev.ExchangeTime, ev.ReceiveTime
	m.publishBBO(it)
	m.advance(it, ev)
}

func (m *feedHandler) publishBBO(it *instrument) {
	t := &it.topics[BBO]
	t.seq++
	if len(t.subs) > 0 {
		m.publish(t, m.bboFrame(it))
	}
}

func (m *feedHandler) bboFrame(it *instrument) []byte {
	m.begin(&it.topics[BBO], it.bboEts, it.bboRts)
	m.scratch = wire.AppendBBO(m.scratch, it.def, &it.bbo)
	return m.end()
}

func (m *feedHandler) onTrade(it *instrument, ev *core.Event) {
	tr := wire.Trade{ID: ev.Seq, Price: ev.Price, Qty: ev.Qty, Side: ev.Side,
		ExchangeTime: ev.ExchangeTime, ReceiveTime: ev.ReceiveTime}
	it.trades.add(&tr)
	t := &it.topics[Trades]
	t.seq++
	if len(t.subs) > 0 {
		m.begin(t, ev.ExchangeTime, ev.ReceiveTime)
		m.scratch = wire.AppendTrade(m.scratch, it.def, &tr)
		m.publish(t, m.end())
	}
	if closed, ok := it.builder.Trade(ev.ExchangeTime, ev.Price, ev.Qty); ok {
		m.closeCandle(it, &closed, ev)
	}
	it.candleEts, it.candleRts = ev.ExchangeTime, ev.ReceiveTime
	if !it.candleDirty {
		it.candleDirty = true
		m.dirty = append(m.dirty, it)
	}
}

// advance tells the candle of it that market time has gone on.
func (m *feedHandler) advance(it *instrument, ev *core.Event) {
	if closed, ok := it.builder.Advance(ev.ExchangeTime); ok {
		m.closeCandle(it, &closed, ev)
	}
}

func (m *feedHandler) closeCandle(it *instrument, c *core.Candle, ev *core.Event) {
	it.candles.add(c)
	m.publishCandle(it, c, ev.ExchangeTime, ev.ReceiveTime)
}

func (m *feedHandler) publishCandle(it *instrument, c *core.Candle, ets, rts core.Nanos) {
	t := &it.topics[Candles]
	t.seq++
	if len(t.subs) > 0 {
		m.publish(t, m.candleFrame(it, c, ets, rts))
	}
}

func (m *feedHandler) candleFrame(it *instrument, c *core.Candle, ets, rts core.Nanos) []byte {
	m.begin(&it.topics[Candles], ets, rts)
	m.scratch = wire.AppendCandle(m.scratch, it.def, c)
	return m.end()
}

// flushCandles sends the candles that changed, at most once CandleEvery: a
// candle a trade would be more than anyone can look at.
func (m *feedHandler) flushCandles() {
	if m.now < m.nextCandles {
		return
	}
	m.nextCandles = m.now + core.Nanos(m.cfg.CandleEvery)
	for i, it := range m.dirty {
		it.candleDirty = false
		if c, open := it.builder.Current(); open {
			m.publishCandle(it, &c, it.candleEts, it.candleRts)
		}
		m.dirty[i] = nil
	}
	m.dirty = m.dirty[:0]
}

// begin starts a data frame of t in scratch.
func (m *feedHandler) begin(t *topic, ets, rts core.Nanos) {
	if m.frames++; m.frames%sampleEvery == 0 {
		m.began = time.Now()
	}
	m.scratch = wire.AppendHead(BeginFrame(m.scratch), t.prefix, t.seq, ets, rts)
}

// end finishes the frame in scratch.
func (m *feedHandler) end() []byte {
	m.scratch = wire.AppendTail(m.scratch)
	frame := EndFrame(m.scratch, OpText)
	if m.frames%sampleEvery == 0 {
		m.stats.encode.Record(int64(time.Since(m.began)))
	}
	return frame
}

// push sends one public frame at once to a subscription that begins.
func (m *feedHandler) push(s *subscription, frame []byte) (taken bool) {
	switch s.conn.pushPublic(frame) {
	case pushedIdle:
		m.wakes = append(m.wakes, s.conn)
		return true
	case pushed:
		return true
	case pushLagged:
		s.state = subLagging
	}
	return false
}

// sampleEvery is how many events, or frames, go by for one that is timed.
const sampleEvery = 64

// sample records how long the event took from the lane to here.
func (m *feedHandler) sample(ev *core.Event) {
	if m.sampled++; m.sampled%sampleEvery == 0 && ev.ReceiveTime != 0 {
		m.stats.ringWait.Record(int64(m.now - ev.ReceiveTime))
	}
}
