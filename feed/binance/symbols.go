package binance

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"qcat/core"
)

// listing is what the decoder keeps of one instrument. The literals are what
// stands around its symbol in a frame, so that one comparison settles symbol
// and neighbouring keys together; the heads are whole beginnings of frames of a
// combined stream, up to the first number.
type listing struct {
	id         core.InstrumentID
	priceScale uint8
	qtyScale   uint8

	symbol string // BTCUSDT
	stream string // btcusdt: the symbol as stream names spell it

	streamAt   string // btcusdt@
	kindAt     int    // where the kind of stream begins in a combined frame
	tradeHead  string // {"stream":"btcusdt@trade","data":{"e":"trade","E":
	depthHead  string
	tickerHead string

	tradeLit  string // ,"s":"BTCUSDT","t":
	depthLit  string // ,"s":"BTCUSDT","U":
	tickerLit string // ,"s":"BTCUSDT","b":"
}

func newListing(m Market, in *core.Instrument) *listing {
	s := `,"s":"` + in.Symbol + `",`
	l := &listing{id: in.ID, priceScale: in.PriceScale, qtyScale: in.QtyScale, symbol: in.Symbol}
	together(strings.ToLower(in.Symbol)+"@", &l.streamAt, s+`"U":`, &l.depthLit, s+`"t":`, &l.tradeLit, s+`"b":"`, &l.tickerLit)
	l.stream = strings.TrimSuffix(l.streamAt, "@")
	l.kindAt = len(streamLit) + len(l.streamAt)
	depth, ticker := "depth@100ms", spotTicker
	if m == USDM {
		depth, ticker = "depth@0ms", eventLit+tickerLit
	}
	head := func(stream, payload string) string { return streamLit + l.streamAt + stream + dataLit + payload }
	l.tradeHead = head("trade", eventLit+tradeLit)
	l.depthHead = head(depth, eventLit+depthLit)
	l.tickerHead = head("bookTicker", ticker)
	return l
}

// together makes the strings one in memory: what a frame is compared with in turn then
// comes with two or three cache lines.
func together(s1 string, p1 *string, s2 string, p2 *string, s3 string, p3 *string, s4 string, p4 *string) {
	all := s1 + s2 + s3 + s4
	for _, part := range []struct {
		n  int
		to *string
	}{{len(s1), p1}, {len(s2), p2}, {len(s3), p3}, {len(s4), p4}} {
		*part.to, all = all[:part.n], all[part.n:]
	}
}

// nowhere stands in for "no listing yet": its literals match no frame.
var nowhere = &listing{symbol: "\x00", stream: "\x00", streamAt: "\x00",
	tradeHead: "\x00", depthHead: "\x00", tickerHead: "\x00",
	tradeLit: "\x00", depthLit: "\x00", tickerLit: "\x00"}

// symbolTable finds a listing by the bytes of a name: open addressing, at most
// half full, no allocation and no string made. Immutable once built.
type symbolTable struct {
	slots []symbolSlot
	shift uint8
}

type symbolSlot struct {
	name string
	at   *listing
}

func newSymbolTable(listings []*listing, name func(*listing) string) symbolTable {
	size := bits.Len(uint(2*len(listings) + 1))
	t := symbolTable{slots: make([]symbolSlot, 1<<size), shift: uint8(64 - size)}
	for _, l := range listings {
		i := t.hash([]byte(name(l)))
		for t.slots[i].at != nil {
			i = (i + 1) & (len(t.slots) - 1)
		}
		t.slots[i] = symbolSlot{name(l), l}
	}
	return t
}

// hash mixes the first and last eight bytes and the length: symbols differ in
// their ends.
func (t *symbolTable) hash(b []byte) int {
	var head, tail uint64
	if n := len(b); n >= 8 {
		head, tail = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	} else {
		for _, c := range b {
			head = head<<8 | uint64(c)
		}
	}
	h := (head ^ bits.RotateLeft64(tail, 23) ^ uint64(len(b))) * 0x9e3779b97f4a7c15
	return int(h >> t.shift)
}

// find returns the listing of that name, or nil.
func (t *symbolTable) find(name []byte) *listing {
	for i := t.hash(name); ; i = (i + 1) & (len(t.slots) - 1) {
		s := &t.slots[i]
		if s.at == nil || s.name == string(name) {
			return s.at
		}
	}
}
