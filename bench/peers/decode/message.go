package decode

import (
	"bytes"
	"errors"
	"unsafe"

	"qcat/bench/peers/tape"
	"qcat/core"
	"qcat/feed"
	"qcat/feed/binance"
)

var errFrame = errors.New("not a frame that was expected")

// own is QCAT's decoder.
type own struct{ d *binance.Decoder }

func newOwn(t *tape.Tape) (decoder, error) {
	d, err := t.Decoder()
	return own{d}, err
}

func (o own) decode(frame []byte, m *feed.Message) error {
	return o.d.Decode(frame, tape.Instrument, m)
}

// kindOf tells what a frame of a combined stream is by the name of its stream,
// {"stream":"btcusdt@trade",…
func kindOf(frame []byte) feed.MessageKind {
	at := bytes.IndexByte(frame, '@') + 1
	if at == 0 || at >= len(frame) {
		return feed.MessageIgnored
	}
	switch frame[at] {
	case 't':
		return feed.MessageTrade
	case 'b':
		return feed.MessageQuote
	case 'd':
		return feed.MessageDepth
	}
	return feed.MessageIgnored
}

// filler makes a feed.Message of what the others read, numbers being text of the
// venue's. The first number that does not fit stays as its error.
type filler struct {
	symbol               string
	priceScale, qtyScale uint8
	err                  error
}

func newFiller(t *tape.Tape) filler {
	return filler{symbol: t.Instrument.Symbol, priceScale: t.Instrument.PriceScale, qtyScale: t.Instrument.QtyScale}
}

// text is s as bytes, which must not be changed.
func text(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func (f *filler) decimal(b []byte, scale uint8) int64 {
	v, err := core.ParseDecimal(b, scale)
	if err != nil && f.err == nil {
		f.err = err
	}
	return v
}

func (f *filler) price(b []byte) core.Price { return core.Price(f.decimal(b, f.priceScale)) }

func (f *filler) qty(b []byte) core.Qty { return core.Qty(f.decimal(b, f.qtyScale)) }

// begin empties m but for the room of its levels.
func (f *filler) begin(m *feed.Message, kind feed.MessageKind, symbol []byte, millis uint64) {
	*m = feed.Message{Kind: kind, Instrument: tape.Instrument, ExchangeTime: core.Nanos(millis) * 1e6, Bids: m.Bids[:0], Asks: m.Asks[:0]}
	f.err = nil
	if string(symbol) != f.symbol {
		f.err = errFrame
	}
}

func (f *filler) trade(m *feed.Message, symbol []byte, millis, id uint64, price, qty []byte, maker bool) error {
	f.begin(m, feed.MessageTrade, symbol, millis)
	m.FirstID, m.LastID = id, id
	m.Price, m.Qty = f.price(price), f.qty(qty)
	if m.Side = core.Buy; maker {
		m.Side = core.Sell
	}
	return f.err
}

func (f *filler) quote(m *feed.Message, symbol []byte, millis, id uint64, bid, bidQty, ask, askQty []byte) error {
	f.begin(m, feed.MessageQuote, symbol, millis)
	m.LastID = id
	m.Price, m.Qty, m.AskPrice, m.AskQty = f.price(bid), f.qty(bidQty), f.price(ask), f.qty(askQty)
	return f.err
}

// depth begins a depth message; its levels are added to m.
func (f *filler) depth(m *feed.Message, symbol []byte, millis, first, last, prev uint64) {
	f.begin(m, feed.MessageDepth, symbol, millis)
	m.FirstID, m.LastID, m.PrevID = first, last, prev
}

func (f *filler) level(price, qty []byte) core.Level {
	return core.Level{Price: f.price(price), Qty: f.qty(qty)}
}
