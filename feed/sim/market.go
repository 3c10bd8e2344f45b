package sim

import (
	"qcat/core"
	"qcat/feed"
)

const (
	// fairUnit is how many units of the fair value make a tick.
	fairUnit = 256
	// markEvery is how often a mark price is published.
	markEvery = core.Nanos(1e9)
	// maxSweep bounds the levels that one market order takes.
	maxSweep = 8
	// maxStep is the most messages that one step yields: a mark, the trades, the
	// depth change.
	maxStep = maxSweep + 2
)

// Chances of a step, in 1024.
const (
	chanceUnit    = 1024
	chanceOrder   = 64  // a market order
	chanceRetreat = 700 // a maker beyond the fair value withdraws
	chanceNarrow  = 340 // a maker narrows a wide spread
	orderLean     = 128 // more on the fair value's side, a tick away from the mid
	orderLeanMax  = 416
)

// Market is the simulated market of one instrument. It belongs to one goroutine
// and does not allocate in Step.
type Market struct {
	id       core.InstrumentID
	tick     core.Price
	step     core.Qty
	levelQty core.Qty
	depth    int

	rng            random
	fair           int64 // in 1/fairUnit ticks
	fairLo, fairHi int64
	volatility     int64

	bids, asks ladder
	lastID     uint64 // last depth update id
	lastTrade  uint64
	lastMark   core.Nanos

	out []feed.Message
}

// NewMarket returns the market of l, its book filled. Two markets of the same
// seed and listing act the same.
//
// Errors: ErrListing, core.ErrInstrument.
func NewMarket(seed uint64, l Listing) (*Market, error) {
	if err := l.validate(); err != nil {
		return nil, err
	}
	depth := l.depth()
	m := &Market{
		id: l.Instrument.ID, tick: l.Instrument.TickSize, step: l.Instrument.StepSize,
		levelQty: l.LevelQty, depth: depth,
		rng:        random{state: seedFor(seed, l.Instrument.Name())},
		fair:       int64(l.FairPrice/l.Instrument.TickSize) * fairUnit,
		volatility: int64(l.Volatility),
		bids:       newLadder(core.Buy, depth),
		asks:       newLadder(core.Sell, depth),
		lastID:     1, // 0 is no id
		out:        make([]feed.Message, 0, maxStep),
	}
	m.fairLo, m.fairHi = m.fair/2, 2*m.fair
	mid := core.Price(m.fair/fairUnit) * m.tick
	for i := range depth {
		away := core.Price(i+1) * m.tick
		m.bids.set(mid-away, m.draw(m.profile(i)))
		m.asks.set(mid+away, m.draw(m.profile(i)))
	}
	return m, nil
}

func newLadder(side core.Side, depth int) ladder {
	return ladder{
		side:   side,
		levels: make([]core.Level, 0, 2*depth+2),
		delta:  make([]core.Level, 0, 2*depth+2),
	}
}

// Step does one action of the flow at now, which must not go back, and returns
// what the venue says of it, in order: perhaps a mark, perhaps trades, always one
// depth message last. The messages and their levels are valid until the next
// call.
func (m *Market) Step(now core.Nanos) []feed.Message {
	m.begin()
	m.walk()
	if now-m.lastMark >= markEvery {
		m.mark(now)
	}
	m.act(now)
	m.bids.trim(2 * m.depth)
	m.asks.trim(2 * m.depth)
	m.publish(now)
	return m.out
}

// Snapshot returns the whole book as the venue would, followed by the depth
// message that straddles it and by a mark. The messages and their levels are
// valid until the next call.
func (m *Market) Snapshot(now core.Nanos) []feed.Message {
	m.begin()
	m.out = append(m.out, feed.Message{
		Kind: feed.MessageSnapshot, Instrument: m.id, LastID: m.lastID, ExchangeTime: now,
		Bids: m.bids.levels, Asks: m.asks.levels,
	})
	m.out = append(m.out, feed.Message{
		Kind: feed.MessageDepth, Instrument: m.id,
		FirstID: m.lastID, LastID: m.lastID + 1, PrevID: m.lastID,
		ExchangeTime: now,
		Bids:         m.bids.levels[:1], Asks: m.asks.levels[:1],
	})
	m.lastID++
	m.mark(now)
	return m.out
}

func (m *Market) begin() {
	m.out = m.out[:0]
	m.bids.delta = m.bids.delta[:0]
	m.asks.delta = m.asks.delta[:0]
}

// publish appends the depth message of the step.
func (m *Market) publish(now core.Nanos) {
	n := uint64(len(m.bids.delta) + len(m.asks.delta))
	m.out = append(m.out, feed.Message{
		Kind: feed.MessageDepth, Instrument: m.id,
		FirstID: m.lastID + 1, LastID: m.lastID + n, PrevID: m.lastID,
		ExchangeTime: now,
		Bids:         m.bids.delta, Asks: m.asks.delta,
	})
	m.lastID += n
}

func (m *Market) mark(now core.Nanos) {
	m.lastMark = now
	m.out = append(m.out, feed.Message{
		Kind: feed.MessageMark, Instrument: m.id, ExchangeTime: now,
		Price: core.Price((m.fair+fairUnit/2)/fairUnit) * m.tick,
	})
}

// walk moves the fair value by one uniform step and keeps it in its bounds.
func (m *Market) walk() {
	v := uint64(m.volatility)
	m.fair += int64(m.rng.below(2*v+1)) - m.volatility
	m.fair = min(max(m.fair, m.fairLo), m.fairHi)
}

// units converts a price on the grid to units of the fair value.
func (m *Market) units(p core.Price) int64 { return int64(p/m.tick) * fairUnit }

func (m *Market) ladder(s core.Side) *ladder {
	if s == core.Buy {
		return &m.bids
	}
	return &m.asks
}
