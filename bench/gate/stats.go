package main

import (
	"math"
	"slices"
)

// maxPairs bounds the exact computations: 2^maxPairs ways to set signs fit an int64.
const maxPairs = 62

// slowerP is the p-value of Wilcoxon's signed-rank test, exact and one-sided: how
// probable it is, were the differences d symmetric about zero, that the ranks of the
// positive ones add up to as much as they do. Zeros are left out, ties share their
// ranks, and the distribution is counted over the ranks as they are. Without a
// difference it is 1.
func slowerP(d []float64) float64 {
	d = slices.DeleteFunc(slices.Clone(d), func(v float64) bool { return v == 0 })
	if len(d) > maxPairs {
		panic("gate: too many pairs for an exact test")
	}
	ranks := doubledRanks(d)
	positive, total := 0, 0
	for i, r := range ranks {
		total += r
		if d[i] > 0 {
			positive += r
		}
	}
	ways := make([]int64, total+1) // of setting signs so that the positive ranks add up to the index
	ways[0] = 1
	top := 0
	for _, r := range ranks {
		for sum := top; sum >= 0; sum-- {
			ways[sum+r] += ways[sum]
		}
		top += r
	}
	var extreme int64
	for _, n := range ways[positive:] {
		extreme += n
	}
	return math.Ldexp(float64(extreme), -len(d))
}

// doubledRanks are twice the ranks of d by magnitude, integers even for ties.
func doubledRanks(d []float64) []int {
	order := make([]int, len(d))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if math.Abs(d[a]) < math.Abs(d[b]) {
			return -1
		}
		return 1
	})
	ranks := make([]int, len(d))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && math.Abs(d[order[to]]) == math.Abs(d[order[from]]) {
			to++
		}
		for _, i := range order[from:to] {
			ranks[i] = from + 1 + to // the mean of from+1 … to, doubled
		}
		from = to
	}
	return ranks
}

// shift is Hodges and Lehmann's estimate of the centre of d: the median of the means of
// all pairs, each value with itself too. A few wild values hardly move it.
func shift(d []float64) float64 {
	means := make([]float64, 0, len(d)*(len(d)+1)/2)
	for i := range d {
		for j := range i + 1 {
			means = append(means, (d[i]+d[j])/2)
		}
	}
	return median(means)
}

// median sorts v and returns its middle, of nothing zero.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// spread is the standard error of shift, told from differences d of things that are the
// same: how far from zero the estimate gets by itself. It comes from the median of their
// magnitudes, so that a few wild ones among many do not widen it.
func spread(d []float64) float64 {
	if len(d) == 0 {
		return 0
	}
	magnitudes := make([]float64, len(d))
	for i, v := range d {
		magnitudes[i] = math.Abs(v)
	}
	const (
		ofNormal   = 1.4826 // standard deviation over median magnitude, of a normal distribution
		efficiency = 1.0233 // standard error of shift over that of the mean: √(π/3)
	)
	return ofNormal * median(magnitudes) * efficiency / math.Sqrt(float64(len(d)))
}
