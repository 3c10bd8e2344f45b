package frame

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Opcodes of RFC 6455, section 11.8. Those from OpClose on are control frames.
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xA
)

// Codes of closing frames that this package's errors carry.
const (
	CodeNormal   = 1000
	CodeProtocol = 1002
	// CodeNone stands for a closing frame without a code. It is never sent.
	CodeNone   = 1005
	CodeTooBig = 1009
)

const (
	// MaxControl is the longest payload of a control frame.
	MaxControl = 125
	// maxHeader is the longest header of a masked frame.
	maxHeader = 14

	finBit   = 0x80
	rsvBits  = 0x70
	opBits   = 0x0f
	maskBit  = 0x80
	sizeBits = 0x7f
	size16   = 126 // two bytes of length follow
	size64   = 127 // eight bytes of length follow
)

// Error is a violation of the protocol, or of the bound on a message: what a
// closing frame should say of it.
type Error struct {
	Code uint16
	Text string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("websocket: %d %s", e.Code, e.Text) }

// What a peer can do wrong. They are shared: nobody changes them.
var (
	errReserved     = &Error{CodeProtocol, "reserved bits are set"}
	errMasked       = &Error{CodeProtocol, "frame is masked"}
	errNotMasked    = &Error{CodeProtocol, "frame is not masked"}
	errNothing      = &Error{CodeProtocol, "continuation of nothing"}
	errInterleaved  = &Error{CodeProtocol, "new message within a fragmented one"}
	errControl      = &Error{CodeProtocol, "control frame is fragmented or too long"}
	errOpcode       = &Error{CodeProtocol, "unknown opcode"}
	errTooBig       = &Error{CodeTooBig, "message too big"}
	errClosePayload = &Error{CodeProtocol, "bad closing frame"}
)

// ParseClose reads the payload of a closing frame. Without one the code is CodeNone.
// text is a part of payload.
//
// Errors: an *Error when the payload is half a code, a code that may not be sent, or
// a text that is not UTF-8.
func ParseClose(payload []byte) (code uint16, text []byte, err error) {
	switch {
	case len(payload) == 0:
		return CodeNone, nil, nil
	case len(payload) == 1 || !utf8.Valid(payload[2:]):
		return 0, nil, errClosePayload
	}
	code = binary.BigEndian.Uint16(payload)
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code < 5000:
		return code, payload[2:], nil
	}
	return 0, nil, errClosePayload
}

// AppendClose appends the payload of a closing frame. A text that is too long for it
// is cut.
func AppendClose(dst []byte, code uint16, text string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, code)
	return append(dst, text[:min(len(text), MaxControl-2)]...)
}

// AppendMasked appends a whole frame with its payload masked by key, as a client
// sends it. The key has to be one that nobody can foresee.
func AppendMasked(dst []byte, op byte, key [4]byte, payload []byte) []byte {
	dst = append(dst, finBit|op)
	switch n := len(payload); {
	case n < size16:
		dst = append(dst, maskBit|byte(n))
	case n < 1<<16:
		dst = append(dst, maskBit|size16)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, maskBit|size64)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = append(dst, key[:]...)
	dst = append(dst, payload...)
	Mask(dst[len(dst)-len(payload):], key)
	return dst
}

// Mask masks b by key, or takes the mask off (RFC 6455, 5.3), eight bytes at a time.
func Mask(b []byte, key [4]byte) {
	m := uint64(binary.LittleEndian.Uint32(key[:]))
	m |= m << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^m)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= key[i&3]
	}
}
