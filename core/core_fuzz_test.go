package core

import "testing"

// FuzzParseDecimal holds ParseDecimal against math/big: what it accepts, what it
// makes of it, and that it reads its own output back.
func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0", "-12.50", "61837.63000000", "9223372036854775807", "-9.223372036854775808",
		"18446744073709551616", "1e5", "+1", ".5", "5.", "0x10", "1_000", "-0.0"} {
		f.Add(s, uint8(2))
		f.Add(s, uint8(18))
	}
	f.Fuzz(func(t *testing.T, s string, scale uint8) {
		checkDecimal(t, s, scale%(MaxScale+1))
	})
}

// FuzzMulDiv holds MulDiv with each rounding against math/big.
func FuzzMulDiv(f *testing.F) {
	f.Add(int64(1<<33-1), int64(1<<33+1), int64(4))
	f.Add(int64(5), int64(5), int64(2))
	f.Add(int64(-1), int64(5), int64(0))
	f.Fuzz(checkMulDiv)
}

// FuzzInt128 holds the 128-bit operations against math/big.
func FuzzInt128(f *testing.F) {
	f.Add(int64(-1), uint64(0), int64(1), uint64(1<<63))
	f.Fuzz(func(t *testing.T, xh int64, xl uint64, yh int64, yl uint64) {
		checkInt128(t, Int128{xh, xl}, Int128{yh, yl})
	})
}

// FuzzNotional holds Notional of each kind of contract against math/big.
func FuzzNotional(f *testing.F) {
	f.Add(uint8(0), uint8(2), uint8(8), uint8(8), int64(1), int64(6_183_763), int64(150_000_000))
	f.Add(uint8(2), uint8(1), uint8(0), uint8(8), int64(100), int64(618_376), int64(-25))
	f.Fuzz(func(t *testing.T, kind, ps, qs, ss uint8, size, p, q int64) {
		in := listed("X")
		in.Kind = ContractKind(kind % 3)
		in.PriceScale, in.QtyScale, in.SettleScale = ps%19, qs%19, ss%19
		in.ContractSize = 1
		if in.Kind == Inverse {
			in.ContractSize = size
		}
		if in.Validate() == nil {
			checkNotional(t, &in, Price(p), Qty(q))
		}
	})
}

// FuzzClOrdID checks that an accepted id comes back as it was.
func FuzzClOrdID(f *testing.F) {
	f.Add([]byte("order-1"))
	f.Add([]byte(`"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, ok := MakeClOrdID(b)
		if ok && (id.String() != string(b) || string(id.Append(nil)) != string(b) || id.Len() != len(b)) {
			t.Fatalf("%q comes back as %q", b, id)
		}
		if !ok && id != (ClOrdID{}) {
			t.Fatalf("a refused id is not zero: %v", id)
		}
	})
}
