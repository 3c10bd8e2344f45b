package margin

import (
	"math/big"

	"qcat/core"
)

// Liquidation returns the price at which a position, with balance to answer for it, is
// left with exactly its maintenance margin, in units of 10^-decimals, rounded as
// named. It reports false when there is none: the position is flat or of a spot
// instrument, or no price takes what answers for it.
//
// It assumes that balance does not change with the price: that of a cross position
// holds while the other prices stand still. Fees of the closing trade are not in it.
func (s *Schedule) Liquidation(in *core.Instrument, p *core.Position, balance core.Notional, decimals uint8, r core.Rounding) (int64, bool) {
	if p.Qty == 0 || in.Kind == core.Spot || decimals > core.MaxScale {
		return 0, false
	}
	l := liquidation{s: s, in: in, inverse: in.Kind == core.Inverse, long: p.Qty > 0}
	l.size = scaled(max(int64(p.Qty), -int64(p.Qty)), in.QtyScale)
	l.size.Mul(l.size, new(big.Rat).SetInt64(in.ContractSize))
	l.cost = costOf(in, p)
	l.balance = scaled(int64(balance), in.SettleScale)
	price := l.price()
	if price == nil {
		return 0, false
	}
	return rounded(price.Mul(price, new(big.Rat).SetInt64(core.Pow10(decimals))), r)
}

// EarlyLiquidation is Liquidation as a price of the instrument that is never too late:
// rounded up for a long position and down for a short one.
func (s *Schedule) EarlyLiquidation(in *core.Instrument, p *core.Position, balance core.Notional) (core.Price, bool) {
	r := core.RoundDown
	if p.Qty > 0 {
		r = core.RoundUp
	}
	v, ok := s.Liquidation(in, p, balance, in.PriceScale, r)
	return core.Price(v), ok && v > 0
}

// liquidation is one question, its amounts as exact fractions of whole units.
type liquidation struct {
	s             *Schedule
	in            *core.Instrument
	inverse, long bool
	size          *big.Rat // quantity, or face of an inverse position
	cost          *big.Rat // q·E, or S/E
	balance       *big.Rat
}

// price tries one bracket after the other: the price that a bracket gives counts if
// its notional lies in that bracket. Margin and equity are both continuous in the
// price, so that there is no more than one.
func (l *liquidation) price() *big.Rat {
	tiers := l.s.tiers
	if len(tiers) == 0 {
		return l.at(DefaultTier.Rate, new(big.Rat))
	}
	for i, t := range tiers {
		cum := fraction(l.s.cum[i], l.in.SettleScale+6)
		p := l.at(t.Rate, cum)
		if p == nil {
			continue
		}
		n := new(big.Rat).Mul(l.size, p)
		if l.inverse {
			n.Quo(l.size, p)
		}
		above := i+1 == len(tiers) || n.Cmp(scaled(int64(tiers[i+1].Floor), l.in.SettleScale)) <= 0
		if above && n.Cmp(scaled(int64(t.Floor), l.in.SettleScale)) >= 0 {
			return p
		}
	}
	return nil
}

// at solves equity = maintenance margin for one rate and deduction, nil if nothing
// positive does.
func (l *liquidation) at(rate int64, cum *big.Rat) *big.Rat {
	m := big.NewRat(rate, core.PPM)
	one := big.NewRat(1, 1)
	held := new(big.Rat).Add(l.balance, cum) // B + cum
	if l.long != l.inverse {
		one.Sub(one, m)
	} else {
		one.Add(one, m)
	}
	if l.long != l.inverse {
		held.Neg(held)
	}
	held.Add(held, l.cost)
	if held.Sign() <= 0 || one.Sign() <= 0 {
		return nil
	}
	if l.inverse {
		return one.Mul(one, l.size).Quo(one, held)
	}
	return held.Quo(held, one.Mul(one, l.size))
}

// costOf returns what the open quantity cost: q·E in the quote currency, or S/E in the
// settlement currency of an inverse instrument.
func costOf(in *core.Instrument, p *core.Position) *big.Rat {
	if in.Kind == core.Inverse {
		return fraction(p.EntryNum, 24)
	}
	cost := fraction(p.EntryNum, in.PriceScale)
	cost.Quo(cost, new(big.Rat).SetFrac(new(big.Int).SetUint64(p.EntryDen), big.NewInt(1)))
	return cost.Mul(cost, scaled(max(int64(p.Qty), -int64(p.Qty)), in.QtyScale))
}

// scaled is v·10^-scale.
func scaled(v int64, scale uint8) *big.Rat { return fraction(core.Int128From(v), scale) }

// fraction is v·10^-scale.
func fraction(v core.Int128, scale uint8) *big.Rat {
	n := new(big.Int).Lsh(big.NewInt(v.Hi), 64)
	n.Add(n, new(big.Int).SetUint64(v.Lo))
	return new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
}

// rounded brings a positive fraction to an integer.
func rounded(v *big.Rat, r core.Rounding) (int64, bool) {
	q, rem := new(big.Int).QuoRem(v.Num(), v.Denom(), new(big.Int))
	twice := rem.Lsh(rem, 1).Cmp(v.Denom())
	if up := r == core.RoundUp && rem.Sign() > 0 ||
		r == core.RoundHalfEven && (twice > 0 || twice == 0 && q.Bit(0) == 1); up {
		q.Add(q, big.NewInt(1))
	}
	return q.Int64(), q.IsInt64()
}
