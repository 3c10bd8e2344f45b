package risk

import (
	"math"
	"math/bits"

	"qcat/core"
)

// AmountScale is the number of decimals of an amount of a currency in an account,
// whatever the decimals of the instruments that settle in it.
const AmountScale = 8

// Sums of amounts are kept in 128 bits, so that no number of accounts and positions
// makes them overflow; what is told of them is cut to 64 (narrow).

func plus(x, y core.Int128) core.Int128  { s, _ := x.Add(y); return s }
func minus(x, y core.Int128) core.Int128 { d, _ := x.Sub(y); return d }
func wide(v int64) core.Int128           { return core.Int128From(v) }

// narrow cuts a sum to the range of int64.
func narrow(x core.Int128) int64 {
	switch {
	case x.Cmp(wide(math.MaxInt64)) > 0:
		return math.MaxInt64
	case x.Cmp(wide(math.MinInt64)) < 0:
		return math.MinInt64
	}
	return int64(x.Lo)
}

// most is what stands for an amount that does not fit: as a demand it is refused, as
// a margin it leaves nothing free.
const most = math.MaxInt64

// atLeast returns v, or most where v did not fit.
func atLeast(v int64, ok bool) int64 {
	if !ok {
		return most
	}
	return v
}

// amountOf brings a count of 10^-scale to AmountScale, rounded down (towards minus
// infinity), and reports false when it does not fit.
func amountOf(v core.Int128, scale int) (core.Int128, bool) {
	ok := true
	for ; scale < AmountScale && ok; scale++ {
		v, ok = mul128(v, 10)
	}
	for scale > AmountScale {
		step := min(scale-AmountScale, core.MaxScale)
		v, scale = div128(v, uint64(core.Pow10(uint8(step)))), scale-step
	}
	return v, ok
}

// demanded brings a count of 10^-scale of what is demanded to AmountScale, rounded up.
func demanded(v core.Notional, scale uint8) (int64, bool) {
	a, ok := amountOf(wide(int64(v)).Neg(), int(scale))
	a = a.Neg()
	return narrow(a), ok && a.Cmp(wide(math.MaxInt64)) <= 0
}

// mul128 returns x·m and false on overflow.
func mul128(x core.Int128, m uint64) (core.Int128, bool) {
	neg := x.Hi < 0
	if neg {
		x = x.Neg()
	}
	over, hi := bits.Mul64(uint64(x.Hi), m)
	carry, lo := bits.Mul64(x.Lo, m)
	hi, c := bits.Add64(hi, carry, 0)
	out := core.Int128{Hi: int64(hi), Lo: lo}
	if over != 0 || c != 0 || out.Hi < 0 || x.Hi < 0 {
		return core.Int128{}, false
	}
	if neg {
		out = out.Neg()
	}
	return out, true
}

// div128 returns ⌊x/d⌋, towards minus infinity.
func div128(x core.Int128, d uint64) core.Int128 {
	neg := x.Hi < 0
	if neg {
		x = x.Neg()
	}
	hi, rem := bits.Div64(0, uint64(x.Hi), d)
	lo, rem := bits.Div64(rem, x.Lo, d)
	out := core.Int128{Hi: int64(hi), Lo: lo}
	if !neg {
		return out
	}
	if rem > 0 {
		out = plus(out, wide(1))
	}
	return out.Neg()
}
