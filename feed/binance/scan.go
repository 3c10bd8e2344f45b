package binance

import (
	"encoding/binary"
	"math/bits"

	"qcat/core"
)

// The scanner's primitives take the frame and an offset and return the offset
// after what they read. A negative offset means "not of the fixed shape"; it
// decides nothing about the frame but that the general path must read it.
const differs = -1

// maxDigits bounds the digits of a number the scanner takes: anything of 18
// digits fits an int64, so that no step needs an overflow check.
const maxDigits = 18

// at reports whether lit stands in b at offset i. i must not be negative.
func at(b []byte, i int, lit string) bool {
	return len(b)-i >= len(lit) && string(b[i:i+len(lit)]) == lit
}

// digits8 reads the up to eight decimal digits at the start of the word, which
// holds them in the order of memory (little endian), and returns their value
// and number.
//
// A byte is a digit iff it is at most 9 once '0' has been taken off by xor;
// adding 0x76 carries into the top bit of all others. A carry out of a byte can
// only spoil bytes behind the first non-digit, which are not looked at. The
// digits are then moved to the end of the word, zeros (as digits) before them,
// and added up in pairs, fours and eights.
func digits8(w uint64) (v uint64, n int) {
	w ^= 0x3030303030303030
	other := ((w + 0x7676767676767676) | w) & 0x8080808080808080
	n = bits.TrailingZeros64(other) >> 3
	w <<= uint(64 - 8*n)
	w = w*10 + w>>8
	w = ((w&0x000000FF000000FF)*0x000F424000000064 + (w>>16&0x000000FF000000FF)*0x0000271000000001) >> 32
	return w & 0xFFFFFFFF, n
}

// digits reads the decimal digits at offset i and returns their value, which is
// right for at most 18 of them, and the offset behind the last.
func digits(b []byte, i int) (v uint64, end int) {
	for len(b)-i >= 8 {
		w, n := digits8(binary.LittleEndian.Uint64(b[i:]))
		v = v*uint64(tens[n]) + w
		i += n
		if n < 8 {
			return v, i
		}
	}
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		v = v*10 + uint64(b[i]-'0')
	}
	return v, i
}

var tens = [...]uint32{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// scanUint reads an unsigned JSON integer: no sign, fraction, exponent or
// leading zero.
func scanUint(b []byte, i int) (v uint64, end int) {
	v, end = digits(b, i)
	n := end - i
	if n == 0 || n > maxDigits || (n > 1 && b[i] == '0') {
		return 0, differs
	}
	return v, end
}

// scanMillis reads a time in Unix milliseconds.
func scanMillis(b []byte, i int) (core.Nanos, int) {
	v, end := scanUint(b, i)
	if v > maxMillis {
		return 0, differs
	}
	return core.Nanos(v) * nanosPerMilli, end
}

const (
	nanosPerMilli = 1_000_000
	maxMillis     = (1<<63 - 1) / nanosPerMilli
)

// scanDecimal reads a decimal of exactly scale decimals that is followed by a
// quote, and returns the offset behind the quote.
func scanDecimal(b []byte, i int, scale uint8) (v int64, end int) {
	whole, j := digits(b, i)
	n := j - i
	if n == 0 || j >= len(b) {
		return 0, differs
	}
	if scale > 0 {
		if b[j] != '.' {
			return 0, differs
		}
		frac, k := digits(b, j+1)
		if k-j-1 != int(scale) || n+int(scale) > maxDigits || k >= len(b) {
			return 0, differs
		}
		whole, j = whole*uint64(core.Pow10(scale))+frac, k
	}
	if n > maxDigits || b[j] != '"' {
		return 0, differs
	}
	return int64(whole), j + 1
}

// scanPair reads `P","NAME":"Q"`-like pairs: a price, the literal between, a quantity.
func (l *listing) scanPair(b []byte, i int, between string) (p core.Price, q core.Qty, end int) {
	pv, i := scanDecimal(b, i, l.priceScale)
	if i < 0 || !at(b, i, between) {
		return 0, 0, differs
	}
	qv, i := scanDecimal(b, i+len(between), l.qtyScale)
	return core.Price(pv), core.Qty(qv), i
}

// scanLevels reads `["P","Q"],…]` up to and with the closing bracket of the
// list, whose opening one is behind us, and appends the levels to dst.
func (l *listing) scanLevels(b []byte, i int, dst []core.Level) ([]core.Level, int) {
	if i < len(b) && b[i] == ']' {
		return dst, i + 1
	}
	for at(b, i, `["`) {
		p, q, j := l.scanPair(b, i+2, `,"`)
		if j < 0 || p <= 0 || len(b)-j < 2 || b[j] != ']' {
			return dst, differs
		}
		dst = append(dst, core.Level{Price: p, Qty: q})
		switch b[j+1] {
		case ',':
			i = j + 2
		case ']':
			return dst, j + 2
		default:
			return dst, differs
		}
	}
	return dst, differs
}
