package core

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestScaled holds the product of four factors against math/big.
func TestScaled(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 12))
	fitted := 0
	for i := range 40_000 {
		x := Int128{int64(r.Uint64()) >> r.IntN(64), r.Uint64() >> r.IntN(64)}
		a, b := int64(r.Uint64()>>(1+r.IntN(63))), int64(r.Uint64()>>(1+r.IntN(63)))
		n := r.IntN(60) - 6
		want := new(big.Int).Mul(x.big(), big.NewInt(a))
		want.Mul(want, big.NewInt(b))
		p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil)
		if n < 0 {
			want.Mul(want, p)
		} else {
			q, m := new(big.Int).DivMod(want, p, new(big.Int)) // Euclidean: m is not negative
			_ = m
			want = q
		}
		got, ok := x.Scaled(a, b, n)
		fits := want.IsInt64() && want.Int64() != math.MinInt64
		if ok && (!fits || got != want.Int64()) {
			t.Fatalf("%d: %v·%d·%d·10^-%d = %d, want %v", i, x.big(), a, b, n, got, want)
		}
		if !ok && fits && want.BitLen() > 0 && n >= 0 && new(big.Int).Mul(want, p).BitLen() < 250 {
			t.Fatalf("%d: %v·%d·%d·10^-%d = %v does not fit", i, x.big(), a, b, n, want)
		}
		if ok {
			fitted++
		}
	}
	if fitted < 5_000 {
		t.Fatalf("only %d results fitted", fitted)
	}
	if _, ok := (Int128{}).Scaled(-1, 1, 0); ok {
		t.Fatal("a negative factor")
	}
}

func TestExactValue(t *testing.T) {
	t.Parallel()
	linear := &Instrument{Kind: Linear, PriceScale: 2, QtyScale: 3, ContractSize: 1}
	if v, ok := ExactValue(linear, 600, 7); !ok || v != Int128From(4200) {
		t.Fatal(v, ok)
	}
	if _, ok := ExactValue(linear, 0, 7); ok {
		t.Fatal("a price of nothing")
	}
	if _, ok := ExactValue(linear, 7, -1); ok {
		t.Fatal("less than nothing")
	}
}
