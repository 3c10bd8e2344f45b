package fakevenue

import (
	"fmt"

	"qcat/core"
	"qcat/core/book"
	"qcat/feed/binance"
)

// truth is the book of one symbol as the venue has it.
type truth struct {
	in     core.Instrument
	book   *book.Naive
	last   uint64 // update id
	millis int64  // venue's time of it
}

func newTruth(in core.Instrument, initial Book) *truth {
	t := &truth{in: in, book: book.NewNaive(), last: initial.LastUpdateID, millis: initial.Millis}
	t.set(initial.Bids, initial.Asks)
	return t
}

func (t *truth) set(bids, asks []core.Level) {
	for _, l := range bids {
		t.book.Set(core.Buy, l.Price, l.Qty)
	}
	for _, l := range asks {
		t.book.Set(core.Sell, l.Price, l.Qty)
	}
}

func (t *truth) apply(d *Depth) {
	t.set(d.Bids, d.Asks)
	t.last, t.millis = d.Last, d.Millis
}

// snapshot returns the body of GET /depth.
func (t *truth) snapshot(m binance.Market) []byte {
	b := fmt.Appendf(nil, `{"lastUpdateId":%d`, t.last)
	if m == binance.USDM {
		b = fmt.Appendf(b, `,"E":%d,"T":%d`, t.millis, t.millis)
	}
	b = t.appendSide(append(b, `,"bids":`...), core.Buy)
	b = t.appendSide(append(b, `,"asks":`...), core.Sell)
	return append(b, '}')
}

func (t *truth) appendSide(b []byte, side core.Side) []byte {
	return appendLevels(b, &t.in, t.levels(side))
}

func (t *truth) levels(side core.Side) []core.Level {
	n := t.book.Len(side)
	return t.book.Levels(side, make([]core.Level, 0, n), n)
}

// appendLevels appends levels as the venue prints them.
func appendLevels(b []byte, in *core.Instrument, levels []core.Level) []byte {
	b = append(b, '[')
	for i, l := range levels {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `["`...)
		b = core.AppendDecimal(b, int64(l.Price), in.PriceScale)
		b = append(b, `","`...)
		b = core.AppendDecimal(b, int64(l.Qty), in.QtyScale)
		b = append(b, `"]`...)
	}
	return append(b, ']')
}
