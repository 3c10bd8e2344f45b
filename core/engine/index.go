package engine

import (
	"math/bits"

	"qcat/core"
	"qcat/core/mem"
)

// index is an open-addressing hash table from a key's hash to a slot of the
// order table; the keys themselves stand in the slots. Its capacity is fixed when
// made (doubled makes another): at most half full, linear probing, deletion by shifting back, so there
// are no tombstones and nothing ever rehashes.
type index struct {
	cells []indexCell
	mask  uint32
}

type indexCell struct {
	hash uint32
	slot uint32 // 0: empty
}

// newIndex returns an index for at most n entries. Orders are looked for all over it,
// so that it is worth large pages.
func newIndex(n int) index {
	size := uint32(1) << bits.Len32(uint32(max(2*n-1, 15)))
	return index{cells: mem.Huge[indexCell](int(size)), mask: size - 1}
}

func (x *index) insert(hash, slot uint32) {
	p := hash & x.mask
	for x.cells[p].slot != 0 {
		p = (p + 1) & x.mask
	}
	x.cells[p] = indexCell{hash, slot}
}

// remove deletes the entry of that hash and slot, which must be there.
func (x *index) remove(hash, slot uint32) {
	if !x.take(hash, slot) {
		panic("engine: order missing from its index")
	}
}

// take deletes the entry of that hash and slot, and returns false when it is not there.
func (x *index) take(hash, slot uint32) bool {
	p := hash & x.mask
	for x.cells[p].slot != slot {
		if x.cells[p].slot == 0 {
			return false
		}
		p = (p + 1) & x.mask
	}
	// Move back whatever probed past the hole.
	hole := p
	for {
		p = (p + 1) & x.mask
		c := x.cells[p]
		if c.slot == 0 {
			break
		}
		if (p-c.hash)&x.mask >= (p-hole)&x.mask {
			x.cells[hole] = c
			hole = p
		}
	}
	x.cells[hole] = indexCell{}
	return true
}

// doubled is an index of the same entries with twice the room.
func (x *index) doubled() index {
	d := newIndex(len(x.cells))
	for _, c := range x.cells {
		if c.slot != 0 {
			d.insert(c.hash, c.slot)
		}
	}
	return d
}

const (
	mixA = 0x9E3779B97F4A7C15
	mixB = 0xD6E8FEB86659FD93
)

func mix(v uint64) uint64 {
	hi, lo := bits.Mul64(v^mixA, mixB)
	return hi ^ lo
}

func hashOrderID(id core.OrderID) uint32 { return uint32(mix(uint64(id))) }

// hashClOrdID hashes an account's client order id. The seed is fixed: clients of
// one account can only slow down look-ups by ids they choose themselves, within
// the table's bound.
func hashClOrdID(account core.AccountID, id *core.ClOrdID) uint32 {
	var buf [core.MaxClOrdIDLen + 4]byte
	b := id.Append(buf[:0])
	h := mix(uint64(account)<<8 | uint64(len(b)))
	b = buf[:(len(b)+7)&^7]
	for len(b) > 0 {
		h = mix(h ^ le.Uint64(b))
		b = b[8:]
	}
	return uint32(h)
}
