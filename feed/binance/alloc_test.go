//go:build !race

package binance

import (
	"strings"
	"testing"

	"qcat/feed"
)

// TestDecodeDoesNotAllocate covers each kind of frame on both paths, and the
// errors a flood of bad frames would meet (I1).
func TestDecodeDoesNotAllocate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		market Market
		frame  string
	}{
		{"spot trade", Spot, spotTrade}, {"spot depth", Spot, spotDepth},
		{"spot quote", Spot, spotQuote}, {"spot snapshot", Spot, spotSnapshot},
		{"usdm trade", USDM, usdmTrade}, {"usdm depth", USDM, usdmDepth},
		{"usdm quote", USDM, usdmQuote}, {"usdm snapshot", USDM, usdmSnapshot}, {"usdm mark", USDM, usdmMark},
		{"escaped", USDM, strings.Replace(usdmTrade, `"s":"BTC`, `"s":"\u0042TC`, 1)},
		{"unknown key", USDM, strings.Replace(usdmTrade, `"m":`, `"st":1,"m":`, 1)},
		{"unknown symbol", USDM, strings.ReplaceAll(usdmTrade, "BTCUSDT", "ETHUSDT")},
		{"answer", Spot, `{"result":null,"id":1}`},
		{"bad number", USDM, strings.Replace(usdmTrade, "61800.30", "61800.333", 1)},
		{"bad syntax", USDM, usdmTrade[:80]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newTestDecoder(t, tt.market)
			frame := []byte(tt.frame)
			var m feed.Message
			_ = d.Decode(frame, 1, &m)
			if n := testing.AllocsPerRun(100, func() { _ = d.Decode(frame, 1, &m) }); n != 0 {
				t.Fatalf("%v allocations a frame", n)
			}
		})
	}
}
