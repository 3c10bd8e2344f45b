package engine

import (
	"math"

	"qcat/core"
	"qcat/risk"
)

// stateReader takes the fields of a state off the front of b. After the first that
// is wrong every reading is zero and b is empty.
type stateReader struct {
	b      []byte
	length int    // of b at first
	wrong  string // the first thing wrong
	offset int    // where it was noticed
}

func newStateReader(b []byte) *stateReader { return &stateReader{b: b, length: len(b)} }

func (r *stateReader) ok() bool { return r.wrong == "" }

func (r *stateReader) fail(what string) {
	if r.wrong == "" {
		r.wrong, r.offset = what, r.length-len(r.b)
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

func (r *stateReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return le.Uint32(b)
	}
	return 0
}

func (r *stateReader) u64() uint64 {
	if b := r.take(8); b != nil {
		return le.Uint64(b)
	}
	return 0
}

// scope reads a node of the limit tree.
func (r *stateReader) scope() risk.Scope {
	return risk.Scope{Level: risk.Level(r.u8()), Account: core.AccountID(r.u32()), Strategy: core.StrategyID(r.u32()),
		Instrument: core.InstrumentID(r.u32())}
}

func (r *stateReader) nanos() core.Nanos { return core.Nanos(r.u64()) }

func (r *stateReader) int128() core.Int128 {
	return core.Int128{Hi: int64(r.u64()), Lo: r.u64()}
}

// leg reads a leg that stands in 64 bits.
func (r *stateReader) leg() core.Leg { return core.Leg(r.upTo(uint64(core.LegShort))) }

// upTo reads a number of at most most.
func (r *stateReader) upTo(most uint64) uint64 {
	v := r.u64()
	if v > most {
		r.fail("a number is out of its range")
		return 0
	}
	return v
}

// id reads a number of 32 bits that stands in 64.
func (r *stateReader) id() uint32 { return uint32(r.upTo(math.MaxUint32)) }

// count reads the length of a list whose elements have at least size bytes each:
// no more than are left, so that room can be made for them.
func (r *stateReader) count(size int) int { return int(r.upTo(uint64(len(r.b) / size))) }
