package core

import "time"

// CandleInterval is the width of a candle unless another is named.
const CandleInterval = Nanos(time.Minute)

// Candle is what traded in one interval, in integers. An interval without a
// trade has no candle.
type Candle struct {
	Open, High, Low, Close Price

	// Volume is the quantity traded, Notional-free: it stays exact. It saturates
	// at the largest Qty rather than wrap.
	Volume Qty
	Trades uint32
	// Closed says that no further trade can change the candle.
	Closed bool

	OpenTime Nanos // a multiple of the interval
}

// CandleOpenTime returns the open time of the candle of that width that t falls
// into. The earliest interval of all, which no Nanos begins, begins at the smallest.
func CandleOpenTime(t, interval Nanos) Nanos {
	r := t % interval
	if r < 0 {
		r += interval
	}
	if open := t - r; open <= t {
		return open
	}
	return -1 << 63
}

// CandleBuilder folds trades into candles. It is pure: what it does depends on
// the trades and the times it is told alone, never on a clock, so that a replay
// gives the same candles. The zero value is ready. One goroutine.
type CandleBuilder struct {
	// Interval is the width of the candles, 0 for CandleInterval. It is set before
	// the first trade.
	Interval Nanos

	cur  Candle
	open bool
	late uint64
}

// ResumeCandles returns a builder that goes on after last, the latest candle of an
// earlier one: open, or closed. Late begins at 0 again.
func ResumeCandles(interval Nanos, last Candle) CandleBuilder {
	return CandleBuilder{Interval: interval, cur: last, open: !last.Closed}
}

func (b *CandleBuilder) interval() Nanos {
	if b.Interval > 0 {
		return b.Interval
	}
	return CandleInterval
}

// Current returns the candle that trades are folded into, and false when there
// is none.
func (b *CandleBuilder) Current() (Candle, bool) { return b.cur, b.open }

// Late is the number of trades that came after their candle had closed. They
// are counted and otherwise left out: a closed candle never changes.
func (b *CandleBuilder) Late() uint64 { return b.late }

// Trade folds one trade in. When the trade belongs to a later interval than the
// current candle, that candle is returned closed; otherwise ok is false.
func (b *CandleBuilder) Trade(at Nanos, p Price, q Qty) (closed Candle, ok bool) {
	open := CandleOpenTime(at, b.interval())
	if b.cur.Trades != 0 && (open < b.cur.OpenTime || (open == b.cur.OpenTime && !b.open)) {
		b.late++
		return Candle{}, false
	}
	closed, ok = b.Advance(at)
	if !b.open {
		b.cur = Candle{OpenTime: open, Open: p, High: p, Low: p}
		b.open = true
	}
	c := &b.cur
	c.High = max(c.High, p)
	c.Low = min(c.Low, p)
	c.Close = p
	if v := c.Volume + q; v >= c.Volume {
		c.Volume = v
	} else {
		c.Volume = Qty(int64(^uint64(0) >> 1))
	}
	if c.Trades != ^uint32(0) {
		c.Trades++
	}
	return closed, ok
}

// Advance tells the builder that market time has reached at: a candle whose
// interval is over is returned closed, so that an instrument that stops trading
// still gets its last candle.
func (b *CandleBuilder) Advance(at Nanos) (closed Candle, ok bool) {
	if !b.open || CandleOpenTime(at, b.interval()) <= b.cur.OpenTime {
		return Candle{}, false
	}
	b.open = false
	b.cur.Closed = true
	return b.cur, true
}
