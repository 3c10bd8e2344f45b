package risk

import (
	"math"

	"qcat/core"
)

// Reference is the market data an order is judged by, as it was read once and
// written in the journal. Prices that are not known are 0.
type Reference struct {
	Bid, Ask, Last, Mark     core.Price
	Time, LastTime, MarkTime core.Nanos // receive times of bid/ask, last, mark
	VenueTime                core.Nanos // when the venue says bid/ask were; 0: it does not say
	Flags                    core.EventFlags
}

// ReferenceOf returns the parts of q that risk looks at.
func ReferenceOf(q *core.Quote) Reference {
	return Reference{
		Bid: q.BidPrice, Ask: q.AskPrice, Last: q.LastPrice, Mark: q.MarkPrice,
		Time: q.ReceiveTime, VenueTime: q.ExchangeTime, LastTime: q.LastTime, MarkTime: q.MarkTime,
		Flags: q.Flags,
	}
}

// price returns the price an order is judged by, and how old it is: the mark,
// else the middle of best bid and offer, else the last trade, the first of them
// that is at most maxAge old. Each has a time of its own because each may fail
// alone: while mark prices do not come, a live book still tells the price. When
// none is young enough, the youngest comes back; 0 when none is known.
func (r *Reference) price(now core.Nanos, maxAge int64) (price core.Price, old int64) {
	var mid core.Price
	if r.Bid > 0 && r.Ask > 0 {
		mid = r.Bid + (r.Ask-r.Bid)/2
	}
	old = math.MaxInt64
	for _, k := range [...]struct {
		price core.Price
		at    core.Nanos
	}{{r.Mark, r.MarkTime}, {mid, r.Time}, {r.Last, r.LastTime}} {
		if k.price <= 0 {
			continue
		}
		a := int64(age(k.at, now))
		if a <= maxAge {
			return k.price, a
		}
		if price == 0 || a < old {
			price, old = k.price, a
		}
	}
	return price, old
}
