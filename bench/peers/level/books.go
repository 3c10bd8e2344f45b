package level

import (
	"maps"
	"slices"

	"github.com/google/btree"

	"qcat/core"
)

// trees is a book on one B-tree a side, best first.
type trees struct {
	bids, asks *btree.BTreeG[core.Level]
}

// degree is what the library's own benchmarks use.
const degree = 32

func newTrees() levels {
	return &trees{
		bids: btree.NewG(degree, func(a, b core.Level) bool { return a.Price > b.Price }),
		asks: btree.NewG(degree, func(a, b core.Level) bool { return a.Price < b.Price }),
	}
}

func (t *trees) side(s core.Side) *btree.BTreeG[core.Level] {
	if s == core.Buy {
		return t.bids
	}
	return t.asks
}

func (t *trees) Set(side core.Side, price core.Price, qty core.Qty) bool {
	l := core.Level{Price: price, Qty: qty}
	if qty <= 0 {
		_, had := t.side(side).Delete(l)
		return had
	}
	t.side(side).ReplaceOrInsert(l)
	return true
}

func (t *trees) BestBid() (core.Level, bool) { return t.bids.Min() }

func (t *trees) BestAsk() (core.Level, bool) { return t.asks.Min() }

func (t *trees) Levels(side core.Side, dst []core.Level, limit int) []core.Level {
	t.side(side).Ascend(func(l core.Level) bool {
		if limit == 0 {
			return false
		}
		limit--
		dst = append(dst, l)
		return true
	})
	return dst
}

// mapBook is a book on one map a side. It remembers the best price, looks for the
// next one when that goes, and sorts when somebody wants the levels.
type mapBook struct{ bids, asks mapSide }

type mapSide struct {
	qty  map[core.Price]core.Qty
	best core.Price
	sign core.Price // best is the largest of sign·price
}

func newMaps() levels {
	return &mapBook{
		bids: mapSide{qty: make(map[core.Price]core.Qty, roomHint), sign: 1},
		asks: mapSide{qty: make(map[core.Price]core.Qty, roomHint), sign: -1},
	}
}

func (b *mapBook) side(s core.Side) *mapSide {
	if s == core.Buy {
		return &b.bids
	}
	return &b.asks
}

func (b *mapBook) Set(side core.Side, price core.Price, qty core.Qty) bool {
	s := b.side(side)
	if qty > 0 {
		if len(s.qty) == 0 || s.sign*price > s.sign*s.best {
			s.best = price
		}
		s.qty[price] = qty
		return price == s.best
	}
	delete(s.qty, price)
	if price != s.best {
		return false
	}
	first := true
	for p := range s.qty {
		if first || s.sign*p > s.sign*s.best {
			s.best, first = p, false
		}
	}
	return true
}

func (s *mapSide) top() (core.Level, bool) {
	if len(s.qty) == 0 {
		return core.Level{}, false
	}
	return core.Level{Price: s.best, Qty: s.qty[s.best]}, true
}

func (b *mapBook) BestBid() (core.Level, bool) { return b.bids.top() }

func (b *mapBook) BestAsk() (core.Level, bool) { return b.asks.top() }

func (b *mapBook) Levels(side core.Side, dst []core.Level, limit int) []core.Level {
	s := b.side(side)
	for _, p := range slices.SortedFunc(maps.Keys(s.qty), func(a, b core.Price) int { return int(s.sign * (b - a)) }) {
		if limit == 0 {
			break
		}
		limit--
		dst = append(dst, core.Level{Price: p, Qty: s.qty[p]})
	}
	return dst
}
