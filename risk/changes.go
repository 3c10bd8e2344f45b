package risk

import "qcat/core"

// changes is which nodes have changed since somebody asked last: each node once, in
// the order in which they changed. It is no part of the state: it decides nothing, is
// not compared and does not survive a restart.
//
// The list has room for every node there is before any of them changes, so that to
// note one costs the hot path a look at a byte that is in the cache, and now and then
// a store. Who never asks pays for every node once.
type changes struct {
	list []ScopeCursor
	next int // of list, the first that was not taken
}

// Sections of a ScopeCursor, in the order of Scopes.
const (
	sectionFirm = iota
	sectionAccounts
	sectionStrategies
	sectionInstruments
	sectionPairs
)

// reserve makes room for so many nodes, and for as many that were taken and still
// stand before them.
func (c *changes) reserve(nodes int) {
	if cap(c.list) < 2*nodes {
		c.list = append(make([]ScopeCursor, 0, 4*nodes), c.list...)
	}
}

// nodes is how many nodes there can be without a table growing further.
func (t *Tree) nodes() int {
	return 1 + len(t.accounts) + len(t.strategies) + len(t.instruments) + int(t.pairs.n)
}

// touch notes that a node has changed.
func (t *Tree) touch(n *node, section uint8, index uint32) {
	if !n.changed {
		n.changed = true
		t.changes.list = append(t.changes.list, ScopeCursor{section, index})
	}
}

// touchPath notes that the nodes of an order's path have changed.
func (t *Tree) touchPath(nodes *[pathLen]*node, o *Order, account, strategy uint32) {
	t.touch(nodes[atFirm], sectionFirm, 0)
	t.touch(nodes[atAccount], sectionAccounts, uint32(o.Account))
	t.touch(nodes[atStrategy], sectionStrategies, uint32(o.Strategy))
	t.touch(nodes[atFirmInstrument], sectionInstruments, uint32(o.Instrument))
	t.touch(nodes[atAccountInstrument], sectionPairs, account)
	t.touch(nodes[atStrategyInstrument], sectionPairs, strategy)
}

// touchHeld notes that an instrument was valued anew: all that hold it have changed,
// and what they belong to.
func (t *Tree) touchHeld(id core.InstrumentID) {
	x := &t.instruments[id]
	t.touch(&t.firm.node, sectionFirm, 0)
	t.touch(&x.firm.node, sectionInstruments, uint32(id))
	for s := x.first; s != 0; {
		p := t.pairs.at(s)
		t.touch(&p.node, sectionPairs, s)
		section := uint8(sectionAccounts)
		if p.key&strategyKey != 0 {
			section = sectionStrategies
		}
		t.touch(&t.parent(p).node, section, uint32(p.key>>32)&maxID)
		s = p.next
	}
}

// touchScope notes that the node of a resolved scope has changed.
func (t *Tree) touchScope(s Scope) {
	n := t.node(s, false)
	if n == nil {
		return
	}
	switch s.Level {
	case LevelFirm:
		t.touch(n, sectionFirm, 0)
	case LevelAccount:
		t.touch(n, sectionAccounts, uint32(s.Account))
	case LevelStrategy:
		t.touch(n, sectionStrategies, uint32(s.Strategy))
	default:
		switch {
		case s.Strategy != 0:
			t.touch(n, sectionPairs, t.pairs.find(strategyPairKey(s.Strategy, s.Instrument)))
		case s.Account != 0:
			t.touch(n, sectionPairs, t.pairs.find(accountPairKey(s.Account, s.Instrument)))
		default:
			t.touch(n, sectionInstruments, uint32(s.Instrument))
		}
	}
}

// NextChanged calls yield for the nodes that have changed and were not taken yet, the
// longest waiting first and no more than most of them, and returns how many are left.
// What it yields is taken: it comes again when it changes again. There is one list,
// for one reader; whoever begins to read walks the tree once with NextScopes, for what
// changed before.
func (t *Tree) NextChanged(most int, yield func(Scope)) (left int) {
	c := &t.changes
	for ; most > 0 && c.next < len(c.list); most-- {
		at := c.list[c.next]
		c.next++
		t.nodeAtCursor(at).changed = false
		if s, ok := t.scopeAt(&at); ok {
			yield(s)
		}
	}
	left = len(c.list) - c.next
	// What was taken makes room at the front; it is closed once it is the larger part,
	// so that a node is moved once for each that was taken.
	if c.next > left {
		c.list = c.list[:copy(c.list, c.list[c.next:])]
		c.next = 0
	}
	return left
}

// nodeAtCursor returns the node at a place that the list of changes names.
func (t *Tree) nodeAtCursor(c ScopeCursor) *node {
	switch c.section {
	case sectionFirm:
		return &t.firm.node
	case sectionAccounts:
		return &t.accounts[c.index].node
	case sectionStrategies:
		return &t.strategies[c.index].node
	case sectionInstruments:
		return &t.instruments[c.index].firm.node
	}
	return &t.pairs.at(c.index).node
}
