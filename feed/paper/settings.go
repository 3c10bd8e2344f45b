package paper

import (
	"errors"
	"fmt"
	"time"

	"qcat/core"
)

// Fees of a fill in parts per million of its notional. A negative rate is a
// rebate. The amount is rounded against the client.
type Fees struct {
	MakerPPM int64
	TakerPPM int64
	// Base takes the fee of a spot buy from what is received, in the base currency,
	// as spot venues do. Fees of sells, of derivatives and of an instrument whose
	// settlement has fewer decimals than its quantity are in the settlement currency.
	Base bool
}

// Limits of Settings.
const (
	// MaxFeePPM bounds a fee or rebate: 10 %.
	MaxFeePPM = core.PPM / 10
	// MaxLatency bounds a latency.
	MaxLatency = time.Minute
	// DefaultMaxOrders and DefaultMaxInFlight are the sizes of the two tables.
	DefaultMaxOrders   = 1 << 16
	DefaultMaxInFlight = 1 << 14
	maxTable           = 1 << 24
)

// Settings of the matching. Zero sizes take the defaults.
type Settings struct {
	Fees Fees
	// OrderLatency is how long a new order or an amend is on its way, CancelLatency
	// a cancel.
	OrderLatency  time.Duration
	CancelLatency time.Duration
	// MaxOrders bounds the open orders, those on their way included.
	MaxOrders int
	// MaxInFlight bounds the commands on their way.
	MaxInFlight int
}

// ErrSettings is wrapped by every refusal of Settings or Config.
var ErrSettings = errors.New("paper: invalid settings")

// withDefaults fills in the sizes and checks the rest.
func (s Settings) withDefaults() (Settings, error) {
	if s.MaxOrders == 0 {
		s.MaxOrders = DefaultMaxOrders
	}
	if s.MaxInFlight == 0 {
		s.MaxInFlight = DefaultMaxInFlight
	}
	badFee := func(ppm int64) bool { return ppm < -MaxFeePPM || ppm > MaxFeePPM }
	badLatency := func(d time.Duration) bool { return d < 0 || d > MaxLatency }
	switch {
	case badFee(s.Fees.MakerPPM) || badFee(s.Fees.TakerPPM):
		return s, fmt.Errorf("%w: a fee must be within ±%d ppm", ErrSettings, MaxFeePPM)
	case badLatency(s.OrderLatency) || badLatency(s.CancelLatency):
		return s, fmt.Errorf("%w: a latency must be 0 to %v", ErrSettings, MaxLatency)
	case s.MaxOrders < 0 || s.MaxOrders > maxTable || s.MaxInFlight < 0 || s.MaxInFlight > maxTable:
		return s, fmt.Errorf("%w: a table must hold 1 to %d entries", ErrSettings, maxTable)
	}
	return s, nil
}

// currency is which of the instrument's currencies an order of side pays its fees in.
func (f *Fees) currency(in *core.Instrument, side core.Side) core.FeeCurrency {
	if f.Base && in.Kind == core.Spot && side == core.Buy && in.SettleScale >= in.QtyScale {
		return core.FeeBase
	}
	return core.FeeSettle
}

// of returns the fee of an order of side that traded q at p at a rate. It returns
// false when the fee or the notional does not fit.
func (f *Fees) of(in *core.Instrument, side core.Side, p core.Price, q core.Qty, ppm int64) (core.Notional, bool) {
	n, ok := fee(in, p, q, ppm)
	if ok && f.currency(in, side) == core.FeeBase {
		return baseFee(in, q, ppm)
	}
	return n, ok
}

// baseFee returns the fee of q in the base currency at SettleScale, rounded against
// the client as fee does, and whether it fits.
func baseFee(in *core.Instrument, q core.Qty, ppm int64) (core.Notional, bool) {
	received, ok := core.MulDiv(int64(q), core.Pow10(in.SettleScale-in.QtyScale), 1, core.RoundDown)
	if !ok {
		return 0, false
	}
	if ppm >= 0 {
		f, ok := core.MulDiv(received, ppm, core.PPM, core.RoundUp)
		return core.Notional(f), ok
	}
	f, ok := core.MulDiv(received, -ppm, core.PPM, core.RoundDown)
	return core.Notional(-f), ok
}

// fee returns the fee of q at p, rounded against the client: a fee up, a rebate
// down. It returns false when the notional does not fit.
func fee(in *core.Instrument, p core.Price, q core.Qty, ppm int64) (core.Notional, bool) {
	if ppm >= 0 {
		n, ok := in.Notional(p, q, core.RoundUp)
		if !ok {
			return 0, false
		}
		f, ok := core.MulDiv(int64(n), ppm, core.PPM, core.RoundUp)
		return core.Notional(f), ok
	}
	n, ok := in.Notional(p, q, core.RoundDown)
	if !ok {
		return 0, false
	}
	f, ok := core.MulDiv(int64(n), -ppm, core.PPM, core.RoundDown)
	return core.Notional(-f), ok
}
