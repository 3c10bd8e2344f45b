package binance

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"qcat/core"
)

func frames(list ...string) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for _, f := range list {
			if !yield([]byte(f)) {
				return
			}
		}
	}
}

func TestDiscover(t *testing.T) {
	got, err := Discover(USDMVenue, frames("garbage", usdmSnapshot, usdmDepth,
		strings.ReplaceAll(usdmQuote, "BTCUSDT", "ETHUSD_240927"), usdmTrade, usdmMark))
	if err != nil {
		t.Fatal(err)
	}
	compareInstruments(t, got, []core.Instrument{
		{Venue: USDMVenue, Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT", Kind: core.Linear,
			PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1},
		{Venue: USDMVenue, Symbol: "ETHUSD_240927", Base: "ETHUSD", Quote: "ETHUSD", Settle: "ETHUSD", Kind: core.Linear,
			PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1},
	})
	if _, err := Discover(SpotVenue, frames("", "{}", spotSnapshot)); !errors.Is(err, ErrNothingDiscovered) {
		t.Errorf("nothing to discover: %v", err)
	}
	if _, err := Discover("nowhere", frames(usdmTrade)); err == nil {
		t.Error("unknown venue: no error")
	}
}

// TestDiscoverCaptures: what is discovered is enough to read the whole capture.
func TestDiscoverCaptures(t *testing.T) {
	for market, scales := range map[Market][2]uint8{Spot: {8, 8}, USDM: {2, 3}} {
		got, err := Discover(market.Venue(), slices.Values(captureFrames(t, market)[:200]))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Symbol != "BTCUSDT" || [2]uint8{got[0].PriceScale, got[0].QtyScale} != scales {
			t.Errorf("%s: %+v", market, got)
		}
	}
}
