package book

import (
	"math/bits"
	"slices"
	"unsafe"

	"qcat/core"
	"qcat/core/mem"
)

// near is how many leaves find walks from the last update before it searches.
const near = 8

// ladder is one side of a book: a B+ tree of two levels whose upper one is a
// sorted array. LAYOUT.md shows it and tells what else was tried.
//
// Invariants:
//   - leaves[i] holds the keys in [low[i], low[i+1]), the last one without an
//     upper bound, and low[0] is 0;
//   - no leaf is empty unless it is the only one, so that the best level is the
//     last entry of the last leaf;
//   - at is a valid index of leaves: where the last update was.
type ladder struct {
	low    []uint64
	leaves []*leaf
	at     int
	flip   uint64 // key = price ^ flip

	warm    *leaf // leaves[at], or a leaf that was: for ahead
	top     entry // the best level, while there is one: who asks for it need not go to its leaf
	total   int32
	max     int32
	evicted uint64
	free    []*leaf // empty leaves for later
}

// init makes the side ready. The sign bit is flipped for bids, so that keys
// ascend with the price; all other bits are for offers, so that they descend.
func (l *ladder) init(side core.Side, hint int) {
	l.flip = 1 << 63
	if side == core.Sell {
		l.flip = 1<<63 - 1
	}
	l.max = MaxLevels
	n := 1 + max(0, hint)/leafCap
	l.low = make([]uint64, 1, n)
	l.leaves = make([]*leaf, 1, n)
	l.leaves[0] = makeLeaf()
	l.warm = l.leaves[0]
}

func (l *ladder) key(p core.Price) uint64 { return uint64(p) ^ l.flip }

func (l *ladder) level(e *entry) core.Level {
	return core.Level{Price: core.Price(e.key ^ l.flip), Qty: e.qty}
}

// set puts qty at price, or removes the level, and reports whether the best
// level changed.
func (l *ladder) set(price core.Price, qty core.Qty) bool {
	key := l.key(price)
	i := l.find(key)
	f := l.leaves[i]
	if i != l.at {
		l.at, l.warm = i, f
	}
	pos := f.search(key)
	last := i == len(l.leaves)-1
	if !f.has(pos, key) {
		if qty <= 0 {
			return false
		}
		best := last && pos == f.n
		l.insert(i, pos, entry{key, qty})
		if best {
			l.top = entry{key, qty}
		}
		return best
	}
	best := last && pos == f.n-1
	if qty <= 0 {
		l.remove(i, pos)
		if best {
			l.retop()
		}
		return best
	}
	same := f.entries[pos].qty == qty
	f.entries[pos].qty = qty
	if best {
		l.top.qty = qty
	}
	return best && !same
}

// retop looks the best level up.
func (l *ladder) retop() {
	if f := l.leaves[len(l.leaves)-1]; f.n > 0 {
		l.top = f.entries[f.n-1]
	}
}

// ahead asks for the memory that the next update is likely to touch. It knows it from
// the ladder alone: nothing of it has to be there before the rest can be asked for.
func (l *ladder) ahead() {
	mem.FetchBlock(unsafe.Pointer(l.warm))
	mem.Fetch(unsafe.Pointer(&l.low[l.at]))
	mem.Fetch(unsafe.Pointer(&l.leaves[l.at]))
}

// aheadOf asks for the leaves that these levels belong to, beside the one that ahead has
// asked for. What the sets before one of them change moves it by a leaf at most.
func (l *ladder) aheadOf(levels []core.Level) {
	i, asked := l.at, l.at
	for k := range levels {
		if i = l.findFrom(i, l.key(levels[k].Price)); i != asked {
			mem.FetchBlock(unsafe.Pointer(l.leaves[i]))
			asked = i
		}
	}
}

// find returns the index of the leaf whose range holds key. Depth messages list
// their levels in price order, so that it is most often the leaf of the update
// before, or one a few leaves on.
func (l *ladder) find(key uint64) int { return l.findFrom(l.at, key) }

// findFrom is find that looks around leaf i.
func (l *ladder) findFrom(i int, key uint64) int {
	low := l.low
	if key >= low[i] {
		for end := min(i+near, len(low)-1); i < end; i++ {
			if key < low[i+1] {
				return i
			}
		}
		if i == len(low)-1 {
			return i
		}
	} else {
		for end := max(i-near, 0); i > end; {
			i--
			if key >= low[i] {
				return i
			}
		}
	}
	return findFar(low, key)
}

// findFar is find by binary search, without branches as leaf.search.
func findFar(low []uint64, key uint64) int {
	at := uint64(0)
	for n := uint64(len(low)); n > 1; {
		half := n >> 1
		_, above := bits.Sub64(key, low[at+half], 0)
		at += half & (above - 1)
		n -= half
	}
	return int(at)
}

// insert puts e at position pos of leaf i, where it belongs, and evicts the worst
// level when there are too many.
func (l *ladder) insert(i, pos int, e entry) {
	f := l.leaves[i]
	if f.n == leafCap {
		f, pos = l.split(i, pos, e.key)
	}
	f.insert(pos, e)
	l.total++
	if l.total > l.max {
		l.remove(0, 0)
		l.evicted++
	}
}

// split makes room in the full leaf i for key, which belongs at pos, and returns
// the leaf and the position where it belongs now. A side that is loaded in order,
// from either end, fills its leaves instead of leaving them half empty.
func (l *ladder) split(i, pos int, key uint64) (*leaf, int) {
	cut := leafCap / 2
	switch {
	case pos == leafCap && i == len(l.leaves)-1:
		cut = leafCap
	case pos == 0 && i == 0:
		cut = 0
	}
	f, g := l.leaves[i], l.newLeaf()
	g.take(f, cut)
	low := key
	if cut < leafCap {
		low = g.entries[0].key
	}
	l.low = slices.Insert(l.low, i+1, low)
	l.leaves = slices.Insert(l.leaves, i+1, g)
	if key < low {
		return f, pos
	}
	l.at, l.warm = i+1, g
	return g, pos - cut
}

func (l *ladder) newLeaf() *leaf {
	n := len(l.free)
	if n == 0 {
		return makeLeaf()
	}
	f := l.free[n-1]
	l.free = l.free[:n-1]
	return f
}

// remove takes the level at position pos of leaf i out, and keeps leaves from
// being many and sparse.
func (l *ladder) remove(i, pos int) {
	f := l.leaves[i]
	f.remove(pos)
	l.total--
	switch {
	case f.n >= leafCap/4 || len(l.leaves) == 1:
	case f.n == 0:
		l.drop(i)
	case i > 0 && l.fit(i-1):
		l.merge(i - 1)
	case i < len(l.leaves)-1 && l.fit(i):
		l.merge(i)
	}
}

// fit reports whether leaves i and i+1 go into one and leave it some room.
func (l *ladder) fit(i int) bool { return l.leaves[i].n+l.leaves[i+1].n <= leafCap*3/4 }

func (l *ladder) merge(i int) {
	l.leaves[i].take(l.leaves[i+1], 0)
	l.drop(i + 1)
}

// drop takes the empty leaf i out; its range goes to the leaf below, or to the
// one above when it is the first.
func (l *ladder) drop(i int) {
	l.free = append(l.free, l.leaves[i])
	l.leaves = slices.Delete(l.leaves, i, i+1)
	l.low = slices.Delete(l.low, i, i+1)
	l.low[0] = 0
	l.at = min(l.at, len(l.leaves)-1)
}

func (l *ladder) clear() {
	for _, f := range l.leaves {
		f.truncate(0)
	}
	l.free = append(l.free, l.leaves[1:]...)
	clear(l.leaves[1:])
	l.leaves = l.leaves[:1]
	l.low = l.low[:1]
	l.at, l.total = 0, 0
}

func (l *ladder) best() (core.Level, bool) {
	if l.total == 0 {
		return core.Level{}, false
	}
	return l.level(&l.top), true
}

func (l *ladder) qty(price core.Price) core.Qty {
	key := l.key(price)
	f := l.leaves[l.find(key)]
	if pos := f.search(key); f.has(pos, key) {
		return f.entries[pos].qty
	}
	return 0
}

func (l *ladder) appendTo(dst []core.Level, limit int) []core.Level {
	if limit < 0 || limit > int(l.total) {
		limit = int(l.total)
	}
	dst = slices.Grow(dst, limit)
	for i := len(l.leaves) - 1; limit > 0; i-- {
		f := l.leaves[i]
		for pos := f.n - 1; pos >= 0 && limit > 0; pos-- {
			dst = append(dst, l.level(&f.entries[pos]))
			limit--
		}
	}
	return dst
}

func (l *ladder) walk(yield func(core.Level) bool) {
	for i := len(l.leaves) - 1; i >= 0; i-- {
		f := l.leaves[i]
		for pos := f.n - 1; pos >= 0; pos-- {
			if !yield(l.level(&f.entries[pos])) {
				return
			}
		}
	}
}

func (l *ladder) hash(side core.Side, h *hasher) {
	for i := len(l.leaves) - 1; i >= 0; i-- {
		f := l.leaves[i]
		for pos := f.n - 1; pos >= 0; pos-- {
			h.add(side, l.level(&f.entries[pos]))
		}
	}
}
