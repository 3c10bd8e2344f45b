package risk

import "qcat/core"

// node is one node of the tree: what it has used up. 64 bytes, one cache line,
// because an order of a random account finds none of its nodes in the cache.
//
//	 0 profile   4 open   8 owner  12 state  13 defined  14 changed  15 trips
//	16 gross    24 long  32 short  40 unfilled
//	48 msgTAT   56 ordTAT
type node struct {
	profile uint32 // index of its limits in Tree.profiles; 0: none
	open    int32  // open orders
	owner   uint32 // a strategy's account
	state   TradingState
	defined bool
	changed bool  // it stands in Tree.changes
	trips   uint8 // bit per tripKind: what keeps it from opening

	// Σ over instruments, in the risk currency; of one instrument, in a pair.
	gross    int64 // worst case of each: max(long, -short)
	long     int64 // all open buys fill
	short    int64 // all open sells fill; negative when short
	unfilled int64 // open orders at their own prices

	msgTAT core.Nanos // theoretical arrival times of the throttles
	ordTAT core.Nanos
}

// stops is not 0 when its state or a trip refuses what does not reduce.
func (n *node) stops() uint8 { return uint8(n.state) | n.trips }

// branch is the node of the firm, an account or a strategy, with what a check asks of
// it beside its limits. 128 bytes: two lines that the processor fetches together.
type branch struct {
	node
	stress   stress
	standing standing
	_        [16]byte
}

// pair is the node of an instrument below the firm, an account or a strategy.
// 128 bytes: the node's line and the line of quantities next to it.
type pair struct {
	node
	position core.Qty   // filled, signed
	buy      core.Qty   // open buys
	sell     core.Qty   // open sells
	price    core.Price // what long, short and gross are valued at; 0: never
	key      uint64     // pairKey; 0 for a firm-wide one
	next     uint32     // next slot of the same instrument; 0: last
	holding  uint32     // an account's pair: slot in ledger.holdings; 0: none yet
	merged   uint32     // a strategy's pair: number of the limits of its path (Tree.mergedOf)
	// An account's pair, while it is worth asking (instrument.asks): what its holding
	// ties up, and at which leverage in PPM; 0: ask the holding.
	leverage uint32
	initial  int64
}

// profile is a set of limits as the check reads it. Nodes with equal limits
// share one, so that 100 000 accounts with the firm's standard limits read the
// same few cache lines.
type profile struct {
	Limits
	messages throttle
	orders   throttle
}

// branches returns the firm, the account and the strategy of an order, which must be
// defined.
func (t *Tree) branches(o *Order) [3]*branch {
	return [3]*branch{&t.firm, &t.accounts[o.Account], &t.strategies[o.Strategy]}
}

// nodeAt returns the node of that id, or nil.
func nodeAt(branches []branch, id uint32) *node {
	if id >= uint32(len(branches)) || !branches[id].defined {
		return nil
	}
	return &branches[id].node
}

// intern returns the index of the profile with these limits, made when new.
func (t *Tree) intern(ls Limits) uint32 {
	if i, ok := t.interned[ls]; ok {
		return i
	}
	p := profile{Limits: ls}
	p.messages = newThrottle(ls, LimitMessageRate, LimitMessageRatePer)
	p.orders = newThrottle(ls, LimitOrderRate, LimitOrderRatePer)
	i := uint32(len(t.profiles))
	t.profiles = append(t.profiles, p)
	t.bounds = append(t.bounds, boundsOf(&p))
	t.interned[ls] = i
	return i
}
