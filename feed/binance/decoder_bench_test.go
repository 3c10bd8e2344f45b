package binance

import (
	"fmt"
	"strings"
	"testing"

	"qcat/core"
	"qcat/feed"
)

// benchDepth returns a USD-M depth frame of n levels, half of them bids.
func benchDepth(n int) string {
	side := func(from int) string {
		var s []string
		for i := range n / 2 {
			s = append(s, fmt.Sprintf(`["%d.%d0","%d.%03d"]`, from+i, i%10, i%7, 100+i))
		}
		return strings.Join(s, ",")
	}
	return `{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,"pu":5123107831937,"b":[` +
		side(61700) + `],"a":[` + side(61801) + `]}}`
}

// BenchmarkDecode decodes one frame over and over: a trade, a bookTicker and
// depth of 10 and 100 levels of USD-M, the same trade with one unknown key (the
// general path), and a spot trade with its eight decimals. One instrument of
// two hundred is busy. It checks the instrument and the number of levels.
func BenchmarkDecode(b *testing.B) {
	for _, bm := range []struct {
		name   string
		market Market
		frame  string
		levels int
	}{
		{"trade", USDM, usdmTrade, 0},
		{"spot-trade", Spot, spotTrade, 0},
		{"quote", USDM, usdmQuote, 0},
		{"depth10", USDM, benchDepth(10), 10},
		{"depth100", USDM, benchDepth(100), 100},
		{"mark", USDM, usdmMark, 0},
		{"general-trade", USDM, strings.Replace(usdmTrade, `"m":`, `"st":1,"m":`, 1), 0},
		{"general-depth10", USDM, strings.Replace(benchDepth(10), `"E":`, `"st":1,"E":`, 1), 10},
	} {
		b.Run(bm.name, func(b *testing.B) {
			ins := []*core.Instrument{instrumentOf(bm.market, "BTCUSDT")}
			for i := range 199 {
				in := instrumentOf(bm.market, fmt.Sprintf("S%dUSDT", i))
				in.ID = core.InstrumentID(i + 2)
				ins = append(ins, in)
			}
			d, err := NewDecoder(bm.market, ins)
			if err != nil {
				b.Fatal(err)
			}
			frame := []byte(bm.frame)
			var m feed.Message
			levels := 0
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				if err := d.Decode(frame, 1, &m); err != nil || m.Instrument != 1 {
					b.Fatal(err, m.Instrument)
				}
				levels += len(m.Bids) + len(m.Asks)
			}
			if levels != b.N*bm.levels {
				b.Fatalf("%d levels in %d frames, want %d each", levels, b.N, bm.levels)
			}
		})
	}
}

// BenchmarkDecodeInterleaved decodes bookTickers of 1, 10, 100 and 1 000 symbols
// in turn: the cost of finding the instrument when it is never the one before.
func BenchmarkDecodeInterleaved(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var ins []*core.Instrument
			var frames [][]byte
			for i := range n {
				in := instrumentOf(USDM, fmt.Sprintf("S%dUSDT", i))
				in.ID = core.InstrumentID(i + 1)
				ins = append(ins, in)
				frames = append(frames, []byte(strings.NewReplacer("BTCUSDT", in.Symbol,
					"btcusdt", strings.ToLower(in.Symbol)).Replace(usdmQuote)))
			}
			d, err := NewDecoder(USDM, ins)
			if err != nil {
				b.Fatal(err)
			}
			var m feed.Message
			i := 0
			for b.Loop() {
				if err := d.Decode(frames[i], 0, &m); err != nil || int(m.Instrument) != i+1 {
					b.Fatal(err, m.Instrument, i)
				}
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}
