package risk

import (
	"encoding/binary"
	"math"

	"qcat/core"
)

// stateReader takes the fields of a state off the front of b. After the first that
// is wrong every reading is zero and b is empty.
type stateReader struct {
	t          *Tree
	b          []byte
	wrong      string // the first thing wrong
	instrument func(core.InstrumentID) *core.Instrument
}

func (r *stateReader) ok() bool { return r.wrong == "" }

func (r *stateReader) fail(what string) {
	if r.wrong == "" {
		r.wrong = what
	}
	r.b = nil
}

func (r *stateReader) require(ok bool, what string) {
	if !ok {
		r.fail(what)
	}
}

func (r *stateReader) take(n int) []byte {
	if len(r.b) < n {
		r.fail("bytes are missing")
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *stateReader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *stateReader) bit() bool {
	v := r.u8()
	r.require(v <= 1, "a flag is neither 0 nor 1")
	return v == 1
}

func (r *stateReader) i64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

// upTo reads a number from 0 to most.
func (r *stateReader) upTo(most int64) int64 {
	v := r.i64()
	if v < 0 || v > most {
		r.fail("a number is out of its range")
		return 0
	}
	return v
}

// id reads a number of 32 bits that stands in 64.
func (r *stateReader) id() uint32 { return uint32(r.upTo(math.MaxUint32)) }

// count reads the length of a list whose elements have at least size bytes each:
// no more than are left, so that room can be made for them.
func (r *stateReader) count(size int) int { return int(r.upTo(int64(len(r.b) / size))) }

// table reads the length of a table by id, which has a place 0.
func (r *stateReader) table(size int) int {
	n := r.count(size)
	r.require(0 < n && n-1 <= maxID, "a table without its place 0, or beyond all ids")
	return max(n, 1)
}

// slots reads how many slots a table has whose slot 0 takes no bytes.
func (r *stateReader) slots(size int) int {
	n := int(r.upTo(int64(len(r.b)/size) + 1))
	r.require(n > 0, "a table without its slot 0")
	return max(n, 1)
}

func (r *stateReader) name() string {
	if b := r.take(2); b != nil {
		return string(r.take(int(binary.LittleEndian.Uint16(b))))
	}
	return ""
}

// limits reads the limits of a node at s and returns their profile.
func (r *stateReader) limits(s Scope) uint32 {
	set := uint64(r.i64())
	if set == 0 {
		return 0
	}
	if set>>numLimits != 0 {
		r.fail("an unknown limit")
		return 0
	}
	var ls Limits
	for l := range numLimits {
		if set&(1<<l) != 0 {
			ls.Set(l, r.i64())
		}
	}
	if _, valid := ls.Validate(s); !valid {
		r.fail("limits that their node cannot have")
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
	flags := r.u8()
	n.state, n.defined = TradingState(flags&0x7f), flags&0x80 != 0
	r.require(n.state <= StateHalted, "an unknown trading state")
	n.profile = r.limits(s)
	n.open, n.owner = int32(r.upTo(math.MaxInt32)), r.id()
	n.gross, n.long, n.short, n.unfilled = r.i64(), r.i64(), r.i64(), r.i64()
	n.msgTAT, n.ordTAT = core.Nanos(r.i64()), core.Nanos(r.i64())
	r.require(n.defined || *n == (node{}), "an undefined node holds something")
}

// nodes reads a table of nodes by id, whose place 0 is nobody's.
func (r *stateReader) nodes(scope func(id uint32) Scope) []branch {
	branches := make([]branch, r.table(nodeBytes))
	for i := range branches {
		r.node(&branches[i].node, scope(uint32(i)))
	}
	r.require(!branches[0].defined, "somebody has the id 0")
	return branches
}

// pair reads what follows the key of a pair.
func (r *stateReader) pair(p *pair, s Scope) {
	r.node(&p.node, s)
	r.require(p.defined && p.owner == 0, "a pair that is not defined")
	p.position, p.buy, p.sell = core.Qty(r.i64()), core.Qty(r.i64()), core.Qty(r.i64())
	p.price = core.Price(r.i64())
}
