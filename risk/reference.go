package risk

import "qcat/core"

// Reference is the market data an order is judged by, as it was read once and
// written in the journal. Prices that are not known are 0.
type Reference struct {
	Bid, Ask, Last, Mark     core.Price
	Time, LastTime, MarkTime core.Nanos // receive times of bid/ask, last, mark
	Flags                    core.EventFlags
}

// ReferenceOf returns the parts of q that risk looks at.
func ReferenceOf(q *core.Quote) Reference {
	return Reference{
		Bid: q.BidPrice, Ask: q.AskPrice, Last: q.LastPrice, Mark: q.MarkPrice,
		Time: q.ReceiveTime, LastTime: q.LastTime, MarkTime: q.MarkTime,
		Flags: q.Flags,
	}
}
