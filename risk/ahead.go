package risk

import (
	"unsafe"

	"qcat/core/mem"
)

// A check of a random account finds its nodes in memory, not in the cache, and then
// waits most of its time. Whoever has several orders to check can ask for the memory of
// later ones first, in two steps with some orders between them: Ahead, then Near.
// Neither changes anything nor decides anything; any order, defined or not, may be
// asked for.

// Ahead asks for what is found by the order's own numbers: the index of its pairs, its
// account and strategy, and the orders it may duplicate.
func (t *Tree) Ahead(o *Order) {
	mem.Fetch(unsafe.Pointer(t.pairs.homeEntry(strategyPairKey(o.Strategy, o.Instrument))))
	if int64(o.Account) < int64(len(t.accounts)) {
		mem.Fetch(unsafe.Pointer(&t.accounts[o.Account]))
	}
	if int64(o.Strategy) < int64(len(t.strategies)) {
		mem.Fetch(unsafe.Pointer(&t.strategies[o.Strategy]))
	}
	t.recent.fetch(o)
}

// Near asks for what the index leads to: the pairs of the order's account and strategy
// in its instrument.
func (t *Tree) Near(o *Order) {
	e := t.pairs.entry(strategyPairKey(o.Strategy, o.Instrument))
	mem.Fetch(unsafe.Pointer(t.pairs.at(e.slot)))
	mem.Fetch(unsafe.Pointer(t.pairs.at(e.account)))
}
