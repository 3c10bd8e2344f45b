package decode

import (
	"encoding/json"

	"github.com/adshao/go-binance/v2"
	"github.com/adshao/go-binance/v2/futures"
	"github.com/bitly/go-simplejson"

	"qcat/bench/peers/tape"
	"qcat/core"
	"qcat/feed"
)

// goBinance is adshao/go-binance: its event structs, filled by the packages that its
// own handlers fill them with, encoding/json and, for depth, go-simplejson.
type goBinance struct{ f filler }

func newGoBinance(t *tape.Tape) (decoder, error) { return &goBinance{newFiller(t)}, nil }

func (d *goBinance) decode(frame []byte, m *feed.Message) error {
	switch kindOf(frame) {
	case feed.MessageTrade:
		var e binance.WsCombinedTradeEvent
		if err := json.Unmarshal(frame, &e); err != nil {
			return err
		}
		t := &e.Data
		return d.f.trade(m, text(t.Symbol), uint64(t.TradeTime), uint64(t.TradeID), text(t.Price), text(t.Quantity), t.IsBuyerMaker)
	case feed.MessageQuote:
		var e futures.WsCombinedBookTickerEvent
		if err := json.Unmarshal(frame, &e); err != nil {
			return err
		}
		q := e.Data
		return d.f.quote(m, text(q.Symbol), uint64(q.TransactionTime), uint64(q.UpdateID),
			text(q.BestBidPrice), text(q.BestBidQty), text(q.BestAskPrice), text(q.BestAskQty))
	case feed.MessageDepth:
		e, err := depthEvent(frame)
		if err != nil {
			return err
		}
		d.f.depth(m, text(e.Symbol), uint64(e.TransactionTime), uint64(e.FirstUpdateID), uint64(e.LastUpdateID), uint64(e.PrevLastUpdateID))
		m.Bids, m.Asks = d.levels(m.Bids, e.Bids), d.levels(m.Asks, e.Asks)
		return d.f.err
	}
	return errFrame
}

// depthEvent makes the library's event of a frame by way of a tree of maps, as the
// library does.
func depthEvent(frame []byte) (*futures.WsDepthEvent, error) {
	root, err := simplejson.NewJson(frame)
	if err != nil {
		return nil, err
	}
	data := root.Get("data")
	return &futures.WsDepthEvent{
		Event: data.Get("e").MustString(), Time: data.Get("E").MustInt64(), TransactionTime: data.Get("T").MustInt64(),
		Symbol: data.Get("s").MustString(), FirstUpdateID: data.Get("U").MustInt64(), LastUpdateID: data.Get("u").MustInt64(),
		PrevLastUpdateID: data.Get("pu").MustInt64(), Bids: priceLevels(data.Get("b")), Asks: priceLevels(data.Get("a")),
	}, nil
}

func priceLevels(side *simplejson.Json) []futures.Bid {
	pairs := side.MustArray()
	levels := make([]futures.Bid, 0, len(pairs))
	for _, p := range pairs {
		if pair, ok := p.([]any); ok && len(pair) == 2 {
			price, _ := pair[0].(string)
			qty, _ := pair[1].(string)
			levels = append(levels, futures.Bid{Price: price, Quantity: qty})
		}
	}
	return levels
}

func (d *goBinance) levels(dst []core.Level, from []futures.Bid) []core.Level {
	for i := range from {
		dst = append(dst, d.f.level(text(from[i].Price), text(from[i].Quantity)))
	}
	return dst
}
