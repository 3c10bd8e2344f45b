package margin

import (
	"math"
	"math/bits"
	"slices"

	"qcat/core"
)

// Tier is one bracket of an instrument's maintenance margin.
type Tier struct {
	Floor    core.Notional // notional from which it holds
	Rate     int64         // maintenance margin in PPM of the notional
	Leverage int64         // the largest leverage in it, PPM; 0: any
}

// DefaultLeverage is that of a position nobody set one for: the whole notional is
// its margin.
const DefaultLeverage = core.PPM

// DefaultTier holds for an instrument without brackets of its own.
var DefaultTier = Tier{Rate: 25_000, Leverage: 20 * core.PPM}

// Schedule is the brackets of one instrument, ready to be asked. Its zero value is
// DefaultTier alone.
type Schedule struct {
	tiers []Tier
	cum   []core.Int128 // of each, in 10^-6 of a unit of SettleScale: exact
}

// MaxTiers bounds a schedule.
const MaxTiers = 64

// NewSchedule makes a schedule of the brackets. It reports false unless they begin
// at 0, floors and rates ascend, rates are below one, leverage does not grow, and
// there are no more than MaxTiers. No brackets make the zero Schedule.
func NewSchedule(tiers []Tier) (Schedule, bool) {
	if len(tiers) > MaxTiers || len(tiers) > 0 && tiers[0].Floor != 0 {
		return Schedule{}, false
	}
	s := Schedule{tiers: slices.Clone(tiers), cum: make([]core.Int128, len(tiers))}
	for i, t := range tiers {
		if t.Rate < 0 || t.Rate >= core.PPM || t.Leverage < 0 {
			return Schedule{}, false
		}
		if i == 0 {
			continue
		}
		last := tiers[i-1]
		if t.Floor <= last.Floor || t.Rate < last.Rate || last.Leverage > 0 && (t.Leverage == 0 || t.Leverage > last.Leverage) {
			return Schedule{}, false
		}
		cum, ok := s.cum[i-1].Add(core.MulInt64(int64(t.Floor), t.Rate-last.Rate))
		if !ok {
			return Schedule{}, false
		}
		s.cum[i] = cum
	}
	return s, true
}

// Tiers returns the brackets: none when they were never set. The caller does not
// change them.
func (s *Schedule) Tiers() []Tier { return s.tiers }

// at returns the bracket of a notional and its deduction.
func (s *Schedule) at(n core.Notional) (Tier, core.Int128) {
	for i := len(s.tiers) - 1; i >= 0; i-- {
		if n >= s.tiers[i].Floor {
			return s.tiers[i], s.cum[i]
		}
	}
	return DefaultTier, core.Int128{}
}

// Leverage returns the leverage a notional may have: what was asked for, or less
// where its bracket allows less.
func (s *Schedule) Leverage(n core.Notional, asked int64) int64 {
	if t, _ := s.at(n); t.Leverage > 0 {
		return min(asked, t.Leverage)
	}
	return asked
}

// Initial returns the initial margin of a notional at the leverage asked for, bounded
// by the bracket, rounded up. It reports false when asked is not positive or the
// margin does not fit.
func (s *Schedule) Initial(n core.Notional, asked int64) (core.Notional, bool) {
	m, ok := core.MulDiv(int64(n), core.PPM, s.Leverage(n, asked), core.RoundUp)
	return core.Notional(m), ok
}

// Maintenance returns the maintenance margin of a notional, rounded up.
func (s *Schedule) Maintenance(n core.Notional) (core.Notional, bool) {
	if n < 0 {
		return 0, false
	}
	t, cum := s.at(n)
	m, ok := core.MulInt64(int64(n), t.Rate).Sub(cum)
	if !ok || m.Sign() < 0 {
		return 0, false
	}
	return byPPM(m)
}

// byPPM returns v/10^6 of a value that is not negative, rounded up.
func byPPM(v core.Int128) (core.Notional, bool) {
	if v.Sign() < 0 || uint64(v.Hi) >= core.PPM {
		return 0, false
	}
	q, rem := bits.Div64(uint64(v.Hi), v.Lo, core.PPM)
	if rem > 0 {
		q++
	}
	return core.Notional(q), q <= math.MaxInt64
}

// FundingScale is the number of decimals of a funding rate.
const FundingScale = 9

// Funding returns what the holder of q (signed) pays at a mark and a rate, which the
// long pays to the short when it is positive; negative is received. What is paid is
// rounded up and what is received down, notional and product both, so that holders
// together never receive more than is paid. It reports false on overflow.
func Funding(in *core.Instrument, q core.Qty, mark core.Price, rate int64) (core.Notional, bool) {
	if q == 0 || rate == 0 {
		return 0, true
	}
	if rate == math.MinInt64 {
		return 0, false
	}
	pays := (q > 0) == (rate > 0)
	r := core.RoundDown
	if pays {
		r = core.RoundUp
	}
	n, ok1 := in.Notional(mark, q, r)
	v, ok2 := core.MulDiv(int64(n), max(rate, -rate), core.Pow10(FundingScale), r)
	if !pays {
		v = -v
	}
	return core.Notional(v), ok1 && ok2
}
