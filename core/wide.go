package core

import (
	"math"
	"math/bits"
)

// wide is an unsigned 256-bit integer, least word first: what the numerator of a
// position's entry needs before it is divided.
type wide [4]uint64

func wideFrom64(v uint64) wide { return wide{v} }

// wideFrom widens a value that is not negative.
func wideFrom(v Int128) wide { return wide{v.Lo, uint64(v.Hi)} }

func wideProduct(a, b uint64) wide {
	hi, lo := bits.Mul64(a, b)
	return wide{lo, hi}
}

// is64 reports whether w fits one word.
func (w wide) is64() bool { return w[1]|w[2]|w[3] == 0 }

func (w wide) isZero() bool { return w[0]|w[1]|w[2]|w[3] == 0 }

// int128 narrows w and returns false when it does not fit.
func (w wide) int128() (Int128, bool) {
	return Int128{int64(w[1]), w[0]}, w[2]|w[3] == 0 && w[1] <= math.MaxInt64
}

// mul returns w·m and false on overflow.
func (w wide) mul(m uint64) (wide, bool) {
	var carry uint64
	for i := range w {
		hi, lo := bits.Mul64(w[i], m)
		var c uint64
		w[i], c = bits.Add64(lo, carry, 0)
		carry = hi + c
	}
	return w, carry == 0
}

// mulPow10 returns w·10^n and false on overflow or when n is negative.
func (w wide) mulPow10(n int) (wide, bool) {
	if n < 0 {
		return wide{}, false
	}
	ok := true
	for ; n > MaxScale && ok; n -= MaxScale {
		w, ok = w.mul(uint64(pow10[MaxScale]))
	}
	if !ok {
		return wide{}, false
	}
	return w.mul(uint64(pow10[n]))
}

// add returns w+v and false on overflow.
func (w wide) add(v wide) (wide, bool) {
	var c uint64
	for i := range w {
		w[i], c = bits.Add64(w[i], v[i], c)
	}
	return w, c == 0
}

// sub returns w-v; v must not be the larger.
func (w wide) sub(v wide) wide {
	var b uint64
	for i := range w {
		w[i], b = bits.Sub64(w[i], v[i], b)
	}
	return w
}

// cmp compares w with v.
func (w wide) cmp(v wide) int {
	for i := 3; i >= 0; i-- {
		switch {
		case w[i] < v[i]:
			return -1
		case w[i] > v[i]:
			return 1
		}
	}
	return 0
}

// divMod returns the quotient and the remainder by d, which must not be 0.
func (w wide) divMod(d uint64) (wide, uint64) {
	var rem uint64
	for i := 3; i >= 0; i-- {
		w[i], rem = bits.Div64(rem, w[i], d)
	}
	return w, rem
}

func (w wide) div(d uint64) wide {
	q, _ := w.divMod(d)
	return q
}

func (w wide) mod(d uint64) uint64 {
	_, rem := w.divMod(d)
	return rem
}

// rounded returns the quotient w with remainder rem of a division by d, rounded
// as named.
func (w wide) rounded(rem, d uint64, r Rounding) wide {
	up := false
	switch r {
	case RoundUp:
		up = rem != 0
	case RoundHalfEven:
		half := d - rem // rem > half means above one half, without overflow
		up = rem > half || (rem == half && w[0]&1 == 1)
	case RoundDown, RoundFloor:
	}
	if up {
		w, _ = w.add(wide{1})
	}
	return w
}

// divWide returns w/d rounded as named, and false when d is 0 or the quotient
// does not fit an int64. Shift and subtract: it is for display and for cold
// sums, and a quotient that fits has at most 63 bits to find.
func (w wide) divWide(d wide, r Rounding) (int64, bool) {
	if d.isZero() {
		return 0, false
	}
	if d.is64() {
		q, rem := w.divMod(d[0])
		q = q.rounded(rem, d[0], r)
		return int64(q[0]), q.is64() && q[0] <= math.MaxInt64
	}
	var rem wide
	var q uint64
	for i := 255; i >= 0; i-- {
		top := rem[3] >> 63
		rem = rem.shl1(w[i/64] >> (i % 64) & 1)
		if q > math.MaxInt64>>1 {
			return 0, false
		}
		q <<= 1
		if top == 1 || rem.cmp(d) >= 0 {
			rem = rem.sub(d)
			q |= 1
		}
	}
	if roundsUp(rem, d, q, r) {
		q++
	}
	return int64(q), q <= math.MaxInt64
}

// roundsUp reports whether a quotient q with remainder rem of d is to be
// incremented.
func roundsUp(rem, d wide, q uint64, r Rounding) bool {
	switch r {
	case RoundUp:
		return !rem.isZero()
	case RoundHalfEven:
		c := rem.cmp(d.sub(rem))
		return c > 0 || (c == 0 && q&1 == 1)
	default:
		return false
	}
}

func (w wide) shl1(in uint64) wide {
	for i := range w {
		out := w[i] >> 63
		w[i] = w[i]<<1 | in
		in = out
	}
	return w
}

func gcd64(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// abs returns the magnitude of x (the most negative value is returned as it is,
// and reads as 2^127 when widened).
func (x Int128) abs() Int128 {
	if x.Hi < 0 {
		return x.Neg()
	}
	return x
}

// magnitude returns |v|.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// addInt64 returns a+b and false on overflow.
func addInt64(a, b int64) (int64, bool) {
	s := a + b
	return s, (a < 0) != (b < 0) || (s < 0) == (a < 0)
}
