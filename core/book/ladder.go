package book

import (
	"slices"

	"qcat/core"
)

// ladder is one side of a book.
//
// A level's key is its price for bids and ^price for offers, so that on both
// sides the best level has the greatest key. keys ascends: the best stands at
// the end, where insertions move few entries.
type ladder struct {
	keys    []int64
	qtys    []core.Qty
	flip    int64 // 0 for bids, -1 for offers: key = price ^ flip
	max     int
	evicted uint64
}

func (l *ladder) init(side core.Side, hint int) {
	if side == core.Sell {
		l.flip = -1
	}
	l.max = MaxLevels
	l.keys = make([]int64, 0, hint)
	l.qtys = make([]core.Qty, 0, hint)
}

func (l *ladder) set(price core.Price, qty core.Qty) bool {
	key := int64(price) ^ l.flip
	i, found := slices.BinarySearch(l.keys, key)
	switch {
	case found && qty > 0:
		same := l.qtys[i] == qty
		l.qtys[i] = qty
		return i == len(l.keys)-1 && !same
	case found:
		top := i == len(l.keys)-1
		l.keys = slices.Delete(l.keys, i, i+1)
		l.qtys = slices.Delete(l.qtys, i, i+1)
		return top
	case qty <= 0:
		return false
	}
	l.keys = slices.Insert(l.keys, i, key)
	l.qtys = slices.Insert(l.qtys, i, qty)
	if len(l.keys) > l.max {
		l.keys = slices.Delete(l.keys, 0, 1)
		l.qtys = slices.Delete(l.qtys, 0, 1)
		l.evicted++
		i--
	}
	return i == len(l.keys)-1
}

func (l *ladder) clear() {
	l.keys = l.keys[:0]
	l.qtys = l.qtys[:0]
}

func (l *ladder) len() int { return len(l.keys) }

func (l *ladder) best() (core.Level, bool) {
	n := len(l.keys)
	if n == 0 {
		return core.Level{}, false
	}
	return core.Level{Price: core.Price(l.keys[n-1] ^ l.flip), Qty: l.qtys[n-1]}, true
}

func (l *ladder) qty(price core.Price) core.Qty {
	i, found := slices.BinarySearch(l.keys, int64(price)^l.flip)
	if !found {
		return 0
	}
	return l.qtys[i]
}

func (l *ladder) appendTo(dst []core.Level, limit int) []core.Level {
	n := len(l.keys)
	if limit < 0 || limit > n {
		limit = n
	}
	for i := n - 1; i >= n-limit; i-- {
		dst = append(dst, core.Level{Price: core.Price(l.keys[i] ^ l.flip), Qty: l.qtys[i]})
	}
	return dst
}

func (l *ladder) walk(f func(core.Level) bool) {
	for i := len(l.keys) - 1; i >= 0; i-- {
		if !f(core.Level{Price: core.Price(l.keys[i] ^ l.flip), Qty: l.qtys[i]}) {
			return
		}
	}
}

func (l *ladder) hash(side core.Side, h *hasher) {
	for i := len(l.keys) - 1; i >= 0; i-- {
		h.add(side, core.Price(l.keys[i]^l.flip), l.qtys[i])
	}
}
