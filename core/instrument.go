package core

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// InstrumentID is a dense index, assigned by Directory from 1. Zero is no instrument.
type InstrumentID uint32

// ContractKind says how an instrument is valued.
type ContractKind uint8

const (
	// Spot exchanges the base currency for the quote currency.
	Spot ContractKind = iota
	// Linear is a derivative valued and settled in the quote currency.
	Linear
	// Inverse is a derivative of a fixed quote-currency value per contract,
	// settled in the base currency.
	Inverse
)

var kindNames = [...]string{"spot", "linear", "inverse"}

// String returns the kind's name.
func (k ContractKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// PPM is the unit of a ratio: parts per million.
const PPM = 1_000_000

// Instrument is what a venue says of one thing it trades. Immutable once in a
// Directory. A zero bound means "no bound" unless said otherwise.
type Instrument struct {
	ID     InstrumentID
	Venue  string // "binance-usdm"
	Symbol string // "BTCUSDT", as the venue spells it
	Base   string // "BTC"
	Quote  string // "USDT"
	Settle string // currency of Notional, fees and PnL
	Kind   ContractKind

	PriceScale  uint8 // decimals of Price
	QtyScale    uint8 // decimals of Qty
	SettleScale uint8 // decimals of Notional

	// ContractSize is the quote-currency value of one inverse contract, in whole
	// units. It is 1 for spot and linear instruments.
	ContractSize int64

	TickSize Price // price increment, > 0
	MinPrice Price
	MaxPrice Price

	StepSize Qty // quantity increment, > 0
	MinQty   Qty
	MaxQty   Qty

	// Market orders have their own lot filter. A zero MarketStepSize or
	// MarketMaxQty falls back to the filter above.
	MarketStepSize Qty
	MarketMinQty   Qty
	MarketMaxQty   Qty

	MinNotional Notional
	MaxNotional Notional

	// Collar is the venue's own price band around the reference price, per side,
	// in PPM of it (Binance PERCENT_PRICE_BY_SIDE). Zero means the venue has none.
	BidCollarUp, BidCollarDown int64
	AskCollarUp, AskCollarDown int64
}

// ErrInstrument is wrapped by every error of Instrument.Validate.
var ErrInstrument = errors.New("invalid instrument")

// Name returns "venue:symbol".
func (in *Instrument) Name() string { return in.Venue + ":" + in.Symbol }

// MaxInstrumentName bounds Name in bytes.
const MaxInstrumentName = 64

// Validate reports the first thing wrong with the definition.
func (in *Instrument) Validate() error {
	switch {
	case !in.validName():
		return fmt.Errorf("%w: name %q", ErrInstrument, in.Name())
	case in.PriceScale > MaxScale || in.QtyScale > MaxScale || in.SettleScale > MaxScale:
		return fmt.Errorf("%w: %s: a scale is above %d", ErrInstrument, in.Name(), MaxScale)
	case in.TickSize <= 0 || in.StepSize <= 0 || in.MarketStepSize < 0:
		return fmt.Errorf("%w: %s: tick and step must be positive", ErrInstrument, in.Name())
	case in.Kind > Inverse:
		return fmt.Errorf("%w: %s: contract kind %d", ErrInstrument, in.Name(), in.Kind)
	case in.ContractSize <= 0 || in.Kind != Inverse && in.ContractSize != 1:
		return fmt.Errorf("%w: %s: contract size %d", ErrInstrument, in.Name(), in.ContractSize)
	case !validBounds(in.MinPrice, in.MaxPrice):
		return fmt.Errorf("%w: %s: price bounds %d to %d", ErrInstrument, in.Name(), in.MinPrice, in.MaxPrice)
	case !validBounds(in.MinQty, in.MaxQty):
		return fmt.Errorf("%w: %s: quantity bounds %d to %d", ErrInstrument, in.Name(), in.MinQty, in.MaxQty)
	case !validBounds(in.MarketMinQty, in.MarketMaxQty):
		return fmt.Errorf("%w: %s: market quantity bounds %d to %d", ErrInstrument, in.Name(), in.MarketMinQty, in.MarketMaxQty)
	case !validBounds(in.MinNotional, in.MaxNotional):
		return fmt.Errorf("%w: %s: notional bounds %d to %d", ErrInstrument, in.Name(), in.MinNotional, in.MaxNotional)
	case min(in.BidCollarUp, in.BidCollarDown, in.AskCollarUp, in.AskCollarDown) < 0:
		return fmt.Errorf("%w: %s: a negative collar", ErrInstrument, in.Name())
	}
	if _, _, ok := in.notionalFactors(); !ok {
		return fmt.Errorf("%w: %s: scales too far apart", ErrInstrument, in.Name())
	}
	return nil
}

// MayRedefine reports why in cannot take the place of old, which orders and
// positions may refer to: what it is and how its numbers are scaled must be the
// same. Filters and collars may differ.
//
// Errors: ErrInstrument, naming both definitions.
func (in *Instrument) MayRedefine(old *Instrument) error {
	if in.Name() == old.Name() && in.Base == old.Base && in.Quote == old.Quote && in.Settle == old.Settle &&
		in.Kind == old.Kind && in.ContractSize == old.ContractSize &&
		in.PriceScale == old.PriceScale && in.QtyScale == old.QtyScale && in.SettleScale == old.SettleScale {
		return nil
	}
	return fmt.Errorf("%w: %s cannot become %s", ErrInstrument, old.contract(), in.contract())
}

// contract names what a definition cannot change.
func (in *Instrument) contract() string {
	return fmt.Sprintf("%s (%s %s/%s settled in %s, contract size %d, decimals of price %d, quantity %d, settlement %d)",
		in.Name(), in.Kind, in.Base, in.Quote, in.Settle, in.ContractSize, in.PriceScale, in.QtyScale, in.SettleScale)
}

// validName accepts UTF-8 that needs no quoting in JSON (venues do list symbols
// beyond ASCII); the first colon ends the venue.
func (in *Instrument) validName() bool {
	name := in.Name()
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c == 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return in.Venue != "" && in.Symbol != "" && !strings.Contains(in.Venue, ":") &&
		len(name) <= MaxInstrumentName && utf8.ValidString(name)
}

// validBounds accepts non-negative bounds in order; 0 is no bound.
func validBounds[T Price | Qty | Notional](low, high T) bool {
	return low >= 0 && high >= 0 && (high == 0 || low <= high)
}

// Notional returns the settlement-currency value of q (its magnitude) at p,
// rounded as named. It returns false on overflow or when p is not positive: the
// caller refuses (I4).
func (in *Instrument) Notional(p Price, q Qty, r Rounding) (Notional, bool) {
	if p <= 0 {
		return 0, false
	}
	if q < 0 {
		q = -q
	}
	if q < 0 {
		return 0, false
	}
	mul, div, ok := in.notionalFactors()
	if !ok {
		return 0, false
	}
	if in.Kind == Inverse {
		v, ok := MulDiv(int64(q), mul, int64(p), r)
		return Notional(v), ok
	}
	if div > 1 {
		v, ok := MulDiv(int64(p), int64(q), div, r)
		return Notional(v), ok
	}
	v, ok := MulDiv(int64(p), int64(q), 1, RoundDown)
	if !ok {
		return 0, false
	}
	v, ok = MulDiv(v, mul, 1, RoundDown)
	return Notional(v), ok
}

// notionalFactors returns the integer multiplier and divisor that bring a raw
// product (or, for inverse, quotient) of price and quantity to SettleScale.
func (in *Instrument) notionalFactors() (mul, div int64, ok bool) {
	if in.Kind == Inverse {
		shift := int(in.SettleScale) + int(in.PriceScale) - int(in.QtyScale)
		if shift < 0 || shift > MaxScale {
			return 0, 0, false
		}
		v, ok := MulDiv(in.ContractSize, pow10[shift], 1, RoundDown)
		return v, 1, ok
	}
	shift := int(in.PriceScale) + int(in.QtyScale) - int(in.SettleScale)
	switch {
	case shift > MaxScale || shift < -MaxScale:
		return 0, 0, false
	case shift >= 0:
		return 1, pow10[shift], true
	default:
		return pow10[-shift], 1, true
	}
}
