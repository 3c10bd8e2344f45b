package risk

import "math/bits"

// score returns the score of a node of the path. Of a pair that does not exist yet it
// is one that holds nothing.
func (c *check) score(i int) *score {
	t, o := c.t, &c.o
	switch i {
	case atFirm:
		return &t.scores.firm
	case atAccount:
		return &t.scores.accounts[o.Account]
	case atStrategy:
		return &t.scores.strategies[o.Strategy]
	case atFirmInstrument:
		return &c.x.tally.score
	}
	return &t.pairs.tally(c.slots[i-atAccountInstrument]).score
}

// stopped is the refusal by a node's state: code when a person set it, else that of
// the breach that did.
func (c *check) stopped(i int, code Code) Reason {
	if sc := c.score(i); sc.cause != 0 {
		return c.tripReason(i, tripKind(sc.cause-1))
	}
	return Reason{Code: code, Scope: c.scope(i)}
}

// tripReason words what tripped a node.
func (c *check) tripReason(i int, k tripKind) Reason {
	at := &c.t.trips.slots[c.score(i).slot].at[k]
	return Reason{Code: tripCodes[k], Unit: at.Unit, Scope: c.scope(i), Limit: at.Limit, Value: at.Value}
}

// trips refuses what would open at a node that an event has tripped. What is the cause
// of its state as well has refused already.
func (c *check) trips() bool {
	for i, n := range c.nodes {
		if c.exempt&(1<<i) != 0 {
			continue
		}
		left := n.trips
		if n.state != StateActive {
			left &^= 1 << c.score(i).cause >> 1
		}
		for ; left != 0; left &= left - 1 {
			if c.refuse(c.tripReason(i, tripKind(bits.TrailingZeros8(left)))) {
				return true
			}
		}
	}
	return false
}
