package core

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func (x Int128) big() *big.Int {
	v := new(big.Int).Lsh(big.NewInt(x.Hi), 64)
	return v.Add(v, new(big.Int).SetUint64(x.Lo))
}

var (
	minInt128 = Int128{math.MinInt64, 0}
	maxInt128 = Int128{math.MaxInt64, math.MaxUint64}
)

// checkInt128 holds each operation on x and y against math/big.
func checkInt128(t *testing.T, x, y Int128) {
	t.Helper()
	bx, by := x.big(), y.big()
	fits := func(v *big.Int) bool { return v.Cmp(minInt128.big()) >= 0 && v.Cmp(maxInt128.big()) <= 0 }

	sum, ok := x.Add(y)
	if want := new(big.Int).Add(bx, by); ok != fits(want) || ok && sum.big().Cmp(want) != 0 {
		t.Fatalf("%v + %v = %v, %v", bx, by, sum.big(), ok)
	}
	diff, ok := x.Sub(y)
	if want := new(big.Int).Sub(bx, by); ok != fits(want) || ok && diff.big().Cmp(want) != 0 {
		t.Fatalf("%v - %v = %v, %v", bx, by, diff.big(), ok)
	}
	if neg := x.Neg(); x != minInt128 && neg.big().Cmp(new(big.Int).Neg(bx)) != 0 || x == minInt128 && neg != x {
		t.Fatalf("-(%v) = %v", bx, neg.big())
	}
	if x.Sign() != bx.Sign() {
		t.Fatalf("sign of %v: %d", bx, x.Sign())
	}
	if x.Cmp(y) != bx.Cmp(by) {
		t.Fatalf("%v against %v: %d", bx, by, x.Cmp(y))
	}
	a, b := x.Hi, y.Hi
	if p := MulInt64(a, b); p.big().Cmp(new(big.Int).Mul(big.NewInt(a), big.NewInt(b))) != 0 {
		t.Fatalf("%d · %d = %v", a, b, p.big())
	}
	if w := Int128From(a); w.big().Cmp(big.NewInt(a)) != 0 {
		t.Fatalf("%d widens to %v", a, w.big())
	}
}

func TestInt128(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	his := []int64{math.MinInt64, math.MinInt64 + 1, -2, -1, 0, 1, 2, math.MaxInt64 - 1, math.MaxInt64}
	los := []uint64{0, 1, 1<<63 - 1, 1 << 63, math.MaxUint64}
	var all []Int128
	for _, hi := range his {
		for _, lo := range los {
			all = append(all, Int128{hi, lo})
		}
	}
	for range 100 {
		all = append(all, Int128{int64(r.Uint64()) >> r.IntN(64), r.Uint64() >> r.IntN(64)})
	}
	for _, x := range all {
		for _, y := range all {
			checkInt128(t, x, y)
		}
	}
}
