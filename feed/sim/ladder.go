package sim

import (
	"slices"

	"qcat/core"
)

// ladder is one side of a market's book: its levels from best to worst, and the
// changes of the step in progress. Tens of levels: a sorted slice with a linear
// search from the best is the fastest there is.
type ladder struct {
	side   core.Side
	levels []core.Level
	delta  []core.Level // levels touched since the last reset, latest quantity
}

func (l *ladder) best() core.Price { return l.levels[0].Price }

// better reports whether a stands before b on this side.
func (l *ladder) better(a, b core.Price) bool {
	if l.side == core.Buy {
		return a > b
	}
	return a < b
}

// find returns where price stands or would stand.
func (l *ladder) find(price core.Price) (int, bool) {
	for i := range l.levels {
		if p := l.levels[i].Price; !l.better(p, price) {
			return i, p == price
		}
	}
	return len(l.levels), false
}

func (l *ladder) qty(price core.Price) core.Qty {
	if i, ok := l.find(price); ok {
		return l.levels[i].Qty
	}
	return 0
}

// set puts qty at price, 0 removes the level, and records the change.
func (l *ladder) set(price core.Price, qty core.Qty) {
	i, found := l.find(price)
	switch {
	case found && qty == 0:
		l.levels = slices.Delete(l.levels, i, i+1)
	case found:
		l.levels[i].Qty = qty
	case qty != 0:
		l.levels = slices.Insert(l.levels, i, core.Level{Price: price, Qty: qty})
	default:
		return
	}
	l.record(price, qty)
}

// record keeps one entry a price: a step may touch a level twice.
func (l *ladder) record(price core.Price, qty core.Qty) {
	for i := range l.delta {
		if l.delta[i].Price == price {
			l.delta[i].Qty = qty
			return
		}
	}
	l.delta = append(l.delta, core.Level{Price: price, Qty: qty})
}

// trim removes levels from the worst on until at most limit are left.
func (l *ladder) trim(limit int) {
	for len(l.levels) > limit {
		l.set(l.levels[len(l.levels)-1].Price, 0)
	}
}
