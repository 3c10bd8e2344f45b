package book

import (
	"math"
	"math/bits"

	"qcat/core"
)

// leafCap is the number of levels in a leaf. The search is written for it.
const leafCap = 31

// padding is the key of the unused entries of a leaf, so that a search need not
// know how many are used. It may also be the key of a level (a bid at the
// greatest price there is): what tells them apart is the position.
const padding = math.MaxUint64

// entry is one level as stored. The key orders the levels of either side from
// worst to best; ladder.key makes it from a price.
type entry struct {
	key uint64
	qty core.Qty
}

// leaf is a sorted run of levels, keys ascending, the rest padding. It is 512
// bytes, eight cache lines and an allocator size class, and holds no pointers.
type leaf struct {
	n       int
	_       int
	entries [leafCap]entry
}

func makeLeaf() *leaf {
	f := &leaf{}
	f.truncate(0)
	return f
}

// search returns the position of the first entry whose key is not below key. It
// takes the same five steps whatever it finds, and adds up borrows instead of
// branching: the outcome of each comparison is a coin toss, which a branch
// predictor gets wrong half of the time.
func (f *leaf) search(key uint64) int {
	e := &f.entries
	_, below := bits.Sub64(e[15].key, key, 0)
	at := below << 4
	_, below = bits.Sub64(e[at+7].key, key, 0)
	at += below << 3
	_, below = bits.Sub64(e[at+3].key, key, 0)
	at += below << 2
	_, below = bits.Sub64(e[at+1].key, key, 0)
	at += below << 1
	_, below = bits.Sub64(e[at].key, key, 0)
	return int(at + below)
}

// has reports whether the entry at pos, a result of search, is that of key.
func (f *leaf) has(pos int, key uint64) bool {
	return pos < f.n && f.entries[pos].key == key
}

// insert puts e at pos. The leaf must not be full.
func (f *leaf) insert(pos int, e entry) {
	copy(f.entries[pos+1:f.n+1], f.entries[pos:f.n])
	f.entries[pos] = e
	f.n++
}

// remove takes the entry at pos out.
func (f *leaf) remove(pos int) {
	f.n--
	copy(f.entries[pos:f.n], f.entries[pos+1:f.n+1])
	f.entries[f.n].key = padding
}

// truncate keeps the first n entries.
func (f *leaf) truncate(n int) {
	f.n = n
	for i := n; i < leafCap; i++ {
		f.entries[i].key = padding
	}
}

// take appends the entries of g from position from on.
func (f *leaf) take(g *leaf, from int) {
	f.n += copy(f.entries[f.n:], g.entries[from:g.n])
	g.truncate(from)
}
