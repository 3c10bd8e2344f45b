package core

import (
	"hash/maphash"
	"slices"
	"sync/atomic"
)

// table is a list of rows, of which none is removed, with an index by key. A row's
// position is its id; position 0 stays empty. One writer at a time, the owner of
// Directory.mu; readers are wait-free and do not allocate.
//
// The index is an open-addressed hash table at most half full. Because nothing
// is ever removed, a reader that probes it while a row is added finds either the
// old table or the new one, and a slot either empty or complete. A row exists
// from the moment when rows is published: it is indexed before, and a lookup
// overlooks an entry whose row is not there yet. Adding costs O(1) on average:
// both parts double when they are full.
type table[K comparable, T any] struct {
	rows  atomic.Pointer[[]*T]
	slots atomic.Pointer[[]tableSlot[K]]
}

type tableSlot[K comparable] struct {
	entry atomic.Pointer[tableEntry[K]]
}

type tableEntry[K comparable] struct {
	hash uint64
	key  K
	id   uint32
}

// tableSeed makes the hashes of a process its own: a client that chooses names
// cannot make them collide.
var tableSeed = maphash.MakeSeed()

// tableSlots is the initial size of an index, a power of two.
const tableSlots = 64

func (t *table[K, T]) init() {
	rows := make([]*T, 1, tableSlots/2)
	slots := make([]tableSlot[K], tableSlots)
	t.rows.Store(&rows)
	t.slots.Store(&slots)
}

// next returns the id that add gives.
func (t *table[K, T]) next() int { return len(*t.rows.Load()) }

// row returns the row of that id, or nil.
func (t *table[K, T]) row(id uint32) *T {
	rows := *t.rows.Load()
	if uint64(id) >= uint64(len(rows)) {
		return nil
	}
	return rows[id]
}

// named returns the row of that key, or nil.
func (t *table[K, T]) named(key K) *T {
	hash := maphash.Comparable(tableSeed, key)
	slots := *t.slots.Load()
	for i := hash; ; i++ {
		e := slots[i&uint64(len(slots)-1)].entry.Load()
		if e == nil {
			return nil
		}
		if e.hash == hash && e.key == key {
			return t.row(e.id)
		}
	}
}

// all returns the rows in the order of their ids.
func (t *table[K, T]) all() []*T { return slices.Clone((*t.rows.Load())[1:]) }

// add appends a row whose key is new. Readers of the rows before it do not look
// beyond their length, so that the space behind them may be written to.
func (t *table[K, T]) add(key K, row *T) {
	rows := append(*t.rows.Load(), row)
	slots := *t.slots.Load()
	if 2*len(rows) > len(slots) {
		slots = grown(slots)
		t.slots.Store(&slots)
	}
	put(slots, &tableEntry[K]{maphash.Comparable(tableSeed, key), key, uint32(len(rows) - 1)})
	t.rows.Store(&rows)
}

// replace puts row in the place of the one of that id and the same key. It copies
// the list: it is rare, and readers may be in the old one.
func (t *table[K, T]) replace(id uint32, row *T) {
	old := *t.rows.Load()
	rows := make([]*T, len(old), cap(old))
	copy(rows, old)
	rows[id] = row
	t.rows.Store(&rows)
}

func grown[K comparable](old []tableSlot[K]) []tableSlot[K] {
	slots := make([]tableSlot[K], 2*len(old))
	for i := range old {
		if e := old[i].entry.Load(); e != nil {
			put(slots, e)
		}
	}
	return slots
}

func put[K comparable](slots []tableSlot[K], e *tableEntry[K]) {
	i := e.hash
	for slots[i&uint64(len(slots)-1)].entry.Load() != nil {
		i++
	}
	slots[i&uint64(len(slots)-1)].entry.Store(e)
}
