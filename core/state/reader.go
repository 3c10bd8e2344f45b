package state

import (
	"encoding/binary"
	"math"

	"qcat/core"
)

// Reader takes the fields of a state off the front of its bytes. After the first that
// is wrong every reading is zero and nothing is left. NewReader makes one.
type Reader struct {
	b      []byte
	length int    // of b at first
	wrong  string // the first thing wrong
	offset int    // where it was noticed
}

// NewReader returns a reader of b, which must stay as it is while it is read.
func NewReader(b []byte) Reader { return Reader{b: b, length: len(b)} }

// OK reports whether nothing was wrong so far.
func (r *Reader) OK() bool { return r.wrong == "" }

// Wrong returns the first thing that was wrong, "" while there is none, and the offset
// of what followed when it was noticed.
func (r *Reader) Wrong() (what string, offset int) { return r.wrong, r.offset }

// Left returns what was not read yet.
func (r *Reader) Left() []byte { return r.b }

// Fail notes what is wrong, unless something was before, and leaves nothing to read.
func (r *Reader) Fail(what string) {
	if r.wrong == "" {
		r.wrong, r.offset = what, r.length-len(r.b)
	}
	r.b = nil
}

// Require is Fail unless ok.
func (r *Reader) Require(ok bool, what string) {
	if !ok {
		r.Fail(what)
	}
}

// Part hands what is left to a part's own reader, which returns what follows the part.
// Its error is what is wrong, at the offset where the part begins.
func (r *Reader) Part(read func(b []byte) (rest []byte, err error)) {
	if !r.OK() {
		return
	}
	rest, err := read(r.b)
	if err != nil {
		r.Fail(err.Error())
		return
	}
	r.b = rest
}

// Take returns the next n bytes, nil when fewer are left.
func (r *Reader) Take(n int) []byte {
	if len(r.b) < n {
		r.Fail("bytes are missing")
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

// U8 reads 8 bits.
func (r *Reader) U8() uint8 {
	if b := r.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// Bit reads a flag of 8 bits, which are 0 or 1.
func (r *Reader) Bit() bool {
	v := r.U8()
	r.Require(v <= 1, "a flag is neither 0 nor 1")
	return v == 1
}

// U32 reads 32 bits.
func (r *Reader) U32() uint32 {
	if b := r.Take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// U64 reads 64 bits.
func (r *Reader) U64() uint64 {
	if b := r.Take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// I64 reads 64 bits with a sign.
func (r *Reader) I64() int64 { return int64(r.U64()) }

// I128 reads 128 bits with a sign, the upper half first.
func (r *Reader) I128() core.Int128 { return core.Int128{Hi: r.I64(), Lo: r.U64()} }

// UpTo reads a number of 64 bits from 0 to most.
func (r *Reader) UpTo(most int64) int64 { return r.within(r.I64(), most) }

func (r *Reader) within(v, most int64) int64 {
	if v < 0 || v > most {
		r.Fail("a number is out of its range")
		return 0
	}
	return v
}

// ID reads a number of 32 bits that stands in 64.
func (r *Reader) ID() uint32 { return uint32(r.UpTo(math.MaxUint32)) }

// Count reads the length of a list whose elements have at least size bytes each, which
// is positive: no more than are left, so that room can be made for them.
func (r *Reader) Count(size int) int {
	n := r.I64()
	return int(r.within(n, int64(len(r.b)/size)))
}
