package fakevenue

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"qcat/core"
	"qcat/core/book"
	"qcat/feed"
	"qcat/feed/binance"
)

// captureSource reads a capture of the market.
func captureSource(tb testing.TB, m binance.Market, limit int) *Source {
	tb.Helper()
	dir := os.Getenv("QCAT_CAPTURES")
	if dir == "" {
		tb.Skip("QCAT_CAPTURES is not set: no recorded market data to play")
	}
	name := map[binance.Market]string{binance.Spot: "spot-btcusdt-20240808.gz", binance.USDM: "usdm-btcusdt-20240808.gz"}[m]
	f, err := os.Open(filepath.Join(dir, "binance", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	if raceEnabled {
		limit = 4_000
	}
	src, err := CaptureOf(m, f, limit)
	if err != nil {
		tb.Fatal(err)
	}
	return src
}

// TestSyntheticFramesAreTheVenues decodes every generated frame by the feed's
// decoder and applies it to a book: the shapes are those that the decoder knows,
// the ids continue, the book never crosses, each bookTicker is the book's best.
func TestSyntheticFramesAreTheVenues(t *testing.T) {
	for _, market := range []binance.Market{binance.Spot, binance.USDM} {
		t.Run(market.String(), func(t *testing.T) {
			src := Synthetic(SyntheticConfig{Market: market, Seed: 7, Messages: 3000})
			checkFrames(t, src)
			again := Synthetic(SyntheticConfig{Market: market, Seed: 7, Messages: 3000})
			if !reflect.DeepEqual(src, again) {
				t.Error("the same seed gives other frames")
			}
		})
	}
}

// checker follows one symbol of a source by the feed's decoder.
type checker struct {
	book    *book.Book
	last    uint64
	trade   uint64
	tickers int
}

func checkFrames(t *testing.T, src *Source) {
	t.Helper()
	var ins []*core.Instrument
	of := map[core.InstrumentID]*checker{}
	for i := range src.Instruments {
		in := src.Instruments[i]
		in.ID = core.InstrumentID(i + 1)
		ins = append(ins, &in)
		c := &checker{book: book.New(64), last: src.Initial[in.Symbol].LastUpdateID}
		for _, l := range src.Initial[in.Symbol].Bids {
			c.book.Set(core.Buy, l.Price, l.Qty)
		}
		for _, l := range src.Initial[in.Symbol].Asks {
			c.book.Set(core.Sell, l.Price, l.Qty)
		}
		of[in.ID] = c
	}
	d, err := binance.NewDecoder(src.Market, ins)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[feed.MessageKind]int{}
	var m feed.Message
	for i := range src.Frames {
		if err := d.Decode(src.Frames[i].Wrapped, 0, &m); err != nil {
			t.Fatalf("frame %d: %v: %s", i, err, src.Frames[i].Wrapped)
		}
		kinds[m.Kind]++
		of[m.Instrument].check(t, src.Market, &m)
	}
	if got := d.Stats().Fallbacks; got != uint64(kinds[feed.MessageMark]) {
		t.Errorf("%d frames of %d are not of the venue's shape", got, len(src.Frames))
	}
	for _, k := range []feed.MessageKind{feed.MessageTrade, feed.MessageQuote, feed.MessageDepth} {
		if kinds[k] < len(src.Frames)/20 {
			t.Errorf("only %d messages of kind %d", kinds[k], k)
		}
	}
}

func (c *checker) check(t *testing.T, market binance.Market, m *feed.Message) {
	t.Helper()
	switch m.Kind {
	case feed.MessageDepth:
		if market == binance.Spot && m.FirstID != c.last+1 || market == binance.USDM && m.PrevID != c.last {
			t.Fatalf("depth %d..%d after %d, previous %d", m.FirstID, m.LastID, c.last, m.PrevID)
		}
		c.last = m.LastID
		for _, l := range m.Bids {
			c.book.Set(core.Buy, l.Price, l.Qty)
		}
		for _, l := range m.Asks {
			c.book.Set(core.Sell, l.Price, l.Qty)
		}
		if c.book.Crossed() {
			t.Fatal("the book is crossed")
		}
	case feed.MessageQuote:
		bid, _ := c.book.BestBid()
		ask, _ := c.book.BestAsk()
		if m.LastID != c.last || bid != (core.Level{Price: m.Price, Qty: m.Qty}) || ask != (core.Level{Price: m.AskPrice, Qty: m.AskQty}) {
			t.Fatalf("quote %+v of a book of %v, %v", m, bid, ask)
		}
		c.tickers++
	case feed.MessageTrade:
		if c.trade != 0 && m.LastID != c.trade+1 {
			t.Fatalf("trade %d after %d", m.LastID, c.trade)
		}
		c.trade = m.LastID
	}
}

// TestCaptureBeginsAtItsSnapshot counts what is known of the captures.
func TestCaptureBeginsAtItsSnapshot(t *testing.T) {
	t.Parallel()
	for market, want := range map[binance.Market]int{binance.Spot: 3449, binance.USDM: 6547} {
		t.Run(market.String(), func(t *testing.T) {
			src := captureSource(t, market, 0)
			depth := 0
			for _, f := range src.Frames {
				if f.Depth != nil {
					depth++
				}
			}
			if (depth != want && !raceEnabled) || src.Frames[0].Depth == nil {
				t.Fatalf("%d depth messages follow the snapshot, want %d", depth, want)
			}
			tr := newTruth(src.Instruments[0], src.Initial["BTCUSDT"])
			for _, f := range src.Frames {
				if f.Depth != nil {
					tr.apply(f.Depth)
					if tr.book.Crossed() {
						t.Fatalf("crossed at %d", f.Depth.Last)
					}
				}
			}
		})
	}
}

func TestCaptureErrors(t *testing.T) {
	trade := `1 {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1.00","q":"1.0","T":1,"m":true,"M":true}}` + "\n"
	for name, tt := range map[string]struct {
		text string
		want error
	}{
		"empty":       {"", binance.ErrNothingDiscovered},
		"no snapshot": {trade, ErrNoSnapshot},
		"no time":     {"{}", nil},
		"bad frame":   {trade + `1 {"lastUpdateId":1,"bids":[],"asks":[]}` + "\n1 {]\n", nil},
		"bad level":   {trade + `1 {"lastUpdateId":1,"bids":[["x","1"]],"asks":[]}` + "\n", core.ErrDecimalSyntax},
	} {
		_, err := CaptureOf(binance.Spot, strings.NewReader(tt.text), 0)
		if err == nil || (tt.want != nil && !errors.Is(err, tt.want)) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
	}
}
