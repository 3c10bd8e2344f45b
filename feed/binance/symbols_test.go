package binance

import (
	"strings"
	"testing"

	"qcat/core"
)

// TestListingOfLettersThatGrow: a letter may have more bytes in lower case, and the name
// of the stream is whole all the same.
func TestListingOfLettersThatGrow(t *testing.T) {
	for _, symbol := range []string{"BTCUSDT", "İSTUSDT", "币安USDT", "ȺUSDT"} {
		l := newListing(USDM, &core.Instrument{ID: 1, Symbol: symbol})
		if want := strings.ToLower(symbol); l.stream != want || l.streamAt != want+"@" || l.depthLit != `,"s":"`+symbol+`","U":` {
			t.Errorf("%s: stream %q, at %q, depth %q", symbol, l.stream, l.streamAt, l.depthLit)
		}
	}
}
