package core

import "math/bits"

// Int128 is a signed 128-bit integer in two's complement. It holds the product of
// any two int64, so that Σ price·quantity is exact; sums report their overflow,
// which takes 2^27 fills even at prices and quantities of 2^50 units.
type Int128 struct {
	Hi int64
	Lo uint64
}

// MulInt64 returns the exact product a·b.
func MulInt64(a, b int64) Int128 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	h := int64(hi)
	if a < 0 {
		h -= b
	}
	if b < 0 {
		h -= a
	}
	return Int128{h, lo}
}

// Int128From widens v.
func Int128From(v int64) Int128 { return Int128{v >> 63, uint64(v)} }

// Add returns x+y and false on overflow.
func (x Int128) Add(y Int128) (Int128, bool) {
	lo, c := bits.Add64(x.Lo, y.Lo, 0)
	hi, _ := bits.Add64(uint64(x.Hi), uint64(y.Hi), c)
	s := Int128{int64(hi), lo}
	overflow := (x.Hi < 0) == (y.Hi < 0) && (s.Hi < 0) != (x.Hi < 0)
	return s, !overflow
}

// Neg returns -x (the most negative value is its own negation).
func (x Int128) Neg() Int128 {
	lo, b := bits.Sub64(0, x.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(x.Hi), b)
	return Int128{int64(hi), lo}
}

// Sub returns x-y and false on overflow.
func (x Int128) Sub(y Int128) (Int128, bool) {
	lo, b := bits.Sub64(x.Lo, y.Lo, 0)
	hi, _ := bits.Sub64(uint64(x.Hi), uint64(y.Hi), b)
	d := Int128{int64(hi), lo}
	overflow := (x.Hi < 0) != (y.Hi < 0) && (d.Hi < 0) != (x.Hi < 0)
	return d, !overflow
}

// Sign is -1, 0 or 1.
func (x Int128) Sign() int {
	switch {
	case x.Hi < 0:
		return -1
	case x.Hi == 0 && x.Lo == 0:
		return 0
	}
	return 1
}

// Cmp compares x with y.
func (x Int128) Cmp(y Int128) int {
	switch {
	case x.Hi < y.Hi, x.Hi == y.Hi && x.Lo < y.Lo:
		return -1
	case x == y:
		return 0
	}
	return 1
}
