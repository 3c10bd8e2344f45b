package binance

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"qcat/core"
	"qcat/feed"
)

const ms = core.Nanos(1_000_000)

func TestDecodeKinds(t *testing.T) {
	level := func(p core.Price, q core.Qty) core.Level { return core.Level{Price: p, Qty: q} }
	tests := []struct {
		name   string
		market Market
		frame  string
		want   feed.Message
	}{
		{"spot trade", Spot, spotTrade, feed.Message{Kind: feed.MessageTrade, Side: core.Sell, Instrument: 1,
			FirstID: 3735683259, LastID: 3735683259, ExchangeTime: 1723161255342 * ms, Price: 6183763000000, Qty: 2000000}},
		{"spot depth", Spot, spotDepth, feed.Message{Kind: feed.MessageDepth, Instrument: 1,
			FirstID: 50093239203, LastID: 50093239207, ExchangeTime: 1723161255308 * ms,
			Bids: []core.Level{level(5565387000000, 0)},
			Asks: []core.Level{level(6183804000000, 32332000), level(6184430000000, 40163000)}}},
		{"spot quote", Spot, spotQuote, feed.Message{Kind: feed.MessageQuote, Instrument: 1, LastID: 50093239212,
			Price: 6183763000000, Qty: 378826000, AskPrice: 6183764000000, AskQty: 154698000}},
		{"spot snapshot", Spot, spotSnapshot, feed.Message{Kind: feed.MessageSnapshot, Instrument: 1, LastID: 50093239218,
			Bids: []core.Level{level(6183763000000, 378826000), level(6183762000000, 61700000)},
			Asks: []core.Level{level(6183764000000, 154698000)}}},
		{"usdm trade", USDM, usdmTrade, feed.Message{Kind: feed.MessageTrade, Side: core.Buy, Instrument: 1,
			FirstID: 5266583935, LastID: 5266583935, ExchangeTime: 1723161256321 * ms, Price: 6180030, Qty: 6}},
		{"usdm depth", USDM, usdmDepth, feed.Message{Kind: feed.MessageDepth, Instrument: 1,
			FirstID: 5123107832006, LastID: 5123107837557, PrevID: 5123107831937, ExchangeTime: 1723161256298 * ms,
			Bids: []core.Level{level(5871020, 14), level(6149650, 10)}}},
		{"usdm quote", USDM, usdmQuote, feed.Message{Kind: feed.MessageQuote, Instrument: 1, LastID: 5123107839020,
			ExchangeTime: 1723161256313 * ms, Price: 6180020, Qty: 2507, AskPrice: 6180030, AskQty: 2510}},
		{"usdm snapshot", USDM, usdmSnapshot, feed.Message{Kind: feed.MessageSnapshot, Instrument: 1, LastID: 5123107852948,
			ExchangeTime: 1723161256493 * ms,
			Bids:         []core.Level{level(6180020, 2909)}, Asks: []core.Level{level(6180030, 1072)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newTestDecoder(t, tt.market)
			var m feed.Message
			if !d.fast([]byte(tt.frame), 1, &m) {
				t.Fatal("the scanner does not take the venue's own shape")
			}
			sameMessage(t, "scanner", m, tt.want)
			if err := d.general([]byte(tt.frame), 1, &m); err != nil {
				t.Fatal(err)
			}
			sameMessage(t, "general path", m, tt.want)
			raw := tt.frame
			if _, payload, ok := strings.Cut(raw, `"data":`); ok {
				raw = strings.TrimSuffix(payload, "}")
			}
			if !d.fast([]byte(raw), 1, &m) {
				t.Fatal("the scanner does not take the raw stream's shape")
			}
			sameMessage(t, "raw stream", m, tt.want)
		})
	}
}

// TestAheadIsToldOfDepth: the fixed shape tells of a depth message's instrument before
// it has read a level, and of nothing else; whatever the shape, who is told stays.
func TestAheadIsToldOfDepth(t *testing.T) {
	d := newTestDecoder(t, USDM)
	var told []int
	m := feed.Message{Bids: make([]core.Level, 3)}
	m.Ahead = func(id core.InstrumentID) {
		if id != 1 {
			t.Errorf("told of instrument %d", id)
		}
		told = append(told, len(m.Bids))
	}
	general := strings.Replace(usdmTrade, `"m":false`, `"m":false,"x":1`, 1)
	for _, frame := range []string{usdmTrade, general, usdmQuote, usdmDepth, usdmTrade} {
		if err := d.Decode([]byte(frame), 0, &m); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 || told[0] != 0 || d.Stats().Fallbacks != 1 {
		t.Errorf("told with %v levels read, %d fallbacks", told, d.Stats().Fallbacks)
	}
}

// sameMessage compares by value; an empty list of levels equals a missing one.
func sameMessage(t *testing.T, what string, got, want feed.Message) {
	t.Helper()
	for _, l := range []*[]core.Level{&got.Bids, &got.Asks, &want.Bids, &want.Asks} {
		if len(*l) == 0 {
			*l = nil
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func TestEveryOtherShapeFallsBackAndMeansTheSame(t *testing.T) {
	want := mustDecode(t, newTestDecoder(t, USDM), usdmTrade)
	for name, frame := range map[string]string{
		"key order":      `{"data":{"X":"MARKET","m":false,"q":"0.006","p":"61800.30","t":5266583935,"s":"BTCUSDT","T":1723161256321,"E":1723161256322,"e":"trade"},"stream":"btcusdt@trade"}`,
		"white space":    strings.NewReplacer(",", " ,\t", ":", " :\n ").Replace(usdmTrade) + " \r\n",
		"extra keys":     strings.Replace(usdmTrade, `"m":false`, `"m":false,"st":1,"x":{"y":[1,-2.5e+3,null,true,"\\"]}`, 1),
		"escapes":        strings.Replace(usdmTrade, `"s":"BTCUSDT"`, `"\u0073":"BTC\u0055SDT"`, 1),
		"more decimals":  strings.Replace(usdmTrade, `"61800.30"`, `"61800.30000000"`, 1),
		"fewer decimals": strings.Replace(usdmTrade, `"61800.30"`, `"61800.3"`, 1),
		"other stream":   strings.Replace(usdmTrade, `"btcusdt@trade"`, `"ethusdt@trade"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			d := newTestDecoder(t, USDM)
			sameMessage(t, name, mustDecode(t, d, frame), want)
			if d.Stats().Fallbacks != 1 {
				t.Fatalf("%d fallbacks, want 1", d.Stats().Fallbacks)
			}
		})
	}
}

func TestBadFramesAreErrorsAndNeverPartial(t *testing.T) {
	edit := func(s, old, new string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("%q is not in the frame", old)
		}
		return strings.Replace(s, old, new, 1)
	}
	for name, tt := range map[string]struct {
		frame string
		want  error
	}{
		"empty":              {"", ErrSyntax},
		"not json":           {"hello", ErrSyntax},
		"array":              {`[1,2]`, ErrShape},
		"number":             {`12`, ErrShape},
		"unknown object":     {`{"hello":1}`, ErrShape},
		"data is no object":  {`{"stream":"x","data":[]}`, ErrShape},
		"truncated":          {usdmDepth[:len(usdmDepth)-1], ErrSyntax},
		"trailing":           {usdmDepth + "x", ErrSyntax},
		"two frames":         {usdmTrade + usdmTrade, ErrSyntax},
		"repeated key":       {edit(usdmTrade, `"m":false`, `"m":false,"p":"1.00"`), ErrSyntax},
		"trailing comma":     {edit(usdmTrade, `"m":false`, `"m":false,`), ErrSyntax},
		"missing price":      {edit(usdmTrade, `"p":"61800.30",`, ``), ErrShape},
		"price a number":     {edit(usdmTrade, `"61800.30"`, `61800.30`), ErrShape},
		"id a string":        {edit(usdmTrade, `5266583935`, `"5266583935"`), ErrShape},
		"id negative":        {edit(usdmTrade, `5266583935`, `-5`), ErrShape},
		"id leading zero":    {edit(usdmTrade, `5266583935`, `05266583935`), ErrSyntax},
		"id overflow":        {edit(usdmTrade, `5266583935`, `99999999999999999999`), ErrShape},
		"time overflow":      {edit(usdmTrade, `1723161256321`, `9999999999999999`), ErrShape},
		"price negative":     {edit(usdmTrade, `61800.30`, `-61800.30`), ErrNumber},
		"price minus zero":   {edit(usdmTrade, `61800.30`, `-0.00`), ErrNumber},
		"price exponent":     {edit(usdmTrade, `61800.30`, `6e4`), ErrNumber},
		"price empty":        {edit(usdmTrade, `61800.30`, ``), ErrNumber},
		"price too fine":     {edit(usdmTrade, `61800.30`, `61800.301`), ErrNumber},
		"price overflow":     {edit(usdmTrade, `61800.30`, `99999999999999999.00`), ErrNumber},
		"qty negative":       {edit(usdmTrade, `0.006`, `-0.006`), ErrNumber},
		"no pu":              {edit(usdmDepth, `"pu":5123107831937,`, ``), ErrShape},
		"ids reversed":       {edit(usdmDepth, `"u":5123107837557`, `"u":5`), ErrShape},
		"second level bad":   {edit(usdmDepth, `61496.50`, `61496.501`), ErrNumber},
		"level price zero":   {edit(usdmDepth, `61496.50`, `0.00`), ErrNumber},
		"level of one":       {edit(usdmDepth, `"61496.50","0.010"`, `"61496.50"`), ErrShape},
		"level of three":     {edit(usdmDepth, `"0.010"`, `"0.010",1`), ErrShape},
		"level empty":        {edit(usdmDepth, `["61496.50","0.010"]`, `[]`), ErrShape},
		"level no array":     {edit(usdmDepth, `["61496.50","0.010"]`, `1`), ErrShape},
		"levels no array":    {edit(usdmDepth, `"a":[]`, `"a":{}`), ErrShape},
		"control character":  {edit(usdmTrade, `MARKET`, "MAR\nKET"), ErrSyntax},
		"bad escape":         {edit(usdmTrade, `MARKET`, `MAR\xKET`), ErrSyntax},
		"nested too deep":    {strings.Repeat("[", 100) + strings.Repeat("]", 100), ErrSyntax},
		"snapshot truncated": {usdmSnapshot[:len(usdmSnapshot)-2], ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			d := newTestDecoder(t, USDM)
			m := feed.Message{Kind: feed.MessageTrade}
			err := d.Decode([]byte(tt.frame), 1, &m)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if m.Kind != feed.MessageIgnored || m.Instrument != 0 || len(m.Bids)+len(m.Asks) != 0 {
				t.Fatalf("left a partial message: %+v", m)
			}
		})
	}
}

func TestIgnoredFrames(t *testing.T) {
	for name, frame := range map[string]string{
		"subscription answer": `{"result":null,"id":1}`,
		"list answer":         `{"result":["btcusdt@trade"],"id":3}`,
		"other event":         `{"e":"serverShutdown","E":1770123456789}`,
		"unknown symbol":      strings.ReplaceAll(usdmTrade, "BTCUSDT", "ETHUSDT"),
		"no mark price yet":   strings.Replace(usdmMark, `"p":"61800.32500000"`, `"p":"0"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if m := mustDecode(t, newTestDecoder(t, USDM), frame); m.Kind != feed.MessageIgnored {
				t.Fatalf("kind %d", m.Kind)
			}
		})
	}
	d := newTestDecoder(t, USDM)
	mustDecode(t, d, strings.ReplaceAll(usdmTrade, "BTCUSDT", "ETHUSDT"))
	if d.Stats().UnknownSymbols != 1 {
		t.Fatalf("unknown symbols %d, want 1", d.Stats().UnknownSymbols)
	}
}

func TestTradesThatAreNoTradesAreIgnoredButKeepTheirID(t *testing.T) {
	for name, frame := range map[string]string{
		"insurance fund": strings.Replace(usdmTrade, "MARKET", "INSURANCE_FUND", 1),
		"not applicable": strings.NewReplacer("MARKET", "NA", "61800.30", "0", "0.006", "0").Replace(usdmTrade),
		"zero quantity":  strings.Replace(usdmTrade, "0.006", "0.000", 1),
	} {
		t.Run(name, func(t *testing.T) {
			d := newTestDecoder(t, USDM)
			m := mustDecode(t, d, frame)
			want := feed.Message{Instrument: 1, FirstID: 5266583935, LastID: 5266583935, ExchangeTime: 1723161256321 * ms}
			sameMessage(t, name, m, want)
			if d.Stats().OffBook != 1 {
				t.Fatalf("off book %d, want 1", d.Stats().OffBook)
			}
		})
	}
}

func TestAggregateTradeTellsItsTradeIDs(t *testing.T) {
	m := mustDecode(t, newTestDecoder(t, Spot), `{"e":"aggTrade","E":1672515782136,"s":"BTCUSDT","a":12345,"p":"0.001","q":"100","f":100,"l":105,"T":1672515782136,"m":true,"M":true}`)
	sameMessage(t, "aggTrade", m, feed.Message{Kind: feed.MessageTrade, Side: core.Sell, Instrument: 1,
		FirstID: 100, LastID: 105, ExchangeTime: 1672515782136 * ms, Price: 100000, Qty: 10000000000})
}

func TestMarkPriceIsRoundedHalfToEven(t *testing.T) {
	for in, want := range map[string]core.Price{
		"61800.32500000": 6180032, "61800.33500000": 6180034, "61800.32500001": 6180033, "61800.3": 6180030,
	} {
		m := mustDecode(t, newTestDecoder(t, USDM), strings.Replace(usdmMark, "61800.32500000", in, 1))
		if m.Kind != feed.MessageMark || m.Price != want || m.ExchangeTime != 1723161256000*ms {
			t.Errorf("%s: %+v, want price %d", in, m, want)
		}
	}
	var m feed.Message
	bad := strings.Replace(usdmMark, "61800.32500000", "1.123456789", 1)
	if err := newTestDecoder(t, USDM).Decode([]byte(bad), 1, &m); !errors.Is(err, ErrNumber) {
		t.Errorf("nine decimals: %v, want ErrNumber", err)
	}
}

func TestVenueRefusals(t *testing.T) {
	for frame, want := range map[string]VenueError{
		`{"error":{"code":2,"msg":"Invalid request"},"id":1}`:     {2, "Invalid request"},
		`{"code":-1121,"msg":"Invalid symbol."}`:                  {-1121, "Invalid symbol."},
		`{"id":7,"code":3,"msg":"Invalid JSON: \"\u00e9\" at 1"}`: {3, `Invalid JSON: "é" at 1`},
	} {
		var m feed.Message
		var got *VenueError
		err := newTestDecoder(t, Spot).Decode([]byte(frame), 0, &m)
		if !errors.As(err, &got) || *got != want {
			t.Errorf("%s: %v, want %v", frame, err, want)
		}
	}
}

func TestSnapshotNeedsItsInstrument(t *testing.T) {
	var m feed.Message
	for _, id := range []core.InstrumentID{0, 2, 1 << 20} {
		if err := newTestDecoder(t, Spot).Decode([]byte(spotSnapshot), id, &m); !errors.Is(err, ErrSnapshotInstrument) {
			t.Errorf("id %d: %v", id, err)
		}
	}
}

func TestDecoderRefusesBadInstruments(t *testing.T) {
	good, noID, coarse := instrumentOf(Spot, "BTCUSDT"), instrumentOf(Spot, "ETHUSDT"), instrumentOf(Spot, "BNBUSDT")
	noID.ID, coarse.PriceScale = 0, core.MaxScale+1
	for name, ins := range map[string][]*core.Instrument{
		"no id": {noID}, "twice": {good, good}, "scale": {coarse},
	} {
		if _, err := NewDecoder(Spot, ins); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewDecoder(0, nil); err == nil {
		t.Error("no market: no error")
	}
}

// TestCapturesTakeTheFastPath reads each frame of a capture by both paths.
func TestCapturesTakeTheFastPath(t *testing.T) {
	for _, market := range []Market{Spot, USDM} {
		t.Run(market.String(), func(t *testing.T) {
			d := newTestDecoder(t, market)
			var fast, general feed.Message
			for i, frame := range captureFrames(t, market) {
				if !d.fast(frame, 1, &fast) {
					t.Fatalf("frame %d left the fast path: %.200s", i, frame)
				}
				if i%16 != 0 && fast.Kind != feed.MessageDepth {
					continue
				}
				if err := d.general(frame, 1, &general); err != nil {
					t.Fatalf("frame %d: %v", i, err)
				}
				sameMessage(t, "frame", fast, general)
			}
		})
	}
}
