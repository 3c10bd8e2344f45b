package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSignedRankTable holds the test against the published tables of Wilcoxon's
// signed-rank statistic: the number of ways, of 2^n, in which the negative ranks add up
// to t at most.
func TestSignedRankTable(t *testing.T) {
	for _, c := range []struct {
		n        int
		negative []int // ranks that are negative
		ways     int64
	}{
		{5, nil, 1}, {5, []int{1}, 2}, {5, []int{2}, 3}, {5, []int{3}, 5},
		{8, nil, 1}, {8, []int{1}, 2}, {8, []int{2}, 3}, {8, []int{1, 2}, 5},
		{10, []int{5}, 10}, {10, []int{2, 3}, 10}, {10, []int{6}, 14}, {10, []int{10}, 43},
		{20, []int{20, 19, 4}, 10084}, // T = 43: p = 0.0096, the critical value at 0.01
	} {
		d := make([]float64, c.n)
		for i := range d {
			d[i] = float64(i + 1)
		}
		for _, r := range c.negative {
			d[r-1] = -d[r-1]
		}
		rand.New(rand.NewPCG(1, 1)).Shuffle(c.n, func(i, j int) { d[i], d[j] = d[j], d[i] })
		if p, want := slowerP(d), float64(c.ways)/math.Exp2(float64(c.n)); p != want {
			t.Errorf("%d pairs, %v negative: p = %v, want %v", c.n, c.negative, p, want)
		}
	}
}

// TestSignedRankByCounting tries all signs of small samples, with ties and zeros.
func TestSignedRankByCounting(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	for range 300 {
		d := make([]float64, 1+rng.IntN(9))
		var kept []float64
		for i := range d {
			d[i] = float64(rng.IntN(9) - 4)
			if d[i] != 0 {
				kept = append(kept, d[i])
			}
		}
		sum := func(signs int) (positive float64) {
			for i, v := range kept {
				below, equal := 0, 0
				for _, w := range kept {
					if math.Abs(w) < math.Abs(v) {
						below++
					} else if math.Abs(w) == math.Abs(v) {
						equal++
					}
				}
				if signs>>i&1 == 1 {
					positive += float64(below) + float64(equal+1)/2
				}
			}
			return positive
		}
		observed, extreme := 0, 0
		for i, v := range kept {
			if v > 0 {
				observed |= 1 << i
			}
		}
		for signs := range 1 << len(kept) {
			if sum(signs) >= sum(observed) {
				extreme++
			}
		}
		if p, want := slowerP(d), float64(extreme)/float64(int(1)<<len(kept)); p != want {
			t.Fatalf("%v: p = %v, want %v", d, p, want)
		}
	}
}

// TestShift: known centres, and one that wild values do not move.
func TestShift(t *testing.T) {
	for _, c := range []struct {
		d    []float64
		want float64
	}{
		{nil, 0}, {[]float64{3}, 3}, {[]float64{1, 3}, 2}, {[]float64{0, 1, 5}, 1.75},
		{[]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 900}, 1}, {[]float64{-2, -1, 0, 1, 2}, 0},
	} {
		if got := shift(c.d); got != c.want {
			t.Errorf("shift(%v) = %v, want %v", c.d, got, c.want)
		}
	}
}

// TestSpread: of many normal differences the spread is σ/√n, about, and so is what shift
// shows of them; a wild one changes little.
func TestSpread(t *testing.T) {
	if spread(nil) != 0 || spread([]float64{0, 0, 0}) != 0 {
		t.Error("what does not differ has a spread")
	}
	rng := rand.New(rand.NewPCG(4, 5))
	var told, shown float64
	const runs, n, sigma = 3000, 16, 0.02
	for range runs {
		d := make([]float64, n)
		for i := range d {
			d[i] = sigma * rng.NormFloat64()
		}
		told += spread(d) / runs
		shown += shift(d) * shift(d) / runs
		calm := spread(d)
		if d[0] = 5; spread(d) > 2*calm+sigma {
			t.Fatalf("a wild difference widens %v to %v", calm, spread(d))
		}
	}
	want := sigma / math.Sqrt(n)
	if told < 0.9*want || told > 1.1*want || math.Sqrt(shown) < 0.9*want || math.Sqrt(shown) > 1.1*want {
		t.Errorf("spread %v, shift shows %v, want both about %v", told, math.Sqrt(shown), want)
	}
}
