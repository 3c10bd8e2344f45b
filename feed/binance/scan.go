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

// Eight characters are read as one word, the first in its lowest byte (little
// endian). zeros8 taken off by xor leaves a digit's value in the digit's byte and
// more than 9 in every other's; point is what it leaves of a decimal point.
const (
	zeros8 = 0x3030303030303030
	point  = '.' ^ '0'
)

func load8(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) ^ zeros8 }

// others8 marks the bytes of w above 9 in their top bits. Adding 0x76 carries
// into the top bit of each of them; a carry out of such a byte can spoil those
// behind it, so that only the first mark is certain. No mark is always right.
func others8(w uint64) uint64 { return (w + 0x7676767676767676 | w) & 0x8080808080808080 }

// sum8 returns the number whose eight digits are the bytes of w. It adds them up
// in pairs, fours and eights.
func sum8(w uint64) uint64 {
	w = w*10 + w>>8
	return ((w&0x000000FF000000FF)*0x000F424000000064 + (w>>16&0x000000FF000000FF)*0x0000271000000001) >> 32
}

// scanUint reads an unsigned JSON integer: no sign, fraction, exponent or
// leading zero. Ids and times have ten digits and more, so that it pays to try
// eight at once.
func scanUint(b []byte, i int) (v uint64, end int) {
	end = i
	if len(b)-i >= 8 {
		if w := load8(b, i); others8(w) == 0 {
			v, end = sum8(w), i+8
		}
	}
	for _, c := range b[end:] {
		if c -= '0'; c > 9 {
			break
		}
		v = v*10 + uint64(c)
		end++
	}
	n := end - i
	if n == 0 || n > maxDigits || (b[i] == '0' && n > 1) {
		return 0, differs
	}
	return v, end
}

// scanMillis reads a time in Unix milliseconds of thirteen digits, which all
// times from 2001 on have for as long as Nanos can hold them.
func scanMillis(b []byte, i int) (core.Nanos, int) {
	if i < 0 || len(b)-i < millisDigits || b[i] == '0' {
		return 0, differs
	}
	t := (*[millisDigits]byte)(b[i:])
	head := binary.LittleEndian.Uint64(t[:8]) ^ zeros8
	tail := binary.LittleEndian.Uint64(t[millisDigits-8:]) ^ zeros8
	if others8(head)|others8(tail) != 0 {
		return 0, differs
	}
	const repeated = 8 * (16 - millisDigits) // bits of tail that head has told
	tail = tail >> repeated << repeated
	v := sum8(head)*1e5 + sum8(tail)
	if v > maxMillis {
		return 0, differs
	}
	return core.Nanos(v) * nanosPerMilli, i + millisDigits
}

const (
	millisDigits  = 13
	nanosPerMilli = 1_000_000
	maxMillis     = (1<<63 - 1) / nanosPerMilli
)

// scanDecimal reads a decimal of exactly scale decimals that is followed by a
// quote, and returns the offset behind the quote.
//
// A number of at most eight characters is taken out of one word: the digits
// before the point and those behind it are moved together at its end, above them
// zeros. There is no loop whose length would have to be guessed by the machine.
func scanDecimal(b []byte, i int, scale uint8) (v int64, end int) {
	if len(b)-i <= 8 || scale == 0 {
		return scanLongDecimal(b, i, scale)
	}
	w := load8(b, i)
	n := bits.TrailingZeros64(others8(w)) &^ 7 // bits before the point
	last := n + 8 + 8*int(scale)               // bits before the quote
	if n == 0 || last > 64 {
		return scanLongDecimal(b, i, scale)
	}
	frac := w >> ((n + 8) & 63) << ((64 - 8*scale) & 63)
	end = i + last>>3
	if byte(w>>(n&63)) != point || others8(frac) != 0 || b[end] != '"' {
		return 0, differs
	}
	return int64(sum8(w<<((64-n)&63)>>((8*scale)&63) | frac)), end + 1
}

// scanLongDecimal is scanDecimal for a decimal of any length.
func scanLongDecimal(b []byte, i int, scale uint8) (v int64, end int) {
	u, j := uint64(0), i
	for _, c := range b[i:] {
		if c -= '0'; c > 9 {
			break
		}
		u = u*10 + uint64(c)
		j++
	}
	end = j + int(scale)
	if scale > 0 {
		end++
	}
	if j == i || end-i > maxDigits || end >= len(b) || b[end] != '"' {
		return 0, differs
	}
	if scale == 0 {
		return int64(u), end + 1
	}
	if b[j] != '.' {
		return 0, differs
	}
	if scale == 8 {
		w := load8(b, j+1)
		if others8(w) != 0 {
			return 0, differs
		}
		return int64(u*1e8 + sum8(w)), end + 1
	}
	for _, c := range b[j+1 : end] {
		if c -= '0'; c > 9 {
			return 0, differs
		}
		u = u*10 + uint64(c)
	}
	return int64(u), end + 1
}

// scanLevels reads `["P","Q"],…]` up to and with the closing bracket of the
// list, whose opening one is behind us, and appends the levels to dst.
func (l *listing) scanLevels(b []byte, i int, dst []core.Level) ([]core.Level, int) {
	if at(b, i, "]") {
		return dst, i + 1
	}
	for at(b, i, `["`) {
		p, j := scanDecimal(b, i+2, l.priceScale)
		if p <= 0 || !at(b, j, `,"`) {
			break
		}
		q, j := scanDecimal(b, j+2, l.qtyScale)
		switch {
		case j < 0:
			return dst, differs
		case at(b, j, "],"):
			dst = append(dst, core.Level{Price: core.Price(p), Qty: core.Qty(q)})
			i = j + 2
		case at(b, j, "]]"):
			return append(dst, core.Level{Price: core.Price(p), Qty: core.Qty(q)}), j + 2
		default:
			return dst, differs
		}
	}
	return dst, differs
}
