package book

import "qcat/core"

// MaxLevels is the largest number of levels of one side. Real venues stay two
// orders of magnitude below it; it bounds memory against one that does not.
const MaxLevels = 1 << 20

// Book is the fast L2 book of one instrument. Make one with New.
type Book struct {
	bids, asks ladder
}

// New returns an empty book with room for capacityHint levels a side. Small
// hints are cheap: a side doubles when it must.
func New(capacityHint int) *Book {
	b := &Book{}
	b.Init(capacityHint)
	return b
}

// Init makes an empty book of b, as New does, for one that lies within something else.
func (b *Book) Init(capacityHint int) {
	b.bids.init(core.Buy, capacityHint)
	b.asks.init(core.Sell, capacityHint)
}

// Ahead asks for the memory that a message's levels are likely to touch, near those of
// the message before, of both sides at once: a book that nobody looked at for a while
// then costs two turns of memory instead of one for each line. It is for whoever
// knows of a message and not yet of its levels.
func (b *Book) Ahead() {
	b.bids.ahead()
	b.asks.ahead()
}

// AheadOf asks for the memory of these levels, all of it at once, before they are set. A
// book that was changed a moment ago has it near, and need not be asked.
func (b *Book) AheadOf(bids, asks []core.Level) {
	b.bids.aheadOf(bids)
	b.asks.aheadOf(asks)
}

func (b *Book) side(s core.Side) *ladder {
	if s == core.Buy {
		return &b.bids
	}
	return &b.asks
}

// Set puts qty at price, or removes the level when qty is zero or less. It
// reports whether the side's best price or quantity changed.
func (b *Book) Set(side core.Side, price core.Price, qty core.Qty) bool {
	return b.side(side).set(price, qty)
}

// Clear removes all levels and keeps the memory.
func (b *Book) Clear() {
	b.bids.clear()
	b.asks.clear()
}

// BestBid returns the highest bid, and false when there is none.
func (b *Book) BestBid() (core.Level, bool) { return b.bids.best() }

// BestAsk returns the lowest offer, and false when there is none.
func (b *Book) BestAsk() (core.Level, bool) { return b.asks.best() }

// Crossed reports whether both sides exist and the best bid is at or above the
// best offer (a locked book counts as crossed: neither is a reference price).
func (b *Book) Crossed() bool {
	bid, okBid := b.bids.best()
	ask, okAsk := b.asks.best()
	return okBid && okAsk && bid.Price >= ask.Price
}

// Len returns the number of levels of a side.
func (b *Book) Len(side core.Side) int { return int(b.side(side).total) }

// Qty returns the quantity at price, 0 when there is no such level.
func (b *Book) Qty(side core.Side, price core.Price) core.Qty { return b.side(side).qty(price) }

// Levels appends the side's levels to dst from best to worst, at most limit of
// them, or all when limit is negative. It allocates only when dst is too small.
func (b *Book) Levels(side core.Side, dst []core.Level, limit int) []core.Level {
	return b.side(side).appendTo(dst, limit)
}

// Walk calls f with the side's levels from best to worst until f returns false.
// f must not change the book.
func (b *Book) Walk(side core.Side, f func(core.Level) bool) { b.side(side).walk(f) }

// Evicted returns how many levels were dropped because a side was full.
func (b *Book) Evicted() uint64 { return b.bids.evicted + b.asks.evicted }

// Hash returns the canonical hash of the levels: XXH64 with seed 0 over, for
// each bid from best to worst and then each offer from best to worst, 17 bytes:
// side (1 bid, 2 offer), price and quantity as little-endian int64. Equal levels
// give equal hashes whatever the layout in memory or the history.
func (b *Book) Hash() uint64 {
	var h hasher
	h.reset()
	b.bids.hash(core.Buy, &h)
	b.asks.hash(core.Sell, &h)
	return h.sum()
}
