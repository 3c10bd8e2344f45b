package book

import (
	"cmp"
	"slices"

	"qcat/core"
)

// Naive is a book that is obviously right and slow: a map a side, sorted when
// somebody looks. It has the methods of Book and gives the same answers; the
// tests hold Book against it.
type Naive struct {
	bids, asks map[core.Price]core.Qty
	max        int
	evicted    uint64
}

// NewNaive returns an empty book.
func NewNaive() *Naive {
	return &Naive{
		bids: map[core.Price]core.Qty{},
		asks: map[core.Price]core.Qty{},
		max:  MaxLevels,
	}
}

func (n *Naive) side(s core.Side) map[core.Price]core.Qty {
	if s == core.Buy {
		return n.bids
	}
	return n.asks
}

// sorted returns all levels of a side from best to worst.
func (n *Naive) sorted(s core.Side) []core.Level {
	var out []core.Level
	for p, q := range n.side(s) {
		out = append(out, core.Level{Price: p, Qty: q})
	}
	slices.SortFunc(out, func(a, b core.Level) int {
		if s == core.Buy {
			return cmp.Compare(b.Price, a.Price)
		}
		return cmp.Compare(a.Price, b.Price)
	})
	return out
}

func (n *Naive) best(s core.Side) (core.Level, bool) {
	all := n.sorted(s)
	if len(all) == 0 {
		return core.Level{}, false
	}
	return all[0], true
}

// Set puts qty at price, or removes the level when qty is zero or less. It
// reports whether the side's best price or quantity changed.
func (n *Naive) Set(side core.Side, price core.Price, qty core.Qty) bool {
	before, hadBefore := n.best(side)
	levels := n.side(side)
	if qty > 0 {
		levels[price] = qty
	} else {
		delete(levels, price)
	}
	if len(levels) > n.max {
		all := n.sorted(side)
		delete(levels, all[len(all)-1].Price)
		n.evicted++
	}
	after, hasAfter := n.best(side)
	return before != after || hadBefore != hasAfter
}

// Clear removes all levels.
func (n *Naive) Clear() {
	clear(n.bids)
	clear(n.asks)
}

// BestBid returns the highest bid, and false when there is none.
func (n *Naive) BestBid() (core.Level, bool) { return n.best(core.Buy) }

// BestAsk returns the lowest offer, and false when there is none.
func (n *Naive) BestAsk() (core.Level, bool) { return n.best(core.Sell) }

// Crossed reports whether both sides exist and the best bid is at or above the
// best offer.
func (n *Naive) Crossed() bool {
	bid, okBid := n.BestBid()
	ask, okAsk := n.BestAsk()
	return okBid && okAsk && bid.Price >= ask.Price
}

// Len returns the number of levels of a side.
func (n *Naive) Len(side core.Side) int { return len(n.side(side)) }

// Qty returns the quantity at price, 0 when there is no such level.
func (n *Naive) Qty(side core.Side, price core.Price) core.Qty { return n.side(side)[price] }

// Levels appends the side's levels to dst from best to worst, at most limit of
// them, or all when limit is negative.
func (n *Naive) Levels(side core.Side, dst []core.Level, limit int) []core.Level {
	all := n.sorted(side)
	if limit >= 0 && limit < len(all) {
		all = all[:limit]
	}
	return append(dst, all...)
}

// Walk calls f with the side's levels from best to worst until f returns false.
func (n *Naive) Walk(side core.Side, f func(core.Level) bool) {
	for _, l := range n.sorted(side) {
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
		for _, l := range n.sorted(side) {
			h.add(side, l.Price, l.Qty)
		}
	}
	return h.sum()
}
