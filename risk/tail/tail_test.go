package tail

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
)

// prices is a series that moves by these steps from 1000.
func prices(moves ...core.Price) []core.Price {
	out := []core.Price{1000}
	for _, m := range moves {
		out = append(out, 1000+m, 1000)
	}
	return out
}

// TestTailByHand: four days, of which the confidence leaves one, then two.
func TestTailByHand(t *testing.T) {
	series := []core.Price{1000, 900, 990, 891, 1000} // −10%, +10%, −10%, +12.2…%
	book := []Holding{{Value: 100_000, Prices: series}}
	r, err := Measure(book, 750_000)
	if err != nil || r != (Report{Observations: 4, Tail: 1, VaR: 10_000, ES: 10_000, Worst: 10_000}) {
		t.Errorf("%+v %v", r, err)
	}
	book[0].Value = -100_000
	if r, err = Measure(book, 500_000); err != nil || r != (Report{Observations: 4, Tail: 2, VaR: 10_000, ES: 11_117, Worst: 12_234}) {
		t.Errorf("short: %+v %v", r, err) // 12 233.4… is rounded up, and so is the mean
	}
}

// TestHedgeLosesNothing: what is long and short of the same price nets in each step, but
// for the rounding of each against us.
func TestHedgeLosesNothing(t *testing.T) {
	p := prices(10, -70, 33)
	r, err := Measure([]Holding{{Value: 5_000_000, Prices: p}, {Value: -5_000_000, Prices: p}}, 500_000)
	if err != nil || r.Worst > 1 || r.ES > 1 || r.Worst < 0 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestMissingPrices: a step without a price of every instrument is counted, and is no
// observation.
func TestMissingPrices(t *testing.T) {
	a, b := prices(1, 2, 3), prices(1, 2, 3)
	b[2] = 0
	r, err := Measure([]Holding{{1000, a}, {1000, b}}, 500_000)
	if err != nil || r.Observations != 4 || r.Missing != 2 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestTooFew: the confidence says how many observations there have to be.
func TestTooFew(t *testing.T) {
	if n := Needed(990_000); n != 100 {
		t.Errorf("99%% needs %d", n)
	}
	if n := Needed(999_999); n != 1_000_000 {
		t.Errorf("99.9999%% needs %d", n)
	}
	p := make([]core.Price, 100)
	for i := range p {
		p[i] = core.Price(1000 + i%7)
	}
	if r, err := Measure([]Holding{{1000, p}}, 990_000); !errors.Is(err, ErrTooFew) || r.Observations != 99 {
		t.Errorf("99 observations: %+v %v", r, err)
	}
	if r, err := Measure([]Holding{{1000, append(p, 1000)}}, 990_000); err != nil || r.Tail != 1 {
		t.Errorf("100 observations: %+v %v", r, err)
	}
	if _, err := Measure(nil, 990_000); !errors.Is(err, ErrTooFew) {
		t.Errorf("nothing held: %v", err)
	}
}

// TestTooLarge: an outcome that does not fit is told, not wrapped.
func TestTooLarge(t *testing.T) {
	for _, book := range [][]Holding{
		{{1 << 62, []core.Price{1, 1 << 40}}},
		{{minInt64, []core.Price{1000, 1001}}},
		{{1 << 62, []core.Price{1000, 1}}, {1 << 62, []core.Price{1000, 1}}, {1 << 62, []core.Price{1000, 1}}},
	} {
		if r, err := Measure(book, 500_000); !errors.Is(err, ErrOverflow) {
			t.Errorf("%+v %v", r, err)
		}
	}
}

// TestMeasureAgainstRationals holds random books against exact arithmetic: each loss
// is at most one unit a holding above the exact one, never below, and the mean of the
// tail is that of the losses, rounded up.
func TestMeasureAgainstRationals(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 5))
	for range 300 {
		n, m := 1+r.IntN(4), 12+r.IntN(60)
		book := make([]Holding, n)
		for i := range book {
			book[i] = Holding{Value: r.Int64N(2_000_000) - 1_000_000}
			for range m {
				book[i].Prices = append(book[i].Prices, core.Price(500+r.IntN(1000)))
			}
		}
		confidence := int64(500_000 + r.IntN(400_000))
		got, err := Measure(book, confidence)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var exact []*big.Rat
		for i := 1; i < m; i++ {
			sum := new(big.Rat)
			for _, h := range book {
				move := big.NewRat(int64(h.Prices[i-1]-h.Prices[i]), int64(h.Prices[i-1]))
				sum.Add(sum, move.Mul(move, new(big.Rat).SetInt64(h.Value)))
			}
			exact = append(exact, sum)
		}
		slices.SortFunc(exact, func(a, b *big.Rat) int { return b.Cmp(a) })
		k := len(exact) * int(core.PPM-confidence) / core.PPM
		mean := new(big.Rat)
		for _, e := range exact[:k] {
			mean.Add(mean, e)
		}
		mean.Quo(mean, big.NewRat(int64(k), 1))
		for name, c := range map[string]struct {
			got  int64
			want *big.Rat
		}{"VaR": {got.VaR, exact[k-1]}, "ES": {got.ES, mean}, "worst": {got.Worst, exact[0]}} {
			over := new(big.Rat).Sub(new(big.Rat).SetInt64(c.got), c.want)
			if over.Sign() < 0 || over.Cmp(big.NewRat(int64(n)+1, 1)) > 0 {
				t.Fatalf("seed %d: %s is %d, exactly %s", seed, name, c.got, c.want.FloatString(6))
			}
		}
	}
}
