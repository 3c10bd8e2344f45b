package binance

import (
	"errors"
	"strings"
	"testing"

	"qcat/core"
)

const spotInfo = `{"timezone":"UTC","serverTime":1,"rateLimits":[],"symbols":[
{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","baseAssetPrecision":8,"quoteAsset":"USDT","filters":[
 {"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},
 {"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},
 {"filterType":"ICEBERG_PARTS","limit":10},
 {"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"117.53600000","stepSize":"0.00000000"},
 {"filterType":"TRAILING_DELTA","minTrailingAboveDelta":10,"maxTrailingAboveDelta":2000,"minTrailingBelowDelta":10,"maxTrailingBelowDelta":2000},
 {"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5","bidMultiplierDown":"0.2","askMultiplierUp":"1.05","askMultiplierDown":"0.8","avgPriceMins":5},
 {"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5},
 {"filterType":"MAX_NUM_ORDERS","maxNumOrders":200}]},
{"symbol":"ETHUSDT","status":"TRADING","baseAsset":"ETH","quoteAsset":"USDT","filters":[
 {"filterType":"PRICE_FILTER","minPrice":"0.00000000","maxPrice":"0.00000000","tickSize":"0.00000000"},
 {"filterType":"LOT_SIZE","minQty":"0.00010000","maxQty":"999999999999999.00000000","stepSize":"0.00010000"},
 {"filterType":"PERCENT_PRICE","multiplierUp":"1.3000","multiplierDown":"0.7000","avgPriceMins":5},
 {"filterType":"MIN_NOTIONAL","minNotional":"10.00000000","applyToMarket":true,"avgPriceMins":5}]},
{"symbol":"BTCUSDC","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDC","filters":[]},
{"symbol":"LUNAUSDT","status":"BREAK","baseAsset":"LUNA","quoteAsset":"USDT","filters":[]}]}`

const usdmInfo = `{"symbols":[{"symbol":"BTCUSDT","pair":"BTCUSDT","contractType":"PERPETUAL","status":"TRADING",
"baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","pricePrecision":2,"quantityPrecision":3,"filters":[
 {"filterType":"PRICE_FILTER","maxPrice":"4529764","minPrice":"556.80","tickSize":"0.10"},
 {"filterType":"LOT_SIZE","maxQty":"1000","minQty":"0.001","stepSize":"0.001"},
 {"filterType":"MARKET_LOT_SIZE","maxQty":"120","minQty":"0.001","stepSize":"0.001"},
 {"filterType":"MAX_NUM_ORDERS","limit":200},
 {"filterType":"MIN_NOTIONAL","notional":"100"},
 {"filterType":"PERCENT_PRICE","multiplierUp":"1.0500","multiplierDown":"0.9500","multiplierDecimal":"4"}]}]}`

func TestParseExchangeInfo(t *testing.T) {
	got, err := ParseExchangeInfo(Spot, []byte(spotInfo), []string{"ETHUSDT", "BTCUSDT", "ETHUSDT"})
	if err != nil {
		t.Fatal(err)
	}
	want := []core.Instrument{
		{Venue: "binance-spot", Symbol: "ETHUSDT", Base: "ETH", Quote: "USDT", Settle: "USDT", Kind: core.Spot,
			PriceScale: 8, QtyScale: 8, SettleScale: 8, ContractSize: 1,
			TickSize: 1, StepSize: 10_000, MinQty: 10_000, MinNotional: 10_00000000,
			BidCollarUp: 300_000, BidCollarDown: 300_000, AskCollarUp: 300_000, AskCollarDown: 300_000},
		{Venue: "binance-spot", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT", Kind: core.Spot,
			PriceScale: 8, QtyScale: 8, SettleScale: 8, ContractSize: 1,
			TickSize: 1_000_000, MinPrice: 1_000_000, MaxPrice: 1_000_000_00000000,
			StepSize: 1000, MinQty: 1000, MaxQty: 9000_00000000, MarketMaxQty: 117_53600000,
			MinNotional: 5_00000000, MaxNotional: 9_000_000_00000000,
			BidCollarUp: 4_000_000, BidCollarDown: 800_000, AskCollarUp: 50_000, AskCollarDown: 200_000},
	}
	compareInstruments(t, got, want)

	got, err = ParseExchangeInfo(USDM, []byte(usdmInfo), []string{"BTCUSDT"})
	if err != nil {
		t.Fatal(err)
	}
	compareInstruments(t, got, []core.Instrument{
		{Venue: "binance-usdm", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT", Kind: core.Linear,
			PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1,
			TickSize: 10, MinPrice: 55680, MaxPrice: 452976400, StepSize: 1, MinQty: 1, MaxQty: 1_000_000,
			MarketStepSize: 1, MarketMinQty: 1, MarketMaxQty: 120_000, MinNotional: 100_00000000,
			BidCollarUp: 50_000, AskCollarDown: 50_000},
	})
}

func compareInstruments(t *testing.T, got, want []core.Instrument) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d instruments, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("instrument %d:\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func TestExchangeInfoErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		body    string
		symbols []string
		want    error
		says    string
	}{
		"near miss":     {spotInfo, []string{"BTCUSD"}, ErrUnknownSymbol, "binance-spot:BTCUSD (did you mean BTCUSDC, BTCUSDT?)"},
		"lower case":    {spotInfo, []string{"btcusdt"}, ErrUnknownSymbol, "did you mean BTCUSDT"},
		"nothing near":  {spotInfo, []string{"X"}, ErrUnknownSymbol, "binance-spot:X"},
		"not trading":   {spotInfo, []string{"LUNAUSDT"}, ErrNotTrading, `binance-spot:LUNAUSDT is in status "BREAK"`},
		"both told":     {spotInfo, []string{"LUNAUSDT", "NOSUCH"}, ErrUnknownSymbol, "LUNAUSDT"},
		"not json":      {"<html>", []string{"BTCUSDT"}, ErrExchangeInfo, ""},
		"bad number":    {strings.Replace(usdmInfo, `"556.80"`, `"x"`, 1), []string{"BTCUSDT"}, ErrExchangeInfo, "PRICE_FILTER"},
		"bad collar":    {strings.Replace(usdmInfo, `"1.0500"`, `"0.5"`, 1), []string{"BTCUSDT"}, ErrExchangeInfo, "excludes the reference price"},
		"negative step": {strings.Replace(usdmInfo, `"stepSize":"0.001"`, `"stepSize":"-0.001"`, 1), []string{"BTCUSDT"}, ErrExchangeInfo, "LOT_SIZE"},
	} {
		t.Run(name, func(t *testing.T) {
			market := Spot
			if strings.Contains(tt.body, "marginAsset") {
				market = USDM
			}
			_, err := ParseExchangeInfo(market, []byte(tt.body), tt.symbols)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want %v saying %q", err, tt.want, tt.says)
			}
		})
	}
}

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"A", "", 1}, {"BTCUSD", "BTCUSDT", 1}, {"BTCUSDT", "ETHUSDT", 2}, {"KITTEN", "SITTING", 3}} {
		if got := editDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
