package feed_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"

	"qcat/core"
	"qcat/core/book"
	"qcat/feed"
)

// The toy venue's frames are words separated by blanks:
//
//	d INSTRUMENT FIRST LAST PREV b:PRICE:QTY a:PRICE:QTY …   depth
//	s LAST b:PRICE:QTY …                                      snapshot (of whom is not said)
//	q INSTRUMENT ID BID BIDQTY ASK ASKQTY                     quote
//	t INSTRUMENT ID PRICE QTY                                 trade
//	m INSTRUMENT PRICE                                        mark, of no known time
//	M INSTRUMENT PRICE TIME                                   mark
//	i                                                         ignored
type toyDecoder struct{ bids, asks []core.Level }

var errToy = errors.New("toy venue: bad frame")

// Decode implements feed.Decoder. It allocates: it is a test's.
func (d *toyDecoder) Decode(frame []byte, snapshotFor core.InstrumentID, m *feed.Message) error {
	words := bytes.Fields(frame)
	if len(words) == 0 {
		return errToy
	}
	var numbers []uint64
	d.bids, d.asks = d.bids[:0], d.asks[:0]
	for _, w := range words[1:] {
		var price core.Price
		var qty core.Qty
		if n, err := strconv.ParseUint(string(w), 10, 64); err == nil {
			numbers = append(numbers, n)
		} else if _, err := fmt.Sscanf(string(w[1:]), ":%d:%d", &price, &qty); err != nil {
			return errToy
		} else if w[0] == 'b' {
			d.bids = append(d.bids, core.Level{Price: price, Qty: qty})
		} else {
			d.asks = append(d.asks, core.Level{Price: price, Qty: qty})
		}
	}
	want := map[string]int{"d": 4, "s": 1, "q": 6, "t": 4, "m": 2, "M": 3, "i": 0}
	n, known := want[string(words[0])]
	if !known || n != len(numbers) {
		return errToy
	}
	*m = feed.Message{Bids: d.bids, Asks: d.asks}
	if n > 1 {
		m.Instrument = core.InstrumentID(numbers[0])
	}
	switch words[0][0] {
	case 'd':
		m.Kind = feed.MessageDepth
		m.FirstID, m.LastID, m.PrevID = numbers[1], numbers[2], numbers[3]
	case 's':
		m.Kind, m.Instrument, m.LastID = feed.MessageSnapshot, snapshotFor, numbers[0]
	case 'q':
		m.Kind, m.LastID = feed.MessageQuote, numbers[1]
		m.Price, m.Qty = core.Price(numbers[2]), core.Qty(numbers[3])
		m.AskPrice, m.AskQty = core.Price(numbers[4]), core.Qty(numbers[5])
	case 't':
		m.Kind, m.LastID, m.Side = feed.MessageTrade, numbers[1], core.Buy
		m.Price, m.Qty = core.Price(numbers[2]), core.Qty(numbers[3])
	case 'm', 'M':
		m.Kind, m.Price = feed.MessageMark, core.Price(numbers[1])
		if n > 2 {
			m.ExchangeTime = core.Nanos(numbers[2])
		}
	}
	return nil
}

// toyVenue is a venue that is obviously right: a naive book and a counter.
type toyVenue struct {
	continuity feed.Continuity
	id         core.InstrumentID
	rng        *rand.Rand
	book       *book.Naive
	last       uint64 // update id
	trade      uint64
}

func newToyVenue(c feed.Continuity, id core.InstrumentID, rng *rand.Rand) *toyVenue {
	return &toyVenue{continuity: c, id: id, rng: rng, book: book.NewNaive(), last: 1000}
}

// depth changes the book at random and returns the frame that says so. Now and
// then the frame is empty, or removes a level that is not there.
func (v *toyVenue) depth() string {
	prev := v.last
	first := prev + 1
	if v.continuity == feed.ContinuityPrev {
		first += uint64(v.rng.IntN(5)) // other instruments' updates lie between
	}
	v.last = first + uint64(v.rng.IntN(4))
	var b bytes.Buffer
	fmt.Fprintf(&b, "d %d %d %d ", v.id, first, v.last)
	if v.continuity == feed.ContinuityPrev {
		fmt.Fprintf(&b, "%d", prev)
	} else {
		b.WriteString("0")
	}
	for range v.rng.IntN(6) {
		qty := core.Qty(v.rng.IntN(4))
		if v.rng.IntN(2) == 0 {
			p := core.Price(900 + v.rng.IntN(100))
			v.book.Set(core.Buy, p, qty)
			fmt.Fprintf(&b, " b:%d:%d", p, qty)
		} else {
			p := core.Price(1000 + v.rng.IntN(100))
			v.book.Set(core.Sell, p, qty)
			fmt.Fprintf(&b, " a:%d:%d", p, qty)
		}
	}
	return b.String()
}

func (v *toyVenue) snapshot() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "s %d", v.last)
	for _, l := range v.book.Levels(core.Buy, nil, -1) {
		fmt.Fprintf(&b, " b:%d:%d", l.Price, l.Qty)
	}
	for _, l := range v.book.Levels(core.Sell, nil, -1) {
		fmt.Fprintf(&b, " a:%d:%d", l.Price, l.Qty)
	}
	return b.String()
}

func (v *toyVenue) quote() string {
	bid, _ := v.book.BestBid()
	ask, _ := v.book.BestAsk()
	return fmt.Sprintf("q %d %d %d %d %d %d", v.id, v.last, bid.Price, bid.Qty, ask.Price, ask.Qty)
}

func (v *toyVenue) tradeFrame() string {
	v.trade++
	return fmt.Sprintf("t %d %d %d %d", v.id, v.trade, 1000+v.rng.IntN(10), 1+v.rng.IntN(5))
}
