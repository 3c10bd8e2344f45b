package risk

import (
	"encoding/binary"
	"math"

	"qcat/core"
	"qcat/core/state"
)

// stateReader reads what a tree wrote of a state.
type stateReader struct {
	state.Reader
	t          *Tree
	instrument func(core.InstrumentID) *core.Instrument
}

// table reads the length of a table by id, which has a place 0.
func (r *stateReader) table(size int) int {
	n := r.Count(size)
	r.Require(0 < n && n-1 <= maxID, "a table without its place 0, or beyond all ids")
	return max(n, 1)
}

// slots reads how many slots a table has whose slot 0 takes no bytes.
func (r *stateReader) slots(size int) int {
	n := int(r.UpTo(int64(len(r.Left())/size) + 1))
	r.Require(n > 0, "a table without its slot 0")
	return max(n, 1)
}

func (r *stateReader) name() string {
	if b := r.Take(2); b != nil {
		return string(r.Take(int(binary.LittleEndian.Uint16(b))))
	}
	return ""
}

// limits reads the limits of a node at s and returns their profile.
func (r *stateReader) limits(s Scope) uint32 {
	set := uint64(r.I64())
	if set == 0 {
		return 0
	}
	if set>>numLimits != 0 {
		r.Fail("an unknown limit")
		return 0
	}
	var ls Limits
	for l := range numLimits {
		if set&(1<<l) != 0 {
			ls.Set(l, r.I64())
		}
	}
	if _, valid := ls.Validate(s); !valid {
		r.Fail("limits that their node cannot have")
		return 0
	}
	return r.t.intern(ls)
}

// The fewest bytes that a node and a pair take: those without limits.
const (
	nodeBytes = 1 + 8 + 8*8
	pairBytes = nodeBytes + 5*8
)

func (r *stateReader) node(n *node, s Scope) {
	flags := r.U8()
	n.state, n.defined = TradingState(flags&0x7f), flags&0x80 != 0
	r.Require(n.state <= StateHalted, "an unknown trading state")
	n.profile = r.limits(s)
	n.open, n.owner = int32(r.UpTo(math.MaxInt32)), r.ID()
	n.gross, n.long, n.short, n.unfilled = r.I64(), r.I64(), r.I64(), r.I64()
	n.msgTAT, n.ordTAT = core.Nanos(r.I64()), core.Nanos(r.I64())
	r.Require(n.defined || *n == (node{}), "an undefined node holds something")
}

// nodes reads a table of nodes by id, whose place 0 is nobody's.
func (r *stateReader) nodes(scope func(id uint32) Scope) []branch {
	branches := make([]branch, r.table(nodeBytes))
	for i := range branches {
		r.node(&branches[i].node, scope(uint32(i)))
	}
	r.Require(!branches[0].defined, "somebody has the id 0")
	return branches
}

// pair reads what follows the key of a pair.
func (r *stateReader) pair(p *pair, s Scope) {
	r.node(&p.node, s)
	r.Require(p.defined && p.owner == 0, "a pair that is not defined")
	p.position, p.buy, p.sell = core.Qty(r.I64()), core.Qty(r.I64()), core.Qty(r.I64())
	p.price = core.Price(r.I64())
}
