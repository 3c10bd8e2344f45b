package book

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"qcat/core"
)

// hashedLevel is the length in bytes of one level in the canonical form:
//
//	0 side, 1 for a bid, 2 for an offer   1..8 price   9..16 quantity
//
// Price and quantity are little endian, two's complement.
const hashedLevel = 17

// hasher computes the canonical hash of a book: XXH64 with seed 0 over the bids
// from best to worst, then the offers from best to worst, each in the form of
// hashedLevel. It depends on nothing but the levels, so that any two books that
// say the same hash the same, on any machine and in any language. The hash of
// an empty book is 0xef46db3751d8e999.
type hasher struct {
	digest xxhash.Digest
	n      int
	buf    [64 * hashedLevel]byte
}

func (h *hasher) reset() {
	h.digest.Reset()
	h.n = 0
}

func (h *hasher) add(side core.Side, l core.Level) {
	if h.n == len(h.buf) {
		h.flush()
	}
	b := h.buf[h.n : h.n+hashedLevel]
	b[0] = byte(side)
	binary.LittleEndian.PutUint64(b[1:], uint64(l.Price))
	binary.LittleEndian.PutUint64(b[9:], uint64(l.Qty))
	h.n += hashedLevel
}

func (h *hasher) flush() {
	_, _ = h.digest.Write(h.buf[:h.n]) // never fails
	h.n = 0
}

func (h *hasher) sum() uint64 {
	h.flush()
	return h.digest.Sum64()
}
