package client

import (
	"cmp"
	"slices"

	"qcat/core"
)

// Levels are the two sides of one book as sorted slices, which do for one book
// of one client.
type Levels struct {
	bids, asks []core.Level // best first
}

// Levels appends a side's levels to dst from best to worst, at most limit of
// them, or all when limit is negative.
func (l *Levels) Levels(side core.Side, dst []core.Level, limit int) []core.Level {
	s := l.asks
	if side == core.Buy {
		s = l.bids
	}
	if limit >= 0 {
		s = s[:min(limit, len(s))]
	}
	return append(dst, s...)
}

// Len returns the number of levels of a side.
func (l *Levels) Len(side core.Side) int {
	if side == core.Buy {
		return len(l.bids)
	}
	return len(l.asks)
}

func (l *Levels) clear() { l.bids, l.asks = l.bids[:0], l.asks[:0] }

// set sets one level; quantity 0 removes it.
func (l *Levels) set(side core.Side, p core.Price, q core.Qty) {
	if side == core.Buy {
		l.bids = setLevel(l.bids, p, q, -1)
	} else {
		l.asks = setLevel(l.asks, p, q, 1)
	}
}

// setLevel sets a level of a side whose prices ascend in direction dir.
func setLevel(side []core.Level, p core.Price, q core.Qty, dir int) []core.Level {
	order := func(l core.Level, p core.Price) int { return dir * cmp.Compare(l.Price, p) }
	i, found := slices.BinarySearchFunc(side, p, order)
	switch {
	case q <= 0 && found:
		return slices.Delete(side, i, i+1)
	case q <= 0:
		return side
	case found:
		side[i].Qty = q
		return side
	}
	return slices.Insert(side, i, core.Level{Price: p, Qty: q})
}
