package wire

import (
	"strconv"

	"qcat/core"
)

// ChannelPrefix returns the part of a channel's data frames that never changes.
func ChannelPrefix(channel string) []byte {
	b := append([]byte(nil), `{"ch":`...)
	b = AppendString(b, channel)
	return append(b, `,"seq":`...)
}

// AppendHead appends everything of a data frame before the value of "data".
func AppendHead(dst, prefix []byte, seq uint64, ets, rts core.Nanos) []byte {
	dst = append(dst, prefix...)
	dst = strconv.AppendUint(dst, seq, 10)
	dst = appendKeyInt(dst, `,"ets":`, int64(ets))
	dst = appendKeyInt(dst, `,"rts":`, int64(rts))
	return append(dst, `,"data":`...)
}

// AppendPrivateHead is AppendHead for an engine event: seq is the journal
// sequence of its record, and "idx" stands beside it for all but the record's
// first event.
func AppendPrivateHead(dst, prefix []byte, seq uint64, idx uint32, at core.Nanos) []byte {
	dst = append(dst, prefix...)
	dst = strconv.AppendUint(dst, seq, 10)
	if idx > 0 {
		dst = appendKeyUint(dst, `,"idx":`, uint64(idx))
	}
	dst = appendKeyInt(dst, `,"ets":`, int64(at))
	dst = appendKeyInt(dst, `,"rts":`, int64(at))
	return append(dst, `,"data":`...)
}

// AppendTail closes a data frame.
func AppendTail(dst []byte) []byte { return append(dst, '}') }

// BBO is the best bid and offer of one instrument. A side whose price is 0 is
// unknown and is encoded as null.
type BBO struct {
	BidPrice, AskPrice core.Price
	BidQty, AskQty     core.Qty
	Stale              bool // the book behind it waits for a snapshot
}

// AppendBBO appends {"bp","bq","ap","aq"}, and "stale":true when it is.
func AppendBBO(dst []byte, in *core.Instrument, q *BBO) []byte {
	dst = append(dst, `{"bp":`...)
	dst = appendSide(dst, in, q.BidPrice, q.BidQty, `,"bq":`)
	dst = append(dst, `,"ap":`...)
	dst = appendSide(dst, in, q.AskPrice, q.AskQty, `,"aq":`)
	if q.Stale {
		dst = append(dst, `,"stale":true`...)
	}
	return append(dst, '}')
}

// appendSide appends price, key and quantity of one side, nulls when unknown.
func appendSide(dst []byte, in *core.Instrument, p core.Price, q core.Qty, qtyKey string) []byte {
	if p == 0 {
		dst = append(dst, "null"...)
		dst = append(dst, qtyKey...)
		return append(dst, "null"...)
	}
	dst = appendDecimal(dst, int64(p), in.PriceScale)
	return appendKeyDecimal(dst, qtyKey, int64(q), in.QtyScale)
}

// Trade is one public trade.
type Trade struct {
	ID           uint64 // the venue's
	Price        core.Price
	Qty          core.Qty
	ExchangeTime core.Nanos
	ReceiveTime  core.Nanos
	Side         core.Side // the aggressor's
}

// AppendTrade appends {"p","q","side","id"}.
func AppendTrade(dst []byte, in *core.Instrument, t *Trade) []byte {
	dst = appendTradeFields(append(dst, '{'), in, t)
	return append(dst, '}')
}

// AppendTradeRecord appends a trade with its times, as the list of recent trades
// holds it.
func AppendTradeRecord(dst []byte, in *core.Instrument, t *Trade) []byte {
	dst = appendTradeFields(append(dst, '{'), in, t)
	dst = appendKeyInt(dst, `,"ets":`, int64(t.ExchangeTime))
	dst = appendKeyInt(dst, `,"rts":`, int64(t.ReceiveTime))
	return append(dst, '}')
}

func appendTradeFields(dst []byte, in *core.Instrument, t *Trade) []byte {
	dst = appendKeyDecimal(dst, `"p":`, int64(t.Price), in.PriceScale)
	dst = appendKeyDecimal(dst, `,"q":`, int64(t.Qty), in.QtyScale)
	dst = append(dst, `,"side":"`...)
	dst = append(dst, t.Side.String()...)
	return appendKeyUint(dst, `","id":`, t.ID)
}

// AppendDepth appends {"snapshot","b","a"}: a whole book, or the levels that
// changed (quantity 0 removes one).
func AppendDepth(dst []byte, in *core.Instrument, snapshot bool, bids, asks []core.Level) []byte {
	dst = appendKeyBool(dst, `{"snapshot":`, snapshot)
	return appendSides(dst, in, bids, asks)
}

// AppendDepthStale appends a change without levels that says that the book waits
// for a snapshot: what the client holds is no longer to be traded on.
func AppendDepthStale(dst []byte) []byte {
	return append(dst, `{"snapshot":false,"stale":true,"b":[],"a":[]}`...)
}

func appendSides(dst []byte, in *core.Instrument, bids, asks []core.Level) []byte {
	dst = append(dst, `,"b":`...)
	dst = appendLevels(dst, in, bids)
	dst = append(dst, `,"a":`...)
	dst = appendLevels(dst, in, asks)
	return append(dst, '}')
}

func appendLevels(dst []byte, in *core.Instrument, levels []core.Level) []byte {
	dst = append(dst, '[')
	for i := range levels {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		dst = appendDecimal(dst, int64(levels[i].Price), in.PriceScale)
		dst = append(dst, ',')
		dst = appendDecimal(dst, int64(levels[i].Qty), in.QtyScale)
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

// BookSnapshot is a book as HTTP shows it.
type BookSnapshot struct {
	Bids, Asks   []core.Level // best first
	Seq          uint64       // the venue's update id
	ExchangeTime core.Nanos
	ReceiveTime  core.Nanos
	Stale        bool
	Crossed      bool
}

// AppendBook appends {"instrument","seq","ets","rts","stale","crossed","b","a"}.
func AppendBook(dst []byte, in *core.Instrument, s *BookSnapshot) []byte {
	dst = appendInstrumentName(append(dst, `{"instrument":`...), in)
	dst = appendKeyUint(dst, `,"seq":`, s.Seq)
	dst = appendKeyInt(dst, `,"ets":`, int64(s.ExchangeTime))
	dst = appendKeyInt(dst, `,"rts":`, int64(s.ReceiveTime))
	dst = appendKeyBool(dst, `,"stale":`, s.Stale)
	dst = appendKeyBool(dst, `,"crossed":`, s.Crossed)
	return appendSides(dst, in, s.Bids, s.Asks)
}

// AppendCandle appends {"t","o","h","l","c","v","n","closed"}: open time in ns,
// prices, volume in the base currency, number of trades.
func AppendCandle(dst []byte, in *core.Instrument, c *core.Candle) []byte {
	dst = appendKeyInt(dst, `{"t":`, int64(c.OpenTime))
	dst = appendKeyDecimal(dst, `,"o":`, int64(c.Open), in.PriceScale)
	dst = appendKeyDecimal(dst, `,"h":`, int64(c.High), in.PriceScale)
	dst = appendKeyDecimal(dst, `,"l":`, int64(c.Low), in.PriceScale)
	dst = appendKeyDecimal(dst, `,"c":`, int64(c.Close), in.PriceScale)
	dst = appendKeyDecimal(dst, `,"v":`, int64(c.Volume), in.QtyScale)
	dst = appendKeyUint(dst, `,"n":`, uint64(c.Trades))
	dst = appendKeyBool(dst, `,"closed":`, c.Closed)
	return append(dst, '}')
}

// AppendQuote appends one row of the quote table:
// {"instrument","bid_price","bid_qty","ask_price","ask_qty","last_price",
// "mark_price","seq","ets","rts","stale","crossed"}. Unknown prices are null.
func AppendQuote(dst []byte, in *core.Instrument, q *core.Quote) []byte {
	dst = appendInstrumentName(append(dst, `{"instrument":`...), in)
	dst = append(dst, `,"bid_price":`...)
	dst = appendSide(dst, in, q.BidPrice, q.BidQty, `,"bid_qty":`)
	dst = append(dst, `,"ask_price":`...)
	dst = appendSide(dst, in, q.AskPrice, q.AskQty, `,"ask_qty":`)
	dst = appendKeyKnownPrice(dst, `,"last_price":`, q.LastPrice, in.PriceScale)
	dst = appendKeyKnownPrice(dst, `,"mark_price":`, q.MarkPrice, in.PriceScale)
	dst = appendKeyUint(dst, `,"seq":`, q.Seq)
	dst = appendKeyInt(dst, `,"ets":`, int64(q.ExchangeTime))
	dst = appendKeyInt(dst, `,"rts":`, int64(q.ReceiveTime))
	dst = appendKeyBool(dst, `,"stale":`, q.Flags.Has(core.FlagStale))
	dst = appendKeyBool(dst, `,"crossed":`, q.Flags.Has(core.FlagCrossed) || q.Crossed())
	return append(dst, '}')
}

func appendKeyKnownPrice(dst []byte, key string, p core.Price, scale uint8) []byte {
	if p == 0 {
		dst = append(dst, key...)
		return append(dst, "null"...)
	}
	return appendKeyDecimal(dst, key, int64(p), scale)
}

// appendInstrumentName appends "venue:symbol" without joining the two first.
func appendInstrumentName(dst []byte, in *core.Instrument) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, in.Venue)
	dst = append(dst, ':')
	dst = appendEscaped(dst, in.Symbol)
	return append(dst, '"')
}
