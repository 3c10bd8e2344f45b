package core

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
)

// Price is a price in units of 10^-PriceScale of its instrument's quote currency.
type Price int64

// Qty is a quantity in units of 10^-QtyScale of its instrument's base currency
// (or of contracts, for an inverse contract). A position's Qty is signed.
type Qty int64

// Notional is an amount of money in units of 10^-SettleScale of a currency.
type Notional int64

// MaxScale is the largest number of decimals a fixed-point number may carry:
// 10^18 is the largest power of ten that fits an int64.
const MaxScale = 18

// Rounding names what happens to the part of a quotient that does not fit.
type Rounding uint8

const (
	// RoundDown rounds towards zero.
	RoundDown Rounding = iota
	// RoundUp rounds away from zero: what a limit is compared with.
	RoundUp
	// RoundHalfEven rounds to nearest, ties to even: what a person is shown.
	RoundHalfEven
	// RoundFloor rounds towards minus infinity: what a gain counts as against its holder.
	RoundFloor
)

// Errors of ParseDecimal.
var (
	ErrDecimalSyntax    = errors.New("not a decimal number")
	ErrDecimalPrecision = errors.New("more decimals than the scale allows")
	ErrDecimalRange     = errors.New("decimal number out of range")
)

var pow10 = [MaxScale + 1]int64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

// Pow10 returns 10^n. It panics unless n <= MaxScale.
func Pow10(n uint8) int64 { return pow10[n] }

// maxBeforeDigit is the largest number that another digit can be appended to
// within 64 unsigned bits.
const maxBeforeDigit = (math.MaxUint64 - 9) / 10

// ParseDecimal reads a plain decimal ("-12.50"; no exponent, no leading plus, at
// least one digit on each side of a point) as a count of 10^-scale. Decimals
// beyond the scale are accepted only when they are zero. Every int64 can be
// read. It does not allocate.
//
// Errors: ErrDecimalSyntax, ErrDecimalPrecision, ErrDecimalRange; of several, the
// one that is met first.
func ParseDecimal(b []byte, scale uint8) (int64, error) {
	if scale > MaxScale {
		return 0, ErrDecimalRange
	}
	neg := false
	if len(b) > 0 && b[0] == '-' {
		neg, b = true, b[1:]
	}
	var v uint64
	i, intDigits := 0, 0
	for ; i < len(b) && b[i] != '.'; i++ {
		d := b[i] - '0'
		if d > 9 {
			return 0, ErrDecimalSyntax
		}
		if v > maxBeforeDigit {
			return 0, ErrDecimalRange
		}
		v = v*10 + uint64(d)
		intDigits++
	}
	if intDigits == 0 {
		return 0, ErrDecimalSyntax
	}
	frac := uint8(0)
	if i < len(b) {
		i++
		if i == len(b) {
			return 0, ErrDecimalSyntax
		}
		beyond := false
		for ; i < len(b); i++ {
			d := b[i] - '0'
			if d > 9 {
				return 0, ErrDecimalSyntax
			}
			if frac == scale {
				beyond = beyond || d != 0
				continue
			}
			if v > maxBeforeDigit {
				return 0, ErrDecimalRange
			}
			v = v*10 + uint64(d)
			frac++
		}
		if beyond {
			return 0, ErrDecimalPrecision
		}
	}
	hi, lo := bits.Mul64(v, uint64(pow10[scale-frac]))
	switch {
	case hi == 0 && lo <= math.MaxInt64 && !neg:
		return int64(lo), nil
	case hi == 0 && lo <= 1<<63 && neg:
		return int64(-lo), nil
	}
	return 0, ErrDecimalRange
}

// AppendDecimal appends v, a count of 10^-scale, with exactly scale decimals. It
// panics unless scale <= MaxScale.
func AppendDecimal(dst []byte, v int64, scale uint8) []byte {
	u := uint64(v)
	if v < 0 {
		dst = append(dst, '-')
		u = -u
	}
	if scale == 0 {
		return strconv.AppendUint(dst, u, 10)
	}
	p := uint64(pow10[scale])
	dst = strconv.AppendUint(dst, u/p, 10)
	dst = append(dst, '.')
	frac := u % p
	at := len(dst)
	for range scale {
		dst = append(dst, '0')
	}
	for i := at + int(scale) - 1; frac != 0; i-- {
		dst[i] = byte('0' + frac%10)
		frac /= 10
	}
	return dst
}

// FormatDecimal is AppendDecimal as a string.
func FormatDecimal(v int64, scale uint8) string {
	return string(AppendDecimal(make([]byte, 0, 24), v, scale))
}

// MulDiv returns a*b/c for non-negative a, b and positive c through a 128-bit
// product, rounded as named, and false when the result does not fit an int64 or
// an argument is out of its range.
func MulDiv(a, b, c int64, r Rounding) (int64, bool) {
	if a < 0 || b < 0 || c <= 0 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) {
		return 0, false
	}
	q, rem := bits.Div64(hi, lo, uint64(c))
	if q > math.MaxInt64 {
		return 0, false // rounding up could wrap it around
	}
	switch r {
	case RoundUp:
		if rem != 0 {
			q++
		}
	case RoundHalfEven:
		half := uint64(c) - rem
		if rem > half || (rem == half && q&1 == 1) {
			q++
		}
	case RoundDown, RoundFloor:
	}
	if q > math.MaxInt64 {
		return 0, false
	}
	return int64(q), true
}
