package fanout

import (
	"strconv"

	"github.com/cespare/xxhash/v2"

	"qcat/api/hub"
	"qcat/api/wire"
	"qcat/core"
)

// messages are what is published: quotes of one instrument whose frames differ in
// their number and in a quantity.
type messages struct {
	in     *core.Instrument
	dir    *core.Directory
	prefix []byte // of a data frame, up to the number
	base   int    // length of a frame without its number
}

const eventTime = core.Nanos(1_700_000_000_000_000_000)

func newMessages() (*messages, error) {
	m := &messages{dir: core.NewDirectory()}
	in, err := m.dir.AddInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1})
	if err != nil {
		return nil, err
	}
	m.in = in
	m.prefix = wire.ChannelPrefix("bbo:" + in.Name())
	m.base = len(m.frame(new([]byte), 0)) - 1
	return m, nil
}

// event is message i as the market tells it.
func (m *messages) event(i int) core.Event {
	return core.Event{Kind: core.EventQuote, Instrument: m.in.ID, Seq: uint64(i), ExchangeTime: eventTime, ReceiveTime: eventTime,
		Price: 6_180_020, Qty: m.qty(i), AskPrice: 6_180_030, AskQty: 2510}
}

// qty has four digits always.
func (m *messages) qty(i int) core.Qty { return core.Qty(1000 + i%9000) }

// payload is message i as clients are to read it.
func (m *messages) payload(dst []byte, i int) []byte {
	ev := m.event(i)
	dst = wire.AppendHead(dst, m.prefix, uint64(i+1), ev.ExchangeTime, ev.ReceiveTime)
	dst = wire.AppendBBO(dst, m.in, &wire.BBO{BidPrice: ev.Price, BidQty: ev.Qty, AskPrice: ev.AskPrice, AskQty: ev.AskQty})
	return wire.AppendTail(dst)
}

// frame is payload with a server's frame header, in buf until the next call.
func (m *messages) frame(buf *[]byte, i int) []byte {
	*buf = m.payload(hub.BeginFrame(*buf), i)
	return hub.EndFrame(*buf, hub.OpText)
}

// size is the length of the frame of message i: the number is all that grows.
func (m *messages) size(i int) uint64 {
	var digits [20]byte
	return uint64(m.base + len(strconv.AppendUint(digits[:0], uint64(i+1), 10)))
}

// hash is that of the first n frames.
func (m *messages) hash(n int) uint64 {
	d := xxhash.New()
	var buf []byte
	for i := range n {
		_, _ = d.Write(m.frame(&buf, i)) // never fails
	}
	return d.Sum64()
}
