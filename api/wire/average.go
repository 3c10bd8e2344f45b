package wire

import (
	"math/bits"

	"qcat/core"
)

// appendAverage appends cost/qty as a decimal string with at least PriceScale
// and at most avgDecimals more decimals, as many as fit, rounded half up in the
// last; null when nothing traded. cost is a sum of positive products price·quantity.
func appendAverage(dst []byte, in *core.Instrument, cost core.Int128, qty core.Qty) []byte {
	if qty <= 0 || cost.Hi < 0 || uint64(cost.Hi) >= uint64(qty) {
		return append(dst, "null"...)
	}
	whole, rem := bits.Div64(uint64(cost.Hi), cost.Lo, uint64(qty))
	for extra := int8(min(avgDecimals, core.MaxScale-in.PriceScale)); extra >= 0; extra-- {
		shift := uint64(core.Pow10(uint8(extra)))
		frac := mulDivRound(rem, shift, uint64(qty))
		hi, v := bits.Mul64(whole, shift)
		v, carry := bits.Add64(v, frac, 0)
		if hi+carry == 0 && v>>63 == 0 {
			return appendTrimmed(dst, int64(v), in.PriceScale+uint8(extra), in.PriceScale)
		}
	}
	return append(dst, "null"...)
}

// mulDivRound returns a·b/c rounded half up, for a < c.
func mulDivRound(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, rem := bits.Div64(hi, lo, c)
	if rem >= c-rem {
		q++
	}
	return q
}

// appendTrimmed appends v as a decimal string without trailing zeros beyond the
// decimals that are kept.
func appendTrimmed(dst []byte, v int64, scale, keep uint8) []byte {
	for scale > keep && v%10 == 0 {
		v /= 10
		scale--
	}
	return appendDecimal(dst, v, scale)
}
