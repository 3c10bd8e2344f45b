package binance

import (
	"qcat/core"
	"qcat/feed"
)

// fields are the members of one object that mean something to us, as spans of
// the frame. Keys are case-sensitive: "e" and "E" are different members.
type fields struct {
	e, E, T, s, U, u, pu     span
	a, A, b, B               span
	t, p, q, m, X, f, l      span
	lastUpdateID, bids, asks span
	stream, data             span
	result, errorObj         span
	code, msg                span
}

// of returns the place of a key, nil when the key means nothing to us.
func (f *fields) of(key []byte) *span {
	switch string(key) {
	case "e":
		return &f.e
	case "E":
		return &f.E
	case "T":
		return &f.T
	case "s":
		return &f.s
	case "U":
		return &f.U
	case "u":
		return &f.u
	case "pu":
		return &f.pu
	case "a":
		return &f.a
	case "A":
		return &f.A
	case "b":
		return &f.b
	case "B":
		return &f.B
	case "t":
		return &f.t
	case "p":
		return &f.p
	case "q":
		return &f.q
	case "m":
		return &f.m
	case "X":
		return &f.X
	case "f":
		return &f.f
	case "l":
		return &f.l
	case "lastUpdateId":
		return &f.lastUpdateID
	case "bids":
		return &f.bids
	case "asks":
		return &f.asks
	case "stream":
		return &f.stream
	case "data":
		return &f.data
	case "result":
		return &f.result
	case "error":
		return &f.errorObj
	case "code":
		return &f.code
	case "msg":
		return &f.msg
	}
	return nil
}

// reader reads the values of one frame. The first error stays; what is read
// after it is zero.
type reader struct {
	d   *Decoder
	b   []byte
	l   *listing
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// general decodes any frame. It defines what frames mean; fast agrees with it.
// On an error m is left without a kind.
func (d *Decoder) general(b []byte, snapshotFor core.InstrumentID, m *feed.Message) error {
	*m = feed.Message{Bids: m.Bids[:0], Asks: m.Asks[:0], Ahead: m.Ahead}
	r := reader{d: d, b: b}
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		if i = skipValue(b, i, 0); i >= 0 && skipSpace(b, i) == len(b) {
			return ErrShape
		}
		return ErrSyntax
	}
	var f fields
	end := r.object(i, &f)
	if r.err == nil && skipSpace(b, end) != len(b) {
		r.fail(ErrSyntax)
	}
	if r.err == nil && f.stream.present() && f.data.present() {
		from := f.data.from
		f = fields{}
		if b[from] != '{' {
			return ErrShape
		}
		r.object(from, &f)
	}
	if r.err == nil {
		r.message(&f, snapshotFor, m)
	}
	if r.err != nil {
		*m = feed.Message{Bids: m.Bids[:0], Asks: m.Asks[:0], Ahead: m.Ahead}
	}
	return r.err
}

// object collects the members of the object at offset i.
func (r *reader) object(i int, f *fields) (end int) {
	w := objectWalk{b: r.b, i: i}
	for w.next() {
		var key []byte
		key, r.d.scratch = unescape(r.b[w.key.from:w.key.to], r.d.scratch)
		if at := f.of(key); at != nil {
			if at.present() {
				r.fail(ErrSyntax)
			}
			*at = w.value
		}
	}
	if w.end < 0 {
		r.fail(ErrSyntax)
	}
	return w.end
}

// message fills m from the payload's members.
func (r *reader) message(f *fields, snapshotFor core.InstrumentID, m *feed.Message) {
	switch {
	case f.e.present():
		r.event(f, m)
	case f.lastUpdateID.present():
		r.snapshot(f, snapshotFor, m)
	case f.u.present() && f.A.present():
		r.ticker(f, m)
	case f.errorObj.present():
		var inner fields
		if r.b[f.errorObj.from] != '{' {
			r.fail(ErrShape)
			return
		}
		r.object(f.errorObj.from, &inner)
		r.refusal(&inner)
	case f.code.present():
		r.refusal(f)
	case f.result.present():
	default:
		r.fail(ErrShape)
	}
}

// event fills m from a payload that names its kind.
func (r *reader) event(f *fields, m *feed.Message) {
	switch string(r.text(f.e)) {
	case "trade":
		r.trade(f, f.t, f.t, f.t, m)
	case "aggTrade":
		r.trade(f, f.a, f.f, f.l, m)
	case "depthUpdate":
		r.depth(f, m)
	case "bookTicker":
		r.ticker(f, m)
	case "markPriceUpdate":
		r.mark(f, m)
	}
}

// listed finds the instrument of the message; without one it is ignored.
func (r *reader) listed(f *fields, m *feed.Message) bool {
	r.l = r.d.bySymbol.find(r.text(f.s))
	if r.err != nil {
		return false
	}
	if r.l == nil {
		r.d.stats.UnknownSymbols++
		return false
	}
	m.Instrument = r.l.id
	return true
}

// trade reads a trade, or an aggregate of trades first..last of one price.
func (r *reader) trade(f *fields, id, first, last span, m *feed.Message) {
	if !r.listed(f, m) {
		return
	}
	r.uint(id)
	m.FirstID, m.LastID = r.uint(first), r.uint(last)
	if m.FirstID > m.LastID {
		r.fail(ErrShape)
	}
	r.millis(f.E)
	m.ExchangeTime = r.millis(f.T)
	if m.Side = core.Buy; r.bool(f.m) {
		m.Side = core.Sell
	}
	offBook := f.X.present() && string(r.text(f.X)) != "MARKET"
	m.Price, m.Qty = r.price(f.p), r.qty(f.q)
	if offBook || m.Price == 0 || m.Qty == 0 {
		m.Price, m.Qty, m.Side = 0, 0, 0
		r.d.stats.OffBook++
		return
	}
	m.Kind = feed.MessageTrade
}

func (r *reader) depth(f *fields, m *feed.Message) {
	if !r.listed(f, m) {
		return
	}
	m.ExchangeTime = r.millis(f.E)
	if f.T.present() {
		m.ExchangeTime = r.millis(f.T)
	}
	m.FirstID, m.LastID = r.uint(f.U), r.uint(f.u)
	if m.FirstID > m.LastID {
		r.fail(ErrShape)
	}
	if r.d.market == USDM {
		m.PrevID = r.uint(f.pu)
	}
	m.Bids, m.Asks = r.levels(f.b, m.Bids), r.levels(f.a, m.Asks)
	m.Kind = feed.MessageDepth
}

// ticker reads a best bid and offer. A side without orders is all zeros.
func (r *reader) ticker(f *fields, m *feed.Message) {
	if !r.listed(f, m) {
		return
	}
	m.LastID = r.uint(f.u)
	if f.E.present() {
		m.ExchangeTime = r.millis(f.E)
	}
	if f.T.present() {
		m.ExchangeTime = r.millis(f.T)
	}
	m.Price, m.Qty = r.price(f.b), r.qty(f.B)
	m.AskPrice, m.AskQty = r.price(f.a), r.qty(f.A)
	m.Kind = feed.MessageQuote
}

// mark reads a mark price. Before an instrument has one the venue sends 0.
func (r *reader) mark(f *fields, m *feed.Message) {
	if !r.listed(f, m) {
		return
	}
	m.ExchangeTime = r.millis(f.E)
	if m.Price = r.rounded(f.p); m.Price != 0 {
		m.Kind = feed.MessageMark
	}
}

func (r *reader) snapshot(f *fields, snapshotFor core.InstrumentID, m *feed.Message) {
	if r.l = r.d.listingOf(snapshotFor); r.l == nil {
		r.fail(ErrSnapshotInstrument)
		return
	}
	m.Instrument = r.l.id
	m.LastID = r.uint(f.lastUpdateID)
	if f.E.present() {
		m.ExchangeTime = r.millis(f.E)
	}
	if f.T.present() {
		m.ExchangeTime = r.millis(f.T)
	}
	m.Bids, m.Asks = r.levels(f.bids, m.Bids), r.levels(f.asks, m.Asks)
	m.Kind = feed.MessageSnapshot
}

// refusal fails with what the venue says. It is cold and allocates.
func (r *reader) refusal(f *fields) {
	code := r.int(f.code)
	msg := string(r.text(f.msg))
	r.fail(&VenueError{Code: code, Msg: msg})
}
