package frame

import (
	"encoding/binary"
	"errors"
	"io"
)

// Config says whose frames a Reader reads and how much memory it may take, in bytes.
type Config struct {
	// Masked: the frames must be masked, for they come from a client. Else they
	// must not be.
	Masked bool
	// Limit bounds a message, its fragments together.
	Limit int
	// Small is the buffer to begin with, and Large what it becomes once a read has
	// filled it. It grows further only for a message that needs more, and only as
	// the message's bytes arrive.
	Small, Large int
	// Keep is the largest buffer that is kept when it is empty; a larger one, which
	// one message needed, is given up for one of Large.
	Keep int
}

// Message is one whole message, or one control frame. Data is valid until the next
// call of Next.
type Message struct {
	Op   byte
	Data []byte
}

// Reader reads what one side sends: messages, possibly fragmented, with control
// frames possibly between the fragments. It allocates only when a buffer grows or
// is given up. One goroutine.
type Reader struct {
	src io.Reader
	cfg Config

	buf        []byte
	start, end int // what was read and not used yet

	frag   []byte // the fragments so far
	fragOp byte   // 0: no message is open
}

// NewReader returns a reader of src, of which ahead has been read already.
func NewReader(src io.Reader, cfg Config, ahead []byte) *Reader {
	r := &Reader{src: src, cfg: cfg, buf: make([]byte, max(cfg.Small, len(ahead), maxHeader))}
	r.end = copy(r.buf, ahead)
	return r
}

// Next returns the next message or control frame. It reads from the source only
// when what it has read before does not hold a whole one.
//
// Errors: an *Error for a violation, else what the source reported; io.EOF is an end
// between frames, io.ErrUnexpectedEOF one within. After an error there is no next.
func (r *Reader) Next() (Message, error) {
	for {
		h, err := r.header()
		if err != nil {
			return Message{}, err
		}
		if err := r.fill(h.size); err != nil {
			return Message{}, unexpected(err)
		}
		data := r.buf[r.start : r.start+h.size]
		r.start += h.size
		if r.cfg.Masked {
			Mask(data, h.key)
		}
		if h.op >= OpClose || h.fin && h.op != OpContinuation {
			return Message{h.op, data}, nil
		}
		if m, whole := r.assemble(h, data); whole {
			return m, nil
		}
	}
}

// header is the head of a frame.
type header struct {
	size int
	key  [4]byte
	op   byte
	fin  bool
}

// header reads the next frame's head.
func (r *Reader) header() (h header, err error) {
	if err := r.fill(2); err != nil {
		if r.end > r.start {
			err = unexpected(err)
		}
		return h, err
	}
	b0, b1 := r.buf[r.start], r.buf[r.start+1]
	h.fin, h.op = b0&finBit != 0, b0&opBits
	if err := r.check(b0, b1); err != nil {
		return h, err
	}
	n := 2 // bytes of the head
	if r.cfg.Masked {
		n += len(h.key)
	}
	size := uint64(b1 & sizeBits)
	switch size {
	case size16:
		if err := r.fill(n + 2); err != nil {
			return h, unexpected(err)
		}
		size = uint64(binary.BigEndian.Uint16(r.buf[r.start+2:]))
		n += 2
	case size64:
		if err := r.fill(n + 8); err != nil {
			return h, unexpected(err)
		}
		size = binary.BigEndian.Uint64(r.buf[r.start+2:])
		n += 8
	default:
		if err := r.fill(n); err != nil {
			return h, unexpected(err)
		}
	}
	if size > uint64(r.cfg.Limit-len(r.frag)) && h.op < OpClose {
		return h, errTooBig
	}
	h.size = int(size)
	r.start += n
	if r.cfg.Masked {
		copy(h.key[:], r.buf[r.start-len(h.key):])
	}
	return h, nil
}

// check holds a frame's first two bytes against what may come now.
func (r *Reader) check(b0, b1 byte) error {
	if b0&rsvBits != 0 {
		return errReserved
	}
	if masked := b1&maskBit != 0; masked != r.cfg.Masked {
		if masked {
			return errMasked
		}
		return errNotMasked
	}
	switch b0 & opBits {
	case OpText, OpBinary:
		if r.fragOp != 0 {
			return errInterleaved
		}
	case OpContinuation:
		if r.fragOp == 0 {
			return errNothing
		}
	case OpClose, OpPing, OpPong:
		if b0&finBit == 0 || b1&sizeBits > MaxControl {
			return errControl
		}
	default:
		return errOpcode
	}
	return nil
}

// assemble puts a fragment to those before it, and returns the message when it is
// whole.
func (r *Reader) assemble(h header, data []byte) (m Message, whole bool) {
	if h.op != OpContinuation {
		r.fragOp = h.op
	}
	r.frag = append(r.frag, data...)
	if !h.fin {
		return m, false
	}
	m = Message{r.fragOp, r.frag}
	r.fragOp = 0
	r.frag = r.frag[:0] // the message keeps the bytes until the next call
	if cap(r.frag) > r.cfg.Keep {
		r.frag = nil
	}
	return m, true
}

// fill makes at least n bytes available from start. What is there moves to the
// buffer's front before anything is read, so that a read has all the room there is.
func (r *Reader) fill(n int) error {
	if r.end-r.start >= n {
		return nil
	}
	if r.start == r.end && len(r.buf) > r.cfg.Keep && n <= r.cfg.Large {
		r.buf = make([]byte, r.cfg.Large)
	} else {
		copy(r.buf, r.buf[r.start:r.end])
	}
	r.start, r.end = 0, r.end-r.start
	for r.end < n {
		if r.end == len(r.buf) {
			r.grow(min(n+maxHeader, 2*len(r.buf)))
		}
		got, err := r.src.Read(r.buf[r.end:])
		r.end += got
		if r.end == len(r.buf) && len(r.buf) < r.cfg.Large {
			r.grow(r.cfg.Large)
		}
		if err != nil && r.end < n { // else the next read reports it again
			return err
		}
	}
	return nil
}

// grow moves what was read to a buffer of size bytes.
func (r *Reader) grow(size int) {
	into := make([]byte, size)
	copy(into, r.buf[:r.end])
	r.buf = into
}

// unexpected turns an end within a frame into io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
