package hub

import (
	"encoding/binary"

	"qcat/core/frame"
)

// Opcodes of RFC 6455, section 11.8.
const (
	OpContinuation = frame.OpContinuation
	OpText         = frame.OpText
	OpBinary       = frame.OpBinary
	OpClose        = frame.OpClose
	OpPing         = frame.OpPing
	OpPong         = frame.OpPong
)

const (
	finBit = 0x80
	// headRoom is the longest header of an unmasked frame:
	//
	//	byte  0        1        2..3 or 2..9
	//	      FIN|op   length   length ≥ 126, 16 or 64 bits, big endian
	headRoom = 10
	// MaxControl is the longest payload of a control frame.
	MaxControl = frame.MaxControl
)

// BeginFrame empties b and leaves room for a header: append the payload, then
// call EndFrame.
func BeginFrame(b []byte) []byte { return append(b[:0], make([]byte, headRoom)...) }

// EndFrame puts the header before the payload that was appended after BeginFrame
// and returns the whole frame, a part of b.
func EndFrame(b []byte, op byte) []byte {
	n := len(b) - headRoom
	at := headRoom - 2
	switch {
	case n < 126:
		b[at+1] = byte(n)
	case n < 1<<16:
		at -= 2
		b[at+1] = 126
		binary.BigEndian.PutUint16(b[at+2:], uint16(n))
	default:
		at -= 8
		b[at+1] = 127
		binary.BigEndian.PutUint64(b[at+2:], uint64(n))
	}
	b[at] = finBit | op
	return b[at:]
}

// AppendControl appends a control frame. It panics when the payload is longer
// than MaxControl.
func AppendControl(dst []byte, op byte, payload []byte) []byte {
	if len(payload) > MaxControl {
		panic("api/hub: control payload too long")
	}
	dst = append(dst, finBit|op, byte(len(payload)))
	return append(dst, payload...)
}

// AppendClose appends the closing frame of d.
func AppendClose(dst []byte, d Disconnect) []byte {
	text := d.Text[:min(len(d.Text), MaxControl-2)]
	dst = append(dst, finBit|OpClose, byte(2+len(text)))
	dst = binary.BigEndian.AppendUint16(dst, d.Code)
	return append(dst, text...)
}
