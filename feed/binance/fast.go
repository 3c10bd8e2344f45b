package binance

import (
	"bytes"

	"qcat/core"
	"qcat/feed"
)

// The fixed shapes, as the venue has sent them for years. Everything between
// the numbers is compared as literals; the symbol is part of the literals of
// its listing.
//
//	combined   {"stream":"btcusdt@trade","data":PAYLOAD}
//	raw        PAYLOAD
//
//	trade      {"e":"trade","E":ms,"s":S,"t":id,"p":P,"q":Q,"T":ms,"m":bool,"M":bool}             spot
//	           {"e":"trade","E":ms,"T":ms,"s":S,"t":id,"p":P,"q":Q,"X":"MARKET","m":bool}         USD-M
//	depth      {"e":"depthUpdate","E":ms,"s":S,"U":id,"u":id,"b":LEVELS,"a":LEVELS}               spot
//	           {"e":"depthUpdate","E":ms,"T":ms,"s":S,"U":id,"u":id,"pu":id,"b":LEVELS,"a":LEVELS} USD-M
//	bookTicker {"u":id,"s":S,"b":P,"B":Q,"a":P,"A":Q}                                             spot
//	           {"e":"bookTicker","u":id,"s":S,"b":P,"B":Q,"a":P,"A":Q,"T":ms,"E":ms}              USD-M
//	snapshot   {"lastUpdateId":id,"bids":LEVELS,"asks":LEVELS}                                    spot
//	           {"lastUpdateId":id,"E":ms,"T":ms,"bids":LEVELS,"asks":LEVELS}                      USD-M
//
// Literals of up to sixteen bytes are compared without a call, hence the pieces.
const (
	streamLit   = `{"stream":"`
	dataLit     = `","data":`
	eventLit    = `{"e":"`
	tradeLit    = `trade","E":`
	depthLit    = `depthUpdate","E":`
	tickerLit   = `bookTicker","u":`
	snapLit     = `{"lastUpdateId":`
	spotTicker  = `{"u":`
	maxNameSize = 64
)

// fast decodes a frame of a fixed shape and reports whether it was one. When it
// was not, m is undefined and nothing is known about the frame.
func (d *Decoder) fast(b []byte, snapshotFor core.InstrumentID, m *feed.Message) bool {
	// Most frames are of the instrument of the frame before, so that one comparison
	// settles all that stands before the first number.
	if l := d.last; l.kindAt < len(b) {
		i := differs
		switch b[l.kindAt] {
		case 'b':
			if at(b, 0, l.tickerHead) {
				i = d.scanTicker(b, len(l.tickerHead), l, m)
			}
		case 't':
			if at(b, 0, l.tradeHead) {
				i = d.scanTrade(b, len(l.tradeHead), l, m)
			}
		case 'd':
			if at(b, 0, l.depthHead) {
				i = d.scanDepth(b, len(l.depthHead), l, m)
			}
		}
		if i >= 0 {
			return ends(b, i, "}}")
		}
	}
	if !at(b, 0, streamLit) {
		return ends(b, d.scanPayload(b, 0, nil, snapshotFor, m), "}")
	}
	l, i := d.scanStream(b)
	return i >= 0 && ends(b, d.scanPayload(b, i, l, 0, m), "}}")
}

// ends reports whether tail is all that is left at i.
func ends(b []byte, i int, tail string) bool {
	return i >= 0 && len(b)-i == len(tail) && at(b, i, tail)
}

// scanPayload reads a payload up to its closing brace. l is nil unless the
// stream's name has told it.
func (d *Decoder) scanPayload(b []byte, i int, l *listing, snapshotFor core.InstrumentID, m *feed.Message) int {
	switch {
	case at(b, i, eventLit):
		return d.scanEvent(b, i+len(eventLit), l, m)
	case d.market == Spot && at(b, i, spotTicker):
		return d.scanTicker(b, i+len(spotTicker), l, m)
	case l == nil && at(b, i, snapLit):
		return d.scanSnapshot(b, i+len(snapLit), snapshotFor, m)
	}
	return differs
}

// begin makes m an otherwise empty message of that kind. It sets the fields one by
// one: a composite literal would be built aside and copied.
func begin(m *feed.Message, kind feed.MessageKind, l *listing, t core.Nanos) {
	m.Kind, m.Side, m.Instrument = kind, 0, l.id
	m.FirstID, m.LastID, m.PrevID = 0, 0, 0
	m.ExchangeTime = t
	m.Price, m.AskPrice, m.Qty, m.AskQty = 0, 0, 0, 0
	m.Bids, m.Asks = m.Bids[:0], m.Asks[:0]
}

// scanEvent reads a payload from its kind on.
func (d *Decoder) scanEvent(b []byte, i int, l *listing, m *feed.Message) int {
	switch {
	case at(b, i, tradeLit):
		return d.scanTrade(b, i+len(tradeLit), l, m)
	case at(b, i, depthLit):
		return d.scanDepth(b, i+len(depthLit), l, m)
	case d.market == USDM && at(b, i, tickerLit):
		return d.scanTicker(b, i+len(tickerLit), l, m)
	}
	return differs
}

// scanStream reads the wrapper of a combined stream and returns the listing
// that its name tells and the offset of the payload. The name's kind of stream
// means nothing: the payload says what it is.
func (d *Decoder) scanStream(b []byte) (*listing, int) {
	const start = len(streamLit)
	l := d.last
	if !at(b, start, l.streamAt) {
		n := bytes.IndexByte(b[start:min(len(b), start+maxNameSize)], '@')
		if n < 0 {
			return nil, differs
		}
		if l = d.byStream.find(b[start : start+n]); l == nil {
			return nil, differs
		}
		d.last = l
	}
	i := start + len(l.streamAt)
	switch {
	case at(b, i, "trade"):
		i += 5
	case at(b, i, "bookTicker"):
		i += 10
	case at(b, i, "depth@0ms"):
		i += 9
	case at(b, i, "depth@100ms"):
		i += 11
	default:
		i = scanName(b, i)
	}
	if i < 0 || !at(b, i, dataLit) {
		return nil, differs
	}
	return l, i + len(dataLit)
}

// scanName reads the rest of a stream's name up to its closing quote.
func scanName(b []byte, i int) int {
	for end := min(len(b), i+maxNameSize); i < end; i++ {
		c := b[i]
		if c == '"' {
			return i
		}
		if c < '0' || c > 'z' || c == '\\' {
			break
		}
	}
	return differs
}

// listed returns l when it is known, or the listing whose symbol stands at i,
// where the literals of a listing begin.
func (d *Decoder) listed(b []byte, i int, l *listing) *listing {
	if l != nil {
		return l
	}
	const lead = len(`,"s":"`)
	l = d.last
	if at(b, i+lead, l.symbol) {
		return l
	}
	if len(b)-i <= lead {
		return nowhere
	}
	name := b[i+lead : min(len(b), i+lead+maxNameSize)]
	n := bytes.IndexByte(name, '"')
	if n < 0 {
		return nowhere
	}
	if l = d.bySymbol.find(name[:n]); l == nil {
		return nowhere
	}
	d.last = l
	return l
}

// scanTime reads USD-M's transaction time where it stands behind the event time.
func (d *Decoder) scanTime(b []byte, i int, event core.Nanos) (core.Nanos, int) {
	if d.market != USDM {
		return event, i
	}
	if i < 0 || !at(b, i, `,"T":`) {
		return 0, differs
	}
	return scanMillis(b, i+5)
}

func (d *Decoder) scanTrade(b []byte, i int, l *listing, m *feed.Message) int {
	t, i := scanMillis(b, i)
	if t, i = d.scanTime(b, i, t); i < 0 {
		return differs
	}
	if l = d.listed(b, i, l); !at(b, i, l.tradeLit) {
		return differs
	}
	id, i := scanUint(b, i+len(l.tradeLit))
	if i < 0 || !at(b, i, `,"p":"`) {
		return differs
	}
	p, i := scanDecimal(b, i+6, l.priceScale)
	if p <= 0 || !at(b, i, `,"q":"`) {
		return differs
	}
	q, i := scanDecimal(b, i+6, l.qtyScale)
	if q <= 0 {
		return differs
	}
	if d.market == Spot {
		if !at(b, i, `,"T":`) {
			return differs
		}
		t, i = scanMillis(b, i+5)
	} else if at(b, i, `,"X":"MARKET"`) {
		i += 13
	} else {
		return differs
	}
	if i < 0 || !at(b, i, `,"m":`) {
		return differs
	}
	side, i := scanMaker(b, i+5)
	if d.market == Spot && i >= 0 {
		i = scanIgnoredBool(b, i)
	}
	begin(m, feed.MessageTrade, l, t)
	m.Side, m.FirstID, m.LastID = side, id, id
	m.Price, m.Qty = core.Price(p), core.Qty(q)
	return i
}

// scanMaker reads "m", whether the buyer was the maker, as the aggressor's side.
func scanMaker(b []byte, i int) (core.Side, int) {
	switch {
	case at(b, i, "true"):
		return core.Sell, i + 4
	case at(b, i, "false"):
		return core.Buy, i + 5
	}
	return 0, differs
}

// scanIgnoredBool reads spot's "M", which the venue says to ignore.
func scanIgnoredBool(b []byte, i int) int {
	switch {
	case at(b, i, `,"M":true`):
		return i + 9
	case at(b, i, `,"M":false`):
		return i + 10
	}
	return differs
}

func (d *Decoder) scanDepth(b []byte, i int, l *listing, m *feed.Message) int {
	t, i := scanMillis(b, i)
	if t, i = d.scanTime(b, i, t); i < 0 {
		return differs
	}
	if l = d.listed(b, i, l); !at(b, i, l.depthLit) {
		return differs
	}
	if m.Ahead != nil {
		m.Ahead(l.id)
	}
	first, i := scanUint(b, i+len(l.depthLit))
	if i < 0 || !at(b, i, `,"u":`) {
		return differs
	}
	last, i := scanUint(b, i+5)
	var prev uint64
	if d.market == USDM {
		if i < 0 || !at(b, i, `,"pu":`) {
			return differs
		}
		prev, i = scanUint(b, i+6)
	}
	if i < 0 || first > last || !at(b, i, `,"b":[`) {
		return differs
	}
	begin(m, feed.MessageDepth, l, t)
	m.FirstID, m.LastID, m.PrevID = first, last, prev
	m.Bids, i = l.scanLevels(b, i+6, m.Bids)
	if i < 0 || !at(b, i, `,"a":[`) {
		return differs
	}
	m.Asks, i = l.scanLevels(b, i+6, m.Asks)
	return i
}

func (d *Decoder) scanTicker(b []byte, i int, l *listing, m *feed.Message) int {
	id, i := scanUint(b, i)
	if i < 0 {
		return differs
	}
	if l = d.listed(b, i, l); !at(b, i, l.tickerLit) {
		return differs
	}
	bid, i := scanDecimal(b, i+len(l.tickerLit), l.priceScale)
	if i < 0 || !at(b, i, `,"B":"`) {
		return differs
	}
	bidQty, i := scanDecimal(b, i+6, l.qtyScale)
	if i < 0 || !at(b, i, `,"a":"`) {
		return differs
	}
	ask, i := scanDecimal(b, i+6, l.priceScale)
	if i < 0 || !at(b, i, `,"A":"`) {
		return differs
	}
	askQty, i := scanDecimal(b, i+6, l.qtyScale)
	var t core.Nanos
	if d.market == USDM {
		if i < 0 || !at(b, i, `,"T":`) {
			return differs
		}
		t, i = scanMillis(b, i+5)
		if i < 0 || !at(b, i, `,"E":`) {
			return differs
		}
		_, i = scanMillis(b, i+5)
	}
	begin(m, feed.MessageQuote, l, t)
	m.LastID = id
	m.Price, m.Qty = core.Price(bid), core.Qty(bidQty)
	m.AskPrice, m.AskQty = core.Price(ask), core.Qty(askQty)
	return i
}

func (d *Decoder) scanSnapshot(b []byte, i int, snapshotFor core.InstrumentID, m *feed.Message) int {
	l := d.listingOf(snapshotFor)
	if l == nil {
		return differs
	}
	id, i := scanUint(b, i)
	var t core.Nanos
	if d.market == USDM {
		if i < 0 || !at(b, i, `,"E":`) {
			return differs
		}
		t, i = scanMillis(b, i+5)
		if t, i = d.scanTime(b, i, t); i < 0 {
			return differs
		}
	}
	if i < 0 || !at(b, i, `,"bids":[`) {
		return differs
	}
	begin(m, feed.MessageSnapshot, l, t)
	m.LastID = id
	m.Bids, i = l.scanLevels(b, i+9, m.Bids)
	if i < 0 || !at(b, i, `,"asks":[`) {
		return differs
	}
	m.Asks, i = l.scanLevels(b, i+9, m.Asks)
	return i
}
