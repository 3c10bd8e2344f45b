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
}

// DefaultFees are those of a large venue's lowest tier: 0.02 % and 0.05 %.
var DefaultFees = Fees{MakerPPM: 200, TakerPPM: 500}

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
