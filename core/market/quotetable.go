package market

import (
	"unsafe"

	"qcat/core"
	"qcat/ringbuf"
)

// QuoteTable holds the latest quote of each instrument, indexed by its dense id.
//
//	cell of an instrument: 0 version | 8 core.Quote | 104 padding to 128
//
// Two instruments never share a cache line or a prefetched pair of them, so lanes
// do not slow each other down, and a load by the engine costs at most the two
// lines the lane has written since.
type QuoteTable struct {
	cells []quoteCell // slot 0 is unused: 0 is no instrument
}

type quoteCell struct {
	cell ringbuf.Cell[core.Quote]
	_    [(quoteCellAlign - quoteCellSize%quoteCellAlign) % quoteCellAlign]byte
}

const (
	quoteCellAlign = 128
	quoteCellSize  = unsafe.Sizeof(ringbuf.Cell[core.Quote]{})
)

// NewQuoteTable returns an empty table for the ids 1 to capacity. It does not
// grow: a lane and the engine may hold it without any lock.
func NewQuoteTable(capacity int) *QuoteTable {
	return &QuoteTable{cells: make([]quoteCell, max(capacity, 0)+1)}
}

// Cap returns the largest id the table has room for.
func (t *QuoteTable) Cap() int { return len(t.cells) - 1 }

// Store makes a copy of *q the latest quote of id and returns false, storing
// nothing, when id is out of range. Only the lane that owns the instrument calls
// it. It never waits or allocates.
func (t *QuoteTable) Store(id core.InstrumentID, q *core.Quote) bool {
	if !t.holds(id) {
		return false
	}
	t.cells[id].cell.Store(q)
	return true
}

// Load copies the latest quote of id into *q. It returns false and leaves *q
// alone when none was ever stored or id is out of range. Any goroutine; it never
// allocates, and retries only while this very quote is being stored.
func (t *QuoteTable) Load(id core.InstrumentID, q *core.Quote) bool {
	return t.holds(id) && t.cells[id].cell.Load(q)
}

func (t *QuoteTable) holds(id core.InstrumentID) bool {
	return id != 0 && uint64(id) < uint64(len(t.cells))
}
