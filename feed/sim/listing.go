package sim

import (
	"errors"
	"fmt"

	"qcat/core"
)

// VenueName is the venue of simulated instruments: "sim:BTCUSDT".
const VenueName = "sim"

// DefaultDepth is how many levels a side a market keeps filled.
const DefaultDepth = 40

// Listing is one instrument of the simulated venue and how its market behaves.
type Listing struct {
	// Instrument is the definition; its ID is the directory's.
	Instrument core.Instrument
	// FairPrice is where the fair value begins.
	FairPrice core.Price
	// LevelQty is the mean quantity of the best level; deeper ones follow a
	// profile from half of it near the touch to three times at the far end.
	LevelQty core.Qty
	// Depth is how many ticks from the touch are kept filled; 0 is DefaultDepth.
	Depth int
	// Volatility bounds one step of the fair value, in 1/256 of a tick: each step
	// is uniform in ±Volatility. It is at most MaxVolatility.
	Volatility int
}

// MaxVolatility is four ticks a step: beyond that no maker could follow.
const MaxVolatility = 4 * fairUnit

// ErrListing is wrapped by every refusal of a listing.
var ErrListing = errors.New("sim: invalid listing")

// validate reports the first thing that would break the market's invariants.
func (l *Listing) validate() error {
	in := &l.Instrument
	if err := in.Validate(); err != nil {
		return err
	}
	reach := core.Price(16*l.depth()) * in.TickSize
	switch {
	case in.ID == 0:
		return fmt.Errorf("%w: %s has no id", ErrListing, in.Name())
	case in.TickSize > 1<<40 || in.StepSize > 1<<40:
		return fmt.Errorf("%w: %s: tick and step must be at most 2^40", ErrListing, in.Name())
	case l.Depth < 0 || l.depth() < 4 || l.depth() > 1024:
		return fmt.Errorf("%w: %s: depth must be 4 to 1024", ErrListing, in.Name())
	case l.FairPrice < reach || l.FairPrice > 1<<52 || l.FairPrice%in.TickSize != 0:
		return fmt.Errorf("%w: %s: fair price must be on the tick grid, between %d and 2^52", ErrListing, in.Name(), reach)
	case l.LevelQty < 16*in.StepSize || l.LevelQty > 1<<48:
		return fmt.Errorf("%w: %s: level quantity must be 16 steps to 2^48", ErrListing, in.Name())
	case l.Volatility < 0 || l.Volatility > MaxVolatility:
		return fmt.Errorf("%w: %s: volatility must be 0 to %d", ErrListing, in.Name(), MaxVolatility)
	}
	return nil
}

func (l *Listing) depth() int {
	if l.Depth == 0 {
		return DefaultDepth
	}
	return l.Depth
}

// Listings returns n listings, named and shaped the same on every call: BTCUSDT,
// ETHUSDT and SOLUSDT, then SYM0001, SYM0002 and so on. All are perpetual-like: linear
// and margined in USDT. The instruments have no id yet.
func Listings(n int) []Listing {
	majors := []Listing{
		perpetual("BTCUSDT", "BTC", terms{
			priceScale: 2, tick: 10, fair: 60_000_00,
			qtyScale: 3, step: 1, maxQty: 1000_000, maxMarketQty: 120_000,
			levelQty: 4_000, volatility: 220,
		}),
		perpetual("ETHUSDT", "ETH", terms{
			priceScale: 2, tick: 1, fair: 2_600_00,
			qtyScale: 3, step: 1, maxQty: 10_000_000, maxMarketQty: 2_000_000,
			levelQty: 40_000, volatility: 110,
		}),
		perpetual("SOLUSDT", "SOL", terms{
			priceScale: 2, tick: 1, fair: 150_00,
			qtyScale: 2, step: 1, maxQty: 10_000_000, maxMarketQty: 500_000,
			levelQty: 60_000, volatility: 30,
		}),
	}
	out := make([]Listing, 0, max(n, 0))
	for i := range n {
		if i < len(majors) {
			out = append(out, majors[i])
			continue
		}
		out = append(out, minor(i-len(majors)+1))
	}
	return out
}

// minor returns the i-th generated listing: a price between 1 and 500 and a
// level worth about 20 000, both taken from its number.
func minor(i int) Listing {
	symbol := fmt.Sprintf("SYM%04d", i)
	r := random{state: seedFor(0, symbol)}
	units := int64(1 + r.below(500))
	return perpetual(symbol, symbol, terms{
		priceScale: 4, tick: core.Price(1 + units/10), fair: core.Price(units * 10_000),
		qtyScale: 1, step: 1, maxQty: 10_000_000, maxMarketQty: 1_000_000,
		levelQty: core.Qty(200_000 / units), volatility: 20 + int(r.below(60)),
	})
}

// terms are what differs between the perpetuals; numbers are in the scales given.
type terms struct {
	priceScale, qtyScale uint8
	tick, fair           core.Price
	step                 core.Qty
	maxQty, maxMarketQty core.Qty
	levelQty             core.Qty
	volatility           int
}

// perpetual fills in what the venue says of all its instruments: settlement to
// eight decimals, a minimal order of 5 USDT and a collar of 5 % on both sides.
func perpetual(symbol, base string, t terms) Listing {
	fair := t.fair - t.fair%t.tick
	const collar = core.PPM / 20
	return Listing{
		Instrument: core.Instrument{
			Venue: VenueName, Symbol: symbol,
			Base: base, Quote: "USDT", Settle: "USDT",
			Kind:       core.Linear,
			PriceScale: t.priceScale, QtyScale: t.qtyScale, SettleScale: 8,
			ContractSize: 1,
			TickSize:     t.tick, MinPrice: t.tick, MaxPrice: (10*fair/t.tick + 1) * t.tick,
			StepSize: t.step, MinQty: t.step, MaxQty: t.maxQty,
			MarketStepSize: t.step, MarketMinQty: t.step, MarketMaxQty: t.maxMarketQty,
			MinNotional: 5_00000000, MaxNotional: 100_000_000_00000000,
			BidCollarUp: collar, BidCollarDown: collar,
			AskCollarUp: collar, AskCollarDown: collar,
		},
		FairPrice:  fair,
		LevelQty:   t.levelQty,
		Volatility: t.volatility,
	}
}
