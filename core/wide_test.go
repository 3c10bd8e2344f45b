package core

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func (w wide) big() *big.Int {
	v := new(big.Int)
	for i := 3; i >= 0; i-- {
		v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(w[i]))
	}
	return v
}

// randomWide favours words of all zeros and all ones, and short numbers.
func randomWide(rng *rand.Rand) (w wide) {
	for i := range rng.IntN(5) {
		w[i] = [...]uint64{0, ^uint64(0), rng.Uint64(), rng.Uint64() >> rng.IntN(64)}[rng.IntN(4)]
	}
	return w
}

func TestWideAgainstBigInt(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 14))
	limit := new(big.Int).Lsh(big.NewInt(1), 256)
	for range 5_000 {
		a, b := randomWide(rng), randomWide(rng)
		m := rng.Uint64() >> rng.IntN(64)
		product := new(big.Int).Mul(a.big(), new(big.Int).SetUint64(m))
		if got, ok := a.mul(m); ok != (product.Cmp(limit) < 0) || ok && got.big().Cmp(product) != 0 {
			t.Fatalf("%v * %d = %v, %v", a, m, got, ok)
		}
		sum := new(big.Int).Add(a.big(), b.big())
		if got, ok := a.add(b); ok != (sum.Cmp(limit) < 0) || ok && got.big().Cmp(sum) != 0 {
			t.Fatalf("%v + %v = %v, %v", a, b, got, ok)
		}
		if a.cmp(b) != a.big().Cmp(b.big()) {
			t.Fatalf("cmp %v %v", a, b)
		}
		if a.cmp(b) >= 0 && a.sub(b).big().Cmp(new(big.Int).Sub(a.big(), b.big())) != 0 {
			t.Fatalf("%v - %v", a, b)
		}
		if m != 0 {
			q, rem := a.divMod(m)
			wantQ, wantR := new(big.Int).QuoRem(a.big(), new(big.Int).SetUint64(m), new(big.Int))
			if q.big().Cmp(wantQ) != 0 || new(big.Int).SetUint64(rem).Cmp(wantR) != 0 {
				t.Fatalf("%v / %d = %v rest %d", a, m, q, rem)
			}
		}
		for _, r := range []Rounding{RoundDown, RoundUp, RoundHalfEven} {
			checkDivWide(t, a, b, r)
		}
	}
}

func checkDivWide(t *testing.T, a, b wide, r Rounding) {
	t.Helper()
	got, ok := a.divWide(b, r)
	if b.isZero() {
		if ok {
			t.Fatalf("%v / 0 = %d", a, got)
		}
		return
	}
	q, rem := new(big.Int).QuoRem(a.big(), b.big(), new(big.Int))
	half := new(big.Int).Lsh(rem, 1).Cmp(b.big())
	if (r == RoundUp && rem.Sign() > 0) || (r == RoundHalfEven && (half > 0 || half == 0 && q.Bit(0) == 1)) {
		q.Add(q, big.NewInt(1))
	}
	if ok != q.IsInt64() || ok && got != q.Int64() {
		t.Fatalf("%v / %v rounded %d = %d, %v, want %s", a, b, r, got, ok, q)
	}
}
