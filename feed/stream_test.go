package feed_test

import (
	"math/rand/v2"

	"qcat/core"
	"qcat/core/market"
	"qcat/feed"
	"qcat/ringbuf"
)

// stream is a repeatable sequence of decoded messages of one instrument whose
// ids go on from lap to lap: 6 depth messages of 10 levels, 24 quotes and 8
// trades a lap, which is about the mix of a busy futures symbol.
type stream struct {
	messages []feed.Message
	last     uint64 // id of the last depth message
	quote    uint64
	trade    uint64
	at       int
}

func newStream(id core.InstrumentID) *stream {
	rng := rand.New(rand.NewPCG(1, 2))
	s := &stream{last: 1000}
	for i := range 38 {
		m := feed.Message{Instrument: id, ExchangeTime: 1}
		switch {
		case i%6 == 0 && i < 36:
			m.Kind = feed.MessageDepth
			for range 5 {
				m.Bids = append(m.Bids, core.Level{Price: core.Price(9990 - rng.IntN(50)), Qty: core.Qty(rng.IntN(5))})
				m.Asks = append(m.Asks, core.Level{Price: core.Price(10010 + rng.IntN(50)), Qty: core.Qty(rng.IntN(5))})
			}
		case i%5 == 1:
			m.Kind, m.Side, m.Price, m.Qty = feed.MessageTrade, core.Buy, 10000, 1
		default:
			m.Kind = feed.MessageQuote
			m.Price, m.Qty, m.AskPrice, m.AskQty = core.Price(9999-rng.IntN(3)), 1, core.Price(10001+rng.IntN(3)), 1
		}
		s.messages = append(s.messages, m)
	}
	return s
}

// snapshot returns a snapshot that the stream continues.
func (s *stream) snapshot() *feed.Message {
	m := &feed.Message{Kind: feed.MessageSnapshot, Instrument: s.messages[0].Instrument, LastID: s.last}
	for i := range core.Price(200) {
		m.Bids = append(m.Bids, core.Level{Price: 9999 - i, Qty: 3})
		m.Asks = append(m.Asks, core.Level{Price: 10001 + i, Qty: 3})
	}
	return m
}

// next returns the next message, with its ids set.
func (s *stream) next() *feed.Message {
	m := &s.messages[s.at]
	if s.at++; s.at == len(s.messages) {
		s.at = 0
	}
	switch m.Kind {
	case feed.MessageTrade:
		s.trade++
		m.LastID = s.trade
	case feed.MessageDepth:
		m.FirstID, m.PrevID = s.last+1, s.last
		s.last += 8
		m.LastID = s.last
	case feed.MessageQuote:
		s.quote = max(s.quote, s.last) + 1
		m.LastID = s.quote
	}
	return m
}

// recorded is a decoder that yields a stream's messages, whatever the frame.
type recorded struct{ *stream }

// Decode implements feed.Decoder.
func (r recorded) Decode(_ []byte, _ core.InstrumentID, m *feed.Message) error {
	ahead := m.Ahead
	*m = *r.next()
	if m.Ahead = ahead; ahead != nil && m.Kind == feed.MessageDepth {
		ahead(m.Instrument)
	}
	return nil
}

// liveLane returns a lane with one live instrument whose frames are s's, and a
// reader that keeps its ring honest.
func liveLane(s *stream, configure func(*feed.LaneConfig)) (*feed.Lane, *ringbuf.Reader[core.Event]) {
	cfg := feed.LaneConfig{
		Decoder: recorded{s}, Continuity: feed.ContinuityPrev,
		Instruments: []core.InstrumentID{1}, Quotes: market.NewQuoteTable(4), RingCapacity: 1 << 12,
	}
	if configure != nil {
		configure(&cfg)
	}
	lane, err := feed.NewLane(cfg)
	if err != nil {
		panic(err)
	}
	lane.Apply(s.snapshot(), 1)
	return lane, lane.Source().Ring.NewReader()
}
