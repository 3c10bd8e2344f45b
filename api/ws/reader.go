package ws

import (
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf8"

	"qcat/api/hub"
)

const (
	// minBuffer is what a connection reads into while it says little, and readBuffer
	// once a read has filled that.
	minBuffer  = 512
	readBuffer = 2 << 10
	// maxHeader is the longest header of a masked frame.
	maxHeader = 14
)

// frameError is a violation of the protocol, and the closing frame that says so.
type frameError struct{ hub.Disconnect }

func (e *frameError) Error() string { return "websocket: " + e.String() }

func violation(text string) error {
	return &frameError{hub.Disconnect{Code: hub.ProtocolError.Code, Text: text}}
}

var (
	errTooBig  = &frameError{hub.MessageTooBig}
	errNotUTF8 = &frameError{hub.InvalidPayload}
)

// message is one whole message, or one control frame. data is valid until the
// next call of next.
type message struct {
	op   byte
	data []byte
}

// frameReader reads the frames a client sends: masked, possibly fragmented,
// control frames possibly between the fragments of a message. It allocates only
// when a message is larger than any before it. One goroutine.
type frameReader struct {
	r     io.Reader
	limit int // bytes of a message

	buf        []byte
	start, end int // what was read and not used yet

	frag   []byte // the fragments so far
	fragOp byte   // 0: no message is open
}

// newFrameReader reads from r what comes after ahead.
func newFrameReader(r io.Reader, limit int, ahead []byte) *frameReader {
	f := &frameReader{r: r, limit: limit, buf: make([]byte, max(minBuffer, len(ahead)))}
	f.end = copy(f.buf, ahead)
	return f
}

// next returns the next message or control frame.
//
// Errors: a *frameError for a violation, else what the connection reported;
// io.EOF between frames is io.EOF.
func (f *frameReader) next() (message, error) {
	for {
		h, err := f.header()
		if err != nil {
			return message{}, err
		}
		data, err := f.payload(&h)
		if err != nil {
			return message{}, err
		}
		if h.op >= hub.OpClose {
			return message{h.op, data}, nil
		}
		if m, whole, err := f.assemble(&h, data); whole || err != nil {
			return m, err
		}
	}
}

// header is the head of a frame.
//
//	byte 0: FIN RSV1 RSV2 RSV3 opcode(4)
//	byte 1: MASK length(7), then 0, 2 or 8 bytes of length, then 4 of mask
type header struct {
	fin  bool
	op   byte
	size int
	mask [4]byte
}

func (f *frameReader) header() (h header, err error) {
	if err := f.fill(2); err != nil {
		return h, err
	}
	b0, b1 := f.buf[f.start], f.buf[f.start+1]
	h.fin, h.op = b0&0x80 != 0, b0&0x0f
	switch {
	case b0&0x70 != 0:
		return h, violation("reserved bits are set")
	case b1&0x80 == 0:
		return h, violation("frame is not masked")
	}
	if err := f.checkOrder(h.op, h.fin, b1&0x7f); err != nil {
		return h, err
	}
	ext := 0
	switch b1 & 0x7f {
	case 126:
		ext = 2
	case 127:
		ext = 8
	}
	if err := f.fill(2 + ext + 4); err != nil {
		return h, unexpected(err)
	}
	p := f.buf[f.start+2:]
	size := uint64(b1 & 0x7f)
	switch ext {
	case 2:
		size = uint64(binary.BigEndian.Uint16(p))
	case 8:
		size = binary.BigEndian.Uint64(p)
	}
	if size > uint64(f.limit-len(f.frag)) && h.op < hub.OpClose {
		return h, errTooBig
	}
	h.size = int(size)
	copy(h.mask[:], p[ext:])
	f.start += 2 + ext + 4
	return h, nil
}

// checkOrder holds an opcode against what may come now.
func (f *frameReader) checkOrder(op byte, fin bool, length byte) error {
	switch op {
	case hub.OpContinuation:
		if f.fragOp == 0 {
			return violation("continuation of nothing")
		}
	case hub.OpText, hub.OpBinary:
		if f.fragOp != 0 {
			return violation("new message within a fragmented one")
		}
	case hub.OpClose, hub.OpPing, hub.OpPong:
		if !fin || length > hub.MaxControl {
			return violation("control frame is fragmented or too long")
		}
	default:
		return violation("unknown opcode")
	}
	return nil
}

// payload reads and unmasks the payload of h, in place.
func (f *frameReader) payload(h *header) ([]byte, error) {
	if err := f.fill(h.size); err != nil {
		return nil, unexpected(err)
	}
	data := f.buf[f.start : f.start+h.size]
	f.start += h.size
	unmask(data, h.mask)
	return data, nil
}

// assemble puts a data frame to the fragments before it.
func (f *frameReader) assemble(h *header, data []byte) (m message, whole bool, err error) {
	op := h.op
	if op == hub.OpContinuation || !h.fin {
		if op != hub.OpContinuation {
			f.fragOp = op
			f.frag = f.frag[:0]
		}
		f.frag = append(f.frag, data...)
		if !h.fin {
			return m, false, nil
		}
		op, data = f.fragOp, f.frag
		f.fragOp = 0
		f.frag = f.frag[:0] // data keeps the bytes until the next call
		if cap(f.frag) > readBuffer {
			f.frag = nil
		}
	}
	if op == hub.OpText && !utf8.Valid(data) {
		return m, false, errNotUTF8
	}
	return message{op, data}, true, nil
}

// fill makes at least n bytes available from start. The buffer grows to what a
// message needs and shrinks again when it is empty.
func (f *frameReader) fill(n int) error {
	if f.end-f.start >= n {
		return nil
	}
	if f.start == f.end && cap(f.buf) > readBuffer && n <= readBuffer {
		f.buf = make([]byte, readBuffer)
		f.start, f.end = 0, 0
	}
	if n > len(f.buf)-f.start {
		into := f.buf
		if n > len(into) {
			into = make([]byte, n+maxHeader)
		}
		f.end = copy(into, f.buf[f.start:f.end])
		f.start, f.buf = 0, into
	}
	for f.end-f.start < n {
		got, err := f.r.Read(f.buf[f.end:])
		f.end += got
		if f.end == len(f.buf) && len(f.buf) < readBuffer {
			f.buf = append(make([]byte, 0, readBuffer), f.buf...)[:readBuffer]
		}
		if err != nil && f.end-f.start < n {
			return err
		}
	}
	return nil
}

// unexpected turns an end within a frame into io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// unmask applies the client's mask (RFC 6455, 5.3), eight bytes at a time.
func unmask(b []byte, mask [4]byte) {
	m := uint64(binary.LittleEndian.Uint32(mask[:]))
	m |= m << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^m)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= mask[i&3]
	}
}
