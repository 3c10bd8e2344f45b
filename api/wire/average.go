package wire

import (
	"math/bits"

	"qcat/core"
)

// appendAverage appends cost/qty as a decimal string with at least PriceScale
// and at most avgDecimals more decimals, rounded half up in the last, or null
// when nothing traded. cost is a sum of positive products price·quantity.
func appendAverage(dst []byte, in *core.Instrument, cost core.Int128, qty core.Qty) []byte {
	if qty <= 0 || cost.Hi < 0 || uint64(cost.Hi) >= uint64(qty) {
		return append(dst, "null"...)
	}
	extra := min(avgDecimals, core.MaxScale-in.PriceScale)
	whole, rem := bits.Div64(uint64(cost.Hi), cost.Lo, uint64(qty))
	frac := mulDivRound(rem, uint64(core.Pow10(extra)), uint64(qty))
	hi, v := bits.Mul64(whole, uint64(core.Pow10(extra)))
	v, carry := bits.Add64(v, frac, 0)
	if hi+carry != 0 || v>>63 != 0 {
		// Too large for the extra decimals: the price alone, rounded down.
		if whole>>63 != 0 {
			return append(dst, "null"...)
		}
		return appendDecimal(dst, int64(whole), in.PriceScale)
	}
	return appendTrimmed(dst, int64(v), in.PriceScale+extra, in.PriceScale)
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
