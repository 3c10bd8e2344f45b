package binance

import (
	"bufio"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"qcat/core"
	"qcat/feed"
)

// Small frames of the venue's shapes, one of each kind.
const (
	spotTrade    = `{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}`
	spotDepth    = `{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255308,"s":"BTCUSDT","U":50093239203,"u":50093239207,"b":[["55653.87000000","0.00000000"]],"a":[["61838.04000000","0.32332000"],["61844.30000000","0.40163000"]]}}`
	spotQuote    = `{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}`
	spotSnapshot = `{"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"],["61837.62000000","0.61700000"]],"asks":[["61837.64000000","1.54698000"]]}`
	usdmTrade    = `{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256321,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}`
	usdmDepth    = `{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,"pu":5123107831937,"b":[["58710.20","0.014"],["61496.50","0.010"]],"a":[]}}`
	usdmQuote    = `{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256314}}`
	usdmSnapshot = `{"lastUpdateId":5123107852948,"E":1723161256501,"T":1723161256493,"bids":[["61800.20","2.909"]],"asks":[["61800.30","1.072"]]}`
	usdmMark     = `{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1723161256000,"s":"BTCUSDT","p":"61800.32500000","ap":"61801.10000000","P":"61790.10000000","i":"61805.96478261","r":"0.00010000","T":1723190400000}}`
)

func instrumentOf(m Market, symbol string) *core.Instrument {
	in := &core.Instrument{ID: 1, Venue: m.Venue(), Symbol: symbol, Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: m.ContractKind(), PriceScale: 8, QtyScale: 8, SettleScale: 8, ContractSize: 1, TickSize: 1_000_000, StepSize: 1000}
	if m == USDM {
		in.PriceScale, in.QtyScale, in.TickSize, in.StepSize = 2, 3, 10, 1
	}
	return in
}

func newTestDecoder(tb testing.TB, m Market) *Decoder {
	tb.Helper()
	d, err := NewDecoder(m, []*core.Instrument{instrumentOf(m, "BTCUSDT")})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func mustDecode(tb testing.TB, d *Decoder, frame string) feed.Message {
	tb.Helper()
	var m feed.Message
	if err := d.Decode([]byte(frame), 1, &m); err != nil {
		tb.Fatalf("%v: %s", err, frame)
	}
	return m
}

// raceFrames is how much of a capture is read under the race detector.
const raceFrames = 4_000

// captureFrames returns the frames of a capture of the given market.
func captureFrames(tb testing.TB, m Market) [][]byte {
	tb.Helper()
	dir := os.Getenv("QCAT_CAPTURES")
	if dir == "" {
		tb.Skip("QCAT_CAPTURES is not set: no recorded market data to read")
	}
	name := map[Market]string{Spot: "spot-btcusdt-20240808.gz", USDM: "usdm-btcusdt-20240808.gz"}[m]
	f, err := os.Open(filepath.Join(dir, "binance", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var frames [][]byte
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() && (!raceEnabled || len(frames) < raceFrames) {
		line := sc.Bytes()
		for i, c := range line {
			if c == ' ' {
				frames = append(frames, append([]byte(nil), line[i+1:]...))
				break
			}
		}
	}
	if err := sc.Err(); err != nil {
		tb.Fatal(err)
	}
	return frames
}
