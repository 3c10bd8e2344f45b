package main

import (
	"encoding/binary"
	"strconv"

	"qcat/api/hub"
)

// appendClientFrame appends a masked frame; a mask of zeros leaves the payload as it
// is.
func appendClientFrame(dst []byte, op byte, payload []byte) []byte {
	const fin, masked = 0x80, 0x80
	dst = append(dst, fin|op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, masked|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, masked|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, masked|127), uint64(n))
	}
	return append(append(dst, 0, 0, 0, 0), payload...)
}

// cutFrame returns the first frame of b, which is not masked, and what follows it;
// ok is false while it is not whole.
func cutFrame(b []byte) (op byte, payload, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, b, false
	}
	at, n := 2, int(b[1]&0x7f)
	switch n {
	case 126:
		if len(b) < 4 {
			return 0, nil, b, false
		}
		at, n = 4, int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if len(b) < 10 {
			return 0, nil, b, false
		}
		at, n = 10, int(binary.BigEndian.Uint64(b[2:]))
	}
	if len(b)-at < n {
		return 0, nil, b, false
	}
	return b[0] & 0x0f, b[at : at+n], b[at+n:], true
}

// What the ticks of the generator look like. Instrument k is S00000USDT with its
// number in five digits, and the id of a trade is its number among those of the
// instrument, from 1: event e is trade e/N + 1 of instrument e modulo N.
const (
	symbolFormat = "S%05dUSDT"
	symbolDigits = 5
	// tickHead is what a client's frame of a trade begins with, up to the digits.
	tickHead = `{"ch":"trade:binance-usdm:S`
	// tickSeq stands between the digits and the sequence number.
	tickSeq = `USDT","seq":`
)

// appendSymbol appends the name of instrument k.
func appendSymbol(dst []byte, first byte, k int, quote string) []byte {
	digits := [symbolDigits]byte{}
	for i := range digits {
		digits[symbolDigits-1-i] = byte('0' + k%10)
		k /= 10
	}
	return append(append(append(dst, first), digits[:]...), quote...)
}

// appendVenueTick appends trade id of instrument k as the venue's WebSocket sends
// it.
func appendVenueTick(dst []byte, k int, id uint64, millis int64) []byte {
	start := len(dst)
	dst = append(dst, hub.OpText|0x80, 126, 0, 0)
	dst = append(dst, `{"stream":"`...)
	dst = appendSymbol(dst, 's', k, "usdt")
	dst = append(dst, `@trade","data":{"e":"trade","E":`...)
	dst = strconv.AppendInt(dst, millis, 10)
	dst = append(dst, `,"T":`...)
	dst = strconv.AppendInt(dst, millis, 10)
	dst = append(dst, `,"s":"`...)
	dst = appendSymbol(dst, 'S', k, "USDT")
	dst = append(dst, `","t":`...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = append(dst, `,"p":"60000.`...)
	dst = append(dst, byte('0'+id%10), '0')
	dst = append(dst, `","q":"1.000","X":"MARKET","m":true}}`...)
	binary.BigEndian.PutUint16(dst[start+2:], uint16(len(dst)-start-4))
	return dst
}

// appendClientTick appends the same trade as the server sends it to its clients.
func appendClientTick(dst []byte, k int, id uint64, millis int64) []byte {
	start := len(dst)
	dst = append(dst, hub.OpText|0x80, 126, 0, 0)
	dst = append(dst, tickHead[:len(tickHead)-1]...)
	dst = appendSymbol(dst, 'S', k, tickSeq)
	dst = strconv.AppendUint(dst, id, 10)
	for _, key := range []string{`,"ets":`, `,"rts":`} {
		dst = append(dst, key...)
		dst = strconv.AppendInt(dst, millis, 10)
		dst = append(dst, "000000"...)
	}
	dst = append(dst, `,"data":{"p":"60000.`...)
	dst = append(dst, byte('0'+id%10), '0')
	dst = append(dst, `","q":"1.000","side":"sell","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = append(dst, "}}"...)
	binary.BigEndian.PutUint16(dst[start+2:], uint16(len(dst)-start-4))
	return dst
}

// tick is what a client reads out of a frame.
type tick struct {
	instrument int
	seq, id    uint64
}

// readTick reads the frame of a trade.
func readTick(b []byte) (t tick, ok bool) {
	const digitsAt, seqAt = len(tickHead), len(tickHead) + symbolDigits + len(tickSeq)
	if len(b) < seqAt+4 || string(b[:digitsAt]) != tickHead || string(b[digitsAt+symbolDigits:seqAt]) != tickSeq || string(b[len(b)-2:]) != "}}" {
		return t, false
	}
	for _, c := range b[digitsAt : digitsAt+symbolDigits] {
		t.instrument = t.instrument*10 + int(c-'0')
	}
	for _, c := range b[seqAt:] {
		if c < '0' || c > '9' {
			break
		}
		t.seq = t.seq*10 + uint64(c-'0')
	}
	scale := uint64(1)
	for i := len(b) - 3; i >= seqAt && b[i] >= '0' && b[i] <= '9'; i-- {
		t.id += scale * uint64(b[i]-'0')
		scale *= 10
	}
	return t, true
}
