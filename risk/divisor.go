package risk

import (
	"math"
	"math/bits"
)

// divisor tells multiples of d without dividing: for odd d, n·d⁻¹ mod 2⁶⁴ is at
// most ⌊(2⁶⁴−1)/d⌋ exactly when d divides n; the twos of an even d are rotated out
// (Granlund and Montgomery, "Division by invariant integers using multiplication",
// 1994, §9).
type divisor struct {
	inverse, limit uint64
	shift          int
}

func divisorOf(d uint64) divisor {
	shift := bits.TrailingZeros64(d)
	odd := d >> shift
	inv := odd // Newton's iteration doubles the right bits: 3, 6, 12, 24, 48, 96
	for range 5 {
		inv *= 2 - odd*inv
	}
	return divisor{inverse: inv, limit: math.MaxUint64 / d, shift: shift}
}

// divides reports whether n is a multiple.
func (d divisor) divides(n uint64) bool {
	return bits.RotateLeft64(n*d.inverse, -d.shift) <= d.limit
}
