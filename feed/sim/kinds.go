package sim

import "qcat/core"

// Venues of the simulated instruments that are no linear perpetuals. All share the
// exchange; the name tells the market, as with real venues.
const (
	SpotVenue    = "sim-spot"    // "sim-spot:BTCUSDT": buys BTC for USDT
	InverseVenue = "sim-inverse" // "sim-inverse:BTCUSD": contracts of so many USD, settled in BTC
)

// SpotListings returns n spot markets of the currencies that Listings has, with prices,
// quantities and filters as there.
func SpotListings(n int) []Listing {
	out := Listings(n)
	for i := range out {
		in := &out[i].Instrument
		in.Venue, in.Kind = SpotVenue, core.Spot
	}
	return out
}

// InverseListings returns n inverse perpetuals of the currencies that Listings has. A
// contract is worth 100 USD of BTC, 10 USD of anything else, as on large venues; a
// level is worth what it is there.
func InverseListings(n int) []Listing {
	out := Listings(n)
	for i := range out {
		out[i].invert()
	}
	return out
}

// invert turns a linear listing into an inverse one of the same worth.
func (l *Listing) invert() {
	in := &l.Instrument
	size := int64(10)
	if in.Base == "BTC" {
		size = 100
	}
	// contracts is how many of them are worth q at the fair price.
	contracts := func(q core.Qty) core.Qty {
		value, _ := in.Notional(l.FairPrice, q, core.RoundDown) // a listing of ours fits
		return core.Qty(int64(value) / core.Pow10(in.SettleScale) / size)
	}
	level, most, mostMarket := contracts(l.LevelQty), contracts(in.MaxQty), contracts(in.MarketMaxQty)
	in.Venue, in.Symbol, in.Kind = InverseVenue, in.Base+"USD", core.Inverse
	in.Quote, in.Settle = "USD", in.Base
	in.QtyScale, in.ContractSize = 0, size
	in.StepSize, in.MinQty, in.MaxQty = 1, 1, most
	in.MarketStepSize, in.MarketMinQty, in.MarketMaxQty = 1, 1, mostMarket
	in.MinNotional, in.MaxNotional = 0, 0 // a contract is the least, and MaxQty the most
	l.LevelQty = level
}
