package postgres

import (
	"testing"

	"qcat/core"
)

// FuzzNumericEncode holds both encoders against pgtype's decoder and against the way back.
func FuzzNumericEncode(f *testing.F) {
	for _, v := range ends {
		f.Add(v.Hi, v.Lo, uint8(8))
	}
	f.Fuzz(func(t *testing.T, hi int64, lo uint64, scale uint8) {
		scale %= 37
		v := core.Int128{Hi: hi, Lo: lo}
		b := appendNumeric128(nil, v, scale)
		sameNumber(t, b, v, scale)
		if back, err := parseNumeric(b[4:], int(scale)); err != nil || back != v {
			t.Errorf("%v comes back as %v (%v)", bigOf(v), bigOf(back), err)
		}
		n := appendNumeric(nil, int64(lo), scale)
		sameNumber(t, n, core.Int128From(int64(lo)), scale)
	})
}

// FuzzNumericParse: whatever a server sends is a number or an error, and a number that is
// accepted encodes as the same number.
func FuzzNumericParse(f *testing.F) {
	f.Add([]byte{0, 2, 0, 0, 0x40, 0, 0, 4, 0, 1, 0x13, 0x88}, uint8(4))
	f.Add([]byte{0, 0, 0, 0, 0xC0, 0, 0, 0}, uint8(0))
	f.Fuzz(func(t *testing.T, p []byte, scale uint8) {
		scale %= 37
		v, err := parseNumeric(p, int(scale))
		if err != nil {
			return
		}
		again, err := parseNumeric(appendNumeric128(nil, v, scale)[4:], int(scale))
		if err != nil || again != v {
			t.Errorf("%x is %v, which comes back as %v (%v)", p, bigOf(v), bigOf(again), err)
		}
	})
}
