package binance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"qcat/core"
	"qcat/feed"
)

func TestConnectionsKeepAnInstrumentTogether(t *testing.T) {
	a, err := NewAdapter(Options{Market: USDM, WS: "ws://both", StreamsPerConn: 403})
	if err != nil {
		t.Fatal(err)
	}
	var ins []*core.Instrument
	for i := range 250 {
		in := instrumentOf(USDM, fmt.Sprintf("S%dUSDT", i))
		in.ID = core.InstrumentID(i + 1)
		ins = append(ins, in)
	}
	conns := a.Connections(ins)
	if len(conns) != 3 { // 403 streams are 100 instruments of 4
		t.Fatalf("%d connections, want 3", len(conns))
	}
	seen := map[core.InstrumentID]bool{}
	for _, c := range conns {
		if len(c.Streams()) > 403 || len(c.Streams()) != 4*len(c.Instruments()) {
			t.Errorf("%d streams of %d instruments", len(c.Streams()), len(c.Instruments()))
		}
		for _, in := range c.Instruments() {
			if seen[in.ID] {
				t.Errorf("%s is on two connections", in.Symbol)
			}
			seen[in.ID] = true
		}
		if got := subscribed(t, c); strings.Join(got, " ") != strings.Join(c.Streams(), " ") {
			t.Errorf("asked for %v, want %v", got, c.Streams())
		}
	}
	if len(seen) != len(ins) {
		t.Errorf("%d instruments are connected, want %d", len(seen), len(ins))
	}
	if a.Connections(nil) != nil {
		t.Error("a connection for no instrument")
	}
}

// subscribed returns the streams that URL and requests of c ask for.
func subscribed(t *testing.T, c feed.Streams) []string {
	t.Helper()
	_, list, _ := strings.Cut(c.StreamURL(), "?streams=")
	got := strings.Split(list, "/")
	ids := map[int]bool{}
	for _, frame := range c.Subscribe() {
		var req struct {
			Method string
			Params []string
			ID     int
		}
		if err := json.Unmarshal(frame, &req); err != nil || req.Method != "SUBSCRIBE" || ids[req.ID] {
			t.Fatalf("request %s: %v", frame, err)
		}
		ids[req.ID] = true
		got = append(got, req.Params...)
	}
	return got
}

func TestAdapterDefaults(t *testing.T) {
	for market, want := range map[Market]string{
		Spot: "wss://stream.binance.com:9443/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade",
		USDM: "wss://fstream.binance.com/public/stream?streams=btcusdt@depth@0ms/btcusdt@bookTicker/btcusdt@trade",
	} {
		a, err := NewAdapter(Options{Market: market})
		if err != nil {
			t.Fatal(err)
		}
		c := a.Connections([]*core.Instrument{instrumentOf(market, "BTCUSDT")})[0]
		if got := c.StreamURL(); got != want || len(c.Subscribe()) != 0 || len(c.Auxiliary()) != map[Market]int{USDM: 1}[market] {
			t.Errorf("%s: %s and %d requests", market, got, len(c.Subscribe()))
		}
		p := c.Policy()
		if p.MaxAge >= 24*time.Hour || p.SubscribeInterval*time.Duration(market.MessagesPerSecond()) <= time.Second {
			t.Errorf("%s: policy %+v reaches the venue's limits", market, p)
		}
	}
}

func TestAdapterRefusesWhatTheVenueHasNot(t *testing.T) {
	for name, o := range map[string]Options{
		"no market":   {},
		"spot speed":  {Market: Spot, DepthSpeed: "0ms"},
		"usdm speed":  {Market: USDM, DepthSpeed: "1000ms"},
		"few streams": {Market: Spot, StreamsPerConn: 2},
	} {
		if _, err := NewAdapter(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestMarkPriceAddress: mark prices have the venue's own address unless another
// one is named, and can be left out.
func TestMarkPriceAddress(t *testing.T) {
	const mark = "btcusdt@markPrice@1s"
	for name, tt := range map[string]struct {
		opts  Options
		with  bool   // beside depth
		apart string // base URL of their own
	}{
		"default":       {opts: Options{Market: USDM}, apart: USDMMarketWS},
		"default named": {opts: Options{Market: USDM, WS: USDMWS}, apart: USDMMarketWS},
		"stand-in":      {opts: Options{Market: USDM, WS: "ws://x/"}, with: true},
		"equal":         {opts: Options{Market: USDM, WS: "ws://x", MarketWS: "ws://x/"}, with: true},
		"both named":    {opts: Options{Market: USDM, WS: "ws://x", MarketWS: "ws://y/market/"}, apart: "ws://y/market"},
		"market named":  {opts: Options{Market: USDM, MarketWS: "ws://y"}, apart: "ws://y"},
		"left out":      {opts: Options{Market: USDM, NoMarkPrice: true}},
		"spot":          {opts: Options{Market: Spot, MarketWS: "ws://y"}},
	} {
		a, err := NewAdapter(tt.opts)
		if err != nil {
			t.Fatal(err)
		}
		c := a.Connections([]*core.Instrument{instrumentOf(tt.opts.Market, "BTCUSDT")})[0]
		if got := slices.Contains(subscribed(t, c), mark); got != tt.with {
			t.Errorf("%s: mark prices beside depth: %v", name, got)
		}
		aux := c.Auxiliary()
		if len(aux) != 1 && tt.apart != "" || len(aux) != 0 && tt.apart == "" {
			t.Errorf("%s: %d other addresses", name, len(aux))
		} else if tt.apart != "" && aux[0].StreamURL() != tt.apart+"/stream?streams="+mark {
			t.Errorf("%s: %s", name, aux[0].StreamURL())
		}
	}
	// One request names 50 streams; the rest is subscribed to.
	a, err := NewAdapter(Options{Market: USDM})
	if err != nil {
		t.Fatal(err)
	}
	var ins []*core.Instrument
	for i := range 120 {
		ins = append(ins, instrumentOf(USDM, fmt.Sprintf("S%dUSDT", i)))
	}
	if aux := a.Connections(ins)[0].Auxiliary()[0]; len(subscribed(t, aux)) != 120 || len(aux.Subscribe()) != 2 {
		t.Errorf("%d streams in %d requests", len(subscribed(t, aux)), len(aux.Subscribe()))
	}
}
