package risk

import (
	"math/bits"

	"qcat/core"
)

// valuation brings a quantity at a price to the risk currency:
// value = ⌈|q| · p · mul / div⌉, the price left out for an inverse contract,
// whose value in its quote currency does not depend on it. mul 0: no valuation.
type valuation struct {
	mul, div int64
	inverse  bool
}

// valuationOf returns the valuation of an instrument whose settlement (inverse:
// quote) currency is worth ppm millionths of the risk currency.
func valuationOf(in *core.Instrument, ppm int64) valuation {
	shift := ValueScale - int(in.QtyScale)
	num, den := ppm, int64(core.PPM)
	ok := ppm > 0
	if in.Kind == core.Inverse {
		num, ok = mul64(num, in.ContractSize)
	} else {
		shift -= int(in.PriceScale)
	}
	g := gcd(num, den)
	num, den = num/g, den/g
	for ; ok && shift > 0; shift-- {
		if den%10 == 0 {
			den /= 10
			continue
		}
		num, ok = mul64(num, 10)
	}
	for ; ok && shift < 0; shift++ {
		if num%10 == 0 {
			num /= 10
			continue
		}
		den, ok = mul64(den, 10)
	}
	if !ok {
		return valuation{}
	}
	return valuation{mul: num, div: den, inverse: in.Kind == core.Inverse}
}

// unit returns the value of div quantity units at p: what value multiplies by.
// It reports false when p is not positive or on overflow.
func (v valuation) unit(p core.Price) (int64, bool) {
	if p <= 0 || v.mul == 0 {
		return 0, false
	}
	if v.inverse {
		return v.mul, true
	}
	return mul64(int64(p), v.mul)
}

// value returns the value of |q| at a unit, rounded up, and false on overflow.
func (v valuation) value(q core.Qty, unit int64) (int64, bool) {
	if q < 0 {
		q = -q
	}
	if q < 0 {
		return 0, false
	}
	if v.div == 1 {
		return mul64(int64(q), unit)
	}
	return core.MulDiv(int64(q), unit, v.div, core.RoundUp)
}

// signed is value with the sign of q: rounded away from zero, so that it never
// understates a position and grows with q.
func (v valuation) signed(q core.Qty, unit int64) (int64, bool) {
	if sign := int64(q) >> 63; v.div == 1 {
		hi, lo := bits.Mul64(uint64((int64(q)^sign)-sign), uint64(unit))
		return (int64(lo) ^ sign) - sign, hi == 0 && int64(lo) >= 0
	}
	x, ok := v.value(q, unit)
	if q < 0 {
		x = -x
	}
	return x, ok
}

// mul64 multiplies two non-negative numbers.
func mul64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi == 0 && int64(lo) >= 0 && a >= 0 && b >= 0
}

// add64 adds, and reports false on overflow.
func add64(a, b int64) (int64, bool) {
	s := a + b
	return s, (s > a) == (b > 0)
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, 1)
}
