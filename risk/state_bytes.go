package risk

import (
	"encoding/binary"
)

// AppendState appends the tree's whole state in a canonical form, little-endian,
// every list preceded by its length: two trees that were made by the same calls
// append the same bytes on any machine (I3). Sizes given in Config do not show.
// RestoreState reads it. Of the instruments it holds their use only, not what they
// are.
func (t *Tree) AppendState(dst []byte) []byte {
	dst = t.appendNode(dst, &t.firm.node)
	dst = t.appendNodes(dst, t.accounts)
	dst = t.appendNodes(dst, t.strategies)

	dst = appendInts(dst, int64(len(t.instruments)))
	for i := range t.instruments {
		x := &t.instruments[i]
		if x.in == nil {
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, 1)
		dst = appendInts(dst, x.val.mul, x.val.div, int64(x.venue))
		dst = t.appendPair(dst, &x.firm)
		dst = appendInts(dst, x.rolling.window)
		for _, b := range x.rolling.buckets {
			dst = appendInts(dst, int64(b.epoch), int64(b.lo), int64(b.hi))
		}
	}

	dst = appendInts(dst, int64(t.pairs.n))
	for slot := uint32(1); slot < t.pairs.n; slot++ {
		dst = t.appendPair(dst, t.pairs.at(slot))
	}

	dst = appendInts(dst, int64(len(t.venues)))
	for _, v := range t.venues {
		dst = appendName(dst, v.name)
	}
	dst = appendInts(dst, int64(len(t.rates)))
	for _, r := range t.rates {
		dst = appendInts(appendName(dst, r.currency), r.ppm)
	}
	return t.appendScores(t.recent.appendState(t.appendLedger(dst)))
}

func (t *Tree) appendNodes(dst []byte, branches []branch) []byte {
	dst = appendInts(dst, int64(len(branches)))
	for i := range branches {
		dst = t.appendNode(dst, &branches[i].node)
	}
	return dst
}

func (t *Tree) appendNode(dst []byte, n *node) []byte {
	flags := byte(n.state)
	if n.defined {
		flags |= 0x80
	}
	dst = append(dst, flags)
	dst = t.profiles[n.profile].Append(dst)
	return appendInts(dst, int64(n.open), int64(n.owner), n.gross, n.long, n.short, n.unfilled,
		int64(n.msgTAT), int64(n.ordTAT))
}

func (t *Tree) appendPair(dst []byte, p *pair) []byte {
	dst = t.appendNode(appendInts(dst, int64(p.key)), &p.node)
	return appendInts(dst, int64(p.position), int64(p.buy), int64(p.sell), int64(p.price))
}

func (r *recent) appendState(dst []byte) []byte {
	n := 0
	for i := range r.sets {
		for j := range r.sets[i] {
			n += int(bit(r.sets[i][j].account != 0))
		}
	}
	dst = appendInts(dst, int64(r.window), int64(len(r.sets)), int64(n))
	for i := range r.sets {
		for j := range r.sets[i] {
			if e := &r.sets[i][j]; e.account != 0 {
				dst = appendInts(dst, int64(i), int64(j), int64(e.account), int64(e.instrument),
					int64(e.price), int64(e.qty), int64(e.time))
			}
		}
	}
	return dst
}

// AppendState appends what the order reserves in a canonical form.
func (h *Hold) AppendState(dst []byte) []byte {
	o := &h.order
	dst = append(dst, byte(o.Side), byte(o.Type), byte(o.TIF), byte(o.Leg), bit(o.ReduceOnly), bit(h.open), bit(h.pending))
	return appendInts(dst, int64(o.Account), int64(o.Strategy), int64(o.Instrument), int64(o.Price), int64(o.Qty),
		int64(h.filled), int64(h.price), h.value, int64(h.newPrice), int64(h.newQty),
		int64(h.ref), int64(h.newRef), h.funds, int64(h.account), int64(h.strategy), int64(h.amends))
}

// Append appends the limits in the form that DecodeLimits reads and the journal
// holds: the set as a mask of 64 bits, then the value of every limit set, in
// ascending order, 64 bits each; little-endian.
func (ls *Limits) Append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, ls.set)
	for l := range numLimits {
		if v, set := ls.Get(l); set {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
		}
	}
	return dst
}

// MaxLimitsBytes is the length of the longest Limits.Append.
const MaxLimitsBytes = 8 + 8*NumLimits

// DecodeLimits reads what Append wrote and reports false on anything else: an
// unknown limit, bytes missing or left over.
func DecodeLimits(b []byte) (Limits, bool) {
	var ls Limits
	if len(b) < 8 {
		return Limits{}, false
	}
	set := binary.LittleEndian.Uint64(b)
	b = b[8:]
	if set>>numLimits != 0 {
		return Limits{}, false
	}
	for l := range numLimits {
		if set&(1<<l) == 0 {
			continue
		}
		if len(b) < 8 {
			return Limits{}, false
		}
		ls.Set(l, int64(binary.LittleEndian.Uint64(b)))
		b = b[8:]
	}
	return ls, len(b) == 0
}

func appendInts(dst []byte, vs ...int64) []byte {
	for _, v := range vs {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
	return dst
}

// appendName appends a name and a flag that is always 0.
func appendName(dst []byte, s string) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(s)))
	return append(append(dst, s...), 0)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
