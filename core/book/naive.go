package book

import (
	"cmp"
	"slices"

	"qcat/core"
)

// Naive is a book that is obviously right: one slice of levels a side, kept
// sorted from best to worst by the standard library. It has the methods of Book
// and gives the same answers; the tests hold Book against it.
type Naive struct {
	bids, asks []core.Level
	max        int
	evicted    uint64
}

// NewNaive returns an empty book.
func NewNaive() *Naive { return &Naive{max: MaxLevels} }

func (n *Naive) side(s core.Side) *[]core.Level {
	if s == core.Buy {
		return &n.bids
	}
	return &n.asks
}

// find returns where price stands, or would stand, and whether it does.
func (n *Naive) find(side core.Side, price core.Price) (int, bool) {
	return slices.BinarySearchFunc(*n.side(side), price, func(l core.Level, p core.Price) int {
		if side == core.Buy {
			return cmp.Compare(p, l.Price)
		}
		return cmp.Compare(l.Price, p)
	})
}

// Set puts qty at price, or removes the level when qty is zero or less. It
// reports whether the side's best price or quantity changed.
func (n *Naive) Set(side core.Side, price core.Price, qty core.Qty) bool {
	levels := n.side(side)
	before, hadBefore := front(*levels)
	i, found := n.find(side, price)
	switch {
	case found && qty > 0:
		(*levels)[i].Qty = qty
	case found:
		*levels = slices.Delete(*levels, i, i+1)
	case qty > 0:
		*levels = slices.Insert(*levels, i, core.Level{Price: price, Qty: qty})
	}
	if len(*levels) > n.max {
		*levels = (*levels)[:n.max]
		n.evicted++
	}
	after, hasAfter := front(*levels)
	return before != after || hadBefore != hasAfter
}

func front(levels []core.Level) (core.Level, bool) {
	if len(levels) == 0 {
		return core.Level{}, false
	}
	return levels[0], true
}

// Clear removes all levels.
func (n *Naive) Clear() {
	n.bids, n.asks = nil, nil
}

// BestBid returns the highest bid, and false when there is none.
func (n *Naive) BestBid() (core.Level, bool) { return front(n.bids) }

// BestAsk returns the lowest offer, and false when there is none.
func (n *Naive) BestAsk() (core.Level, bool) { return front(n.asks) }

// Crossed reports whether both sides exist and the best bid is at or above the
// best offer.
func (n *Naive) Crossed() bool {
	bid, okBid := n.BestBid()
	ask, okAsk := n.BestAsk()
	return okBid && okAsk && bid.Price >= ask.Price
}

// Len returns the number of levels of a side.
func (n *Naive) Len(side core.Side) int { return len(*n.side(side)) }

// Qty returns the quantity at price, 0 when there is no such level.
func (n *Naive) Qty(side core.Side, price core.Price) core.Qty {
	i, found := n.find(side, price)
	if !found {
		return 0
	}
	return (*n.side(side))[i].Qty
}

// Levels appends the side's levels to dst from best to worst, at most limit of
// them, or all when limit is negative.
func (n *Naive) Levels(side core.Side, dst []core.Level, limit int) []core.Level {
	all := *n.side(side)
	if limit >= 0 && limit < len(all) {
		all = all[:limit]
	}
	return append(dst, all...)
}

// Walk calls f with the side's levels from best to worst until f returns false.
func (n *Naive) Walk(side core.Side, f func(core.Level) bool) {
	for _, l := range *n.side(side) {
		if !f(l) {
			return
		}
	}
}

// Evicted returns how many levels were dropped because a side was full.
func (n *Naive) Evicted() uint64 { return n.evicted }

// Hash returns the canonical hash of the levels; see Book.Hash.
func (n *Naive) Hash() uint64 {
	var h hasher
	h.reset()
	for _, side := range [...]core.Side{core.Buy, core.Sell} {
		for _, l := range *n.side(side) {
			h.add(side, l)
		}
	}
	return h.sum()
}
