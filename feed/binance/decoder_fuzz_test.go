package binance

import (
	"testing"

	"qcat/core"
	"qcat/feed"
)

// FuzzFastEqualsGeneral proves the fixed-shape scanner against the general path:
// whatever it accepts, the general path accepts with the same meaning. Neither
// may panic, and an error leaves no message.
func FuzzFastEqualsGeneral(f *testing.F) {
	for _, frame := range []string{spotTrade, spotDepth, spotQuote, spotSnapshot,
		usdmTrade, usdmDepth, usdmQuote, usdmSnapshot, usdmMark,
		spotTrade[31 : len(spotTrade)-1], usdmDepth[35 : len(usdmDepth)-1],
		`{"result":null,"id":1}`, `{"code":-1,"msg":"\ud83d\ude00\ud83d"}`, `{"error":{"code":1,"msg":"x"}}`,
		`{"s":"币安人生USDT","u":1,"A":"1"}`, `{"e":"trade","s":"BTCUSDT"}`, `{"stream":"","data":{}}`} {
		for _, spot := range []bool{true, false} {
			f.Add([]byte(frame), spot)
		}
	}
	decoders := map[bool]*Decoder{}
	for _, market := range []Market{Spot, USDM} {
		a, b := instrumentOf(market, "BTCUSDT"), instrumentOf(market, "币安人生USDT")
		b.ID, b.PriceScale, b.QtyScale = 2, 0, 0
		d, err := NewDecoder(market, []*core.Instrument{a, b})
		if err != nil {
			f.Fatal(err)
		}
		decoders[market == Spot] = d
	}
	f.Fuzz(func(t *testing.T, frame []byte, spot bool) {
		d := decoders[spot]
		var fast, general feed.Message
		accepted := d.fast(frame, 1, &fast)
		err := d.general(frame, 1, &general)
		if accepted {
			if err != nil {
				t.Fatalf("the scanner takes what the general path refuses: %v", err)
			}
			sameMessage(t, "scanner against general path", fast, general)
		}
		if err != nil && (general.Kind != feed.MessageIgnored || len(general.Bids)+len(general.Asks) != 0) {
			t.Fatalf("partial message beside error %v: %+v", err, general)
		}
	})
}
