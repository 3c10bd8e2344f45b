// Package tail measures how much a book would have lost on the worst of the days that
// are known: value at risk and expected shortfall by historical simulation.
//
// An observation is what the present book would have made between two moments of the
// past, all its instruments together. Nothing is assumed of how prices are
// distributed, and nothing is told of days that are worse than any that is known.
// Everything is an integer, and rounded towards the larger loss.
//
// tail imports core only, and does no I/O.
package tail

import (
	"errors"
	"slices"

	"qcat/core"
)

// Holding is one instrument of a book and the prices it had.
type Holding struct {
	Value  int64        // of the position now, with its sign
	Prices []core.Price // at the moments, oldest first; 0: not known
}

// Report is what a book would have lost. Losses are positive.
type Report struct {
	Observations int   // outcomes that it stands on
	Missing      int   // steps of which a price is not known
	Tail         int   // outcomes that are worse than the confidence covers, at least 1
	VaR          int64 // the least loss of the tail: no more is lost with the confidence
	ES           int64 // the mean loss of the tail, rounded up
	Worst        int64 // the largest loss
}

// Errors of Measure.
var (
	// ErrTooFew says that there are too few outcomes for one of them to be in the tail.
	ErrTooFew = errors.New("too few observations")
	// ErrOverflow says that an outcome does not fit.
	ErrOverflow = errors.New("an outcome does not fit")
)

// Needed is how many observations a confidence in PPM needs: those of which one is
// beyond it.
func Needed(confidence int64) int {
	beyond := core.PPM - confidence
	return int((core.PPM + beyond - 1) / beyond)
}

// Measure reports on a book at a confidence of 1 to 999 999 PPM. All holdings have as
// many prices. Of a report that comes with ErrTooFew only Observations and Missing are
// filled in.
func Measure(book []Holding, confidence int64) (r Report, err error) {
	losses, err := outcomes(book, &r)
	if err != nil {
		return r, err
	}
	if r.Observations < Needed(confidence) {
		return r, ErrTooFew
	}
	slices.SortFunc(losses, func(a, b int64) int { return -compare(a, b) })
	r.Tail = int(int64(len(losses)) * (core.PPM - confidence) / core.PPM)
	r.Worst, r.VaR = losses[0], losses[r.Tail-1]
	sum := core.Int128{}
	for _, l := range losses[:r.Tail] {
		sum, _ = sum.Add(core.Int128From(l)) // 2^63 outcomes would not fit
	}
	r.ES = meanUp(sum, int64(r.Tail), r.VaR)
	return r, nil
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// outcomes are the losses of the steps of which every price is known.
func outcomes(book []Holding, r *Report) (losses []int64, err error) {
	if len(book) == 0 {
		return nil, nil
	}
	for i := 1; i < len(book[0].Prices); i++ {
		loss, known, ok := step(book, i)
		switch {
		case !known:
			r.Missing++
		case !ok:
			return nil, ErrOverflow
		default:
			losses = append(losses, loss)
		}
	}
	r.Observations = len(losses)
	return losses, nil
}

// step is what the book would have lost between moments i-1 and i: each value times
// the relative change of its price, the loss rounded up. An inverse position's too:
// its coins are worth their number times the new price.
func step(book []Holding, i int) (loss int64, known, ok bool) {
	ok = true
	for j := range book {
		from, to := book[j].Prices[i-1], book[j].Prices[i]
		if from <= 0 || to <= 0 {
			return 0, false, false
		}
		part, fits := lossOf(book[j].Value, int64(to-from), int64(from))
		sum := loss + part
		ok = ok && fits && (part >= 0) == (sum >= loss)
		loss = sum
	}
	return loss, true, ok
}

// lossOf is −value·change/price, rounded up.
func lossOf(value, change, price int64) (int64, bool) {
	negative := (value < 0) == (change < 0) // a gain
	mode := core.RoundUp
	if negative {
		mode = core.RoundDown
	}
	v, ok := core.MulDiv(magnitude(value), magnitude(change), price, mode)
	if negative {
		v = -v
	}
	return v, ok && value != minInt64
}

const minInt64 = -1 << 63

func magnitude(v int64) int64 {
	if v < 0 && v != minInt64 {
		return -v
	}
	return v
}

// meanUp is sum/n rounded up; the sum is that of n numbers of at least least.
func meanUp(sum core.Int128, n, least int64) int64 {
	// The mean lies between the least and the largest: the sum of what exceeds the
	// least is counted in whole steps of n.
	over, _ := sum.Sub(core.MulInt64(least, n))
	lo, hi := int64(0), int64(1)<<62
	for lo < hi { // the smallest q with q·n ≥ over
		mid := lo + (hi-lo)/2
		if core.MulInt64(mid, n).Cmp(over) >= 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return least + lo
}
