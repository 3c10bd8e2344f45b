package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"qcat/core"
)

// NUMERIC in Postgres' binary format (src/backend/utils/adt/numeric.c, numeric_recv):
// four 16-bit numbers and then the digits, big-endian throughout.
//
//	ndigits  digits that follow, each 0 to 9999
//	weight   the first digit counts 10000^weight
//	sign     0x0000 positive, 0x4000 negative, 0xC000 NaN, 0xD000 and 0xF000 infinite
//	dscale   decimals that are shown
//
// A count of 10^-scale becomes digits from its least significant end: the last one is
// filled up with zeros so that the decimal point falls between two digits, after which
// each is a remainder by 10000. Nothing is allocated and no value is wider than the
// value itself.
const (
	numericNegative = 0x4000
	numericSpecial  = 0xC000

	numericBase   = 10000
	numericHeader = 8
)

var numericPad = [4]uint64{1, 1000, 100, 10} // 10^(4-r), for r > 0 decimals in the last digit

var numericCut = [4]uint64{1, 10, 100, 1000} // 10^r

// appendNumeric appends the length and the value v·10^-scale.
func appendNumeric(b []byte, v int64, scale uint8) []byte {
	u, sign := uint64(v), uint16(0)
	if v < 0 {
		u, sign = -u, numericNegative
	}
	var digits [6]uint16 // least significant first; 19 decimals, cut across
	n := 0
	if r := scale % 4; r != 0 {
		digits[0] = uint16(u % numericCut[r] * numericPad[r])
		u /= numericCut[r]
		n = 1
	}
	for ; u != 0; n++ {
		digits[n] = uint16(u % numericBase)
		u /= numericBase
	}
	return appendDigits(b, digits[:n], sign, scale)
}

// appendNumeric128 appends the length and the value v·10^-scale.
func appendNumeric128(b []byte, v core.Int128, scale uint8) []byte {
	sign := uint16(0)
	hi, lo := uint64(v.Hi), v.Lo
	if v.Hi < 0 {
		sign = numericNegative
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	var digits [11]uint16 // 39 decimals, cut across
	n := 0
	if r := scale % 4; r != 0 {
		var rem uint64
		hi, lo, rem = div128(hi, lo, numericCut[r])
		digits[0] = uint16(rem * numericPad[r])
		n = 1
	}
	for ; hi|lo != 0; n++ {
		var rem uint64
		hi, lo, rem = div128(hi, lo, numericBase)
		digits[n] = uint16(rem)
	}
	return appendDigits(b, digits[:n], sign, scale)
}

func div128(hi, lo, d uint64) (qhi, qlo, rem uint64) {
	qhi, rem = hi/d, hi%d
	qlo, rem = bits.Div64(rem, lo, d)
	return qhi, qlo, rem
}

// appendDigits appends digits, least significant first, of which the first
// ceil(scale/4) are decimals. Zeros at both ends are left out, as Postgres has it.
func appendDigits(b []byte, digits []uint16, sign uint16, scale uint8) []byte {
	low, high := 0, len(digits)
	for low < high && digits[low] == 0 {
		low++
	}
	for low < high && digits[high-1] == 0 {
		high--
	}
	if low == high {
		sign = 0
	}
	weight := high - 1 - (int(scale)+3)/4
	if low == high {
		weight = 0
	}
	n := high - low
	b = binary.BigEndian.AppendUint32(b, uint32(numericHeader+2*n))
	b = binary.BigEndian.AppendUint64(b, uint64(n)<<48|uint64(uint16(weight))<<32|uint64(sign)<<16|uint64(scale))
	for i := high - 1; i >= low; i-- {
		b = binary.BigEndian.AppendUint16(b, digits[i])
	}
	return b
}

// errNumeric is wrapped when a NUMERIC is not a count of 10^-scale in its type.
var errNumeric = errors.New("a decimal does not fit")

// ownScale asks for the decimals that the value itself carries.
const ownScale = -1

// parseNumeric returns a NUMERIC as a count of 10^-scale; it must be one exactly.
func parseNumeric(p []byte, scale int) (core.Int128, error) {
	if len(p) < numericHeader {
		return core.Int128{}, fmt.Errorf("%w: %d bytes", errNumeric, len(p))
	}
	n := int(binary.BigEndian.Uint16(p))
	weight := int(int16(binary.BigEndian.Uint16(p[2:])))
	sign := binary.BigEndian.Uint16(p[4:])
	if scale == ownScale {
		scale = int(binary.BigEndian.Uint16(p[6:]))
	}
	if sign&numericSpecial == numericSpecial || len(p) != numericHeader+2*n {
		return core.Int128{}, fmt.Errorf("%w: not a finite number", errNumeric)
	}
	var hi, lo uint64
	for i := range n {
		d := uint64(binary.BigEndian.Uint16(p[numericHeader+2*i:]))
		// The digit counts 10^places in units of 10^-scale.
		places := (weight-i)*4 + scale
		factor := uint64(numericBase)
		switch {
		case places >= 0:
		case places <= -4:
			factor = 1
			if d != 0 {
				return core.Int128{}, fmt.Errorf("%w: more than %d decimals", errNumeric, scale)
			}
		default:
			cut := numericCut[-places]
			if d%cut != 0 {
				return core.Int128{}, fmt.Errorf("%w: more than %d decimals", errNumeric, scale)
			}
			d /= cut
			factor = numericBase / cut
		}
		var ok bool
		if hi, lo, ok = mulAdd(hi, lo, factor, d); !ok {
			return core.Int128{}, fmt.Errorf("%w: beyond 128 bits", errNumeric)
		}
	}
	// What the digits left out at the low end stands for.
	for places := (weight-n+1)*4 + scale; n > 0 && places > 0; places -= 4 {
		factor := uint64(numericBase)
		if places < 4 {
			factor = numericCut[places]
		}
		var ok bool
		if hi, lo, ok = mulAdd(hi, lo, factor, 0); !ok {
			return core.Int128{}, fmt.Errorf("%w: beyond 128 bits", errNumeric)
		}
	}
	return signed(hi, lo, sign == numericNegative)
}

// mulAdd returns (hi,lo)·m + a and false on overflow.
func mulAdd(hi, lo, m, a uint64) (rhi, rlo uint64, ok bool) {
	over, h := bits.Mul64(hi, m)
	carry, l := bits.Mul64(lo, m)
	l, c := bits.Add64(l, a, 0)
	h, c = bits.Add64(h, carry, c)
	return h, l, over == 0 && c == 0
}

func signed(hi, lo uint64, negative bool) (core.Int128, error) {
	v := core.Int128{Hi: int64(hi), Lo: lo}
	if negative {
		v = v.Neg()
	}
	if hi > math.MaxInt64 && (!negative || hi != 1<<63 || lo != 0) {
		return core.Int128{}, fmt.Errorf("%w: beyond 128 bits", errNumeric)
	}
	return v, nil
}

// parseNumeric64 is parseNumeric for what must fit an int64.
func parseNumeric64(p []byte, scale int) (int64, error) {
	v, err := parseNumeric(p, scale)
	if err != nil {
		return 0, err
	}
	if core.Int128From(int64(v.Lo)) != v {
		return 0, fmt.Errorf("%w: beyond 64 bits", errNumeric)
	}
	return int64(v.Lo), nil
}
