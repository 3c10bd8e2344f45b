package spectest

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync"
	"testing"
)

// Watch returns nc, the client's end of a WebSocket on which nothing was said yet, and
// holds what is said on it against the document until the test ends: the first messages
// each, and then one of many, so that the client stays a quick one. What is not text in
// one frame is not looked at.
func Watch(t testing.TB, nc net.Conn) net.Conn {
	if _, err := asyncAPI(); err != nil { // read before anybody waits for an answer
		t.Fatal(err)
	}
	w := &watched{Conn: nc, t: t}
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = true
	})
	w.out.each = w.socket.Sent
	w.in.each = w.received
	return w
}

// Unwatched returns the connection that Watch was given, or nc itself.
func Unwatched(nc net.Conn) net.Conn {
	if w, ok := nc.(*watched); ok {
		return w.Conn
	}
	return nc
}

// watched is a connection whose messages are looked at. Its reader and its writer may
// be two goroutines.
type watched struct {
	net.Conn
	t      testing.TB
	socket Socket
	out    frames // of the writer
	in     frames // of the reader
	seen   int    // messages, of the reader

	mu     sync.Mutex
	ended  bool // the test has ended
	writes sync.Mutex
}

// SetReadBuffer is that of a socket.
func (w *watched) SetReadBuffer(bytes int) error {
	if c, ok := w.Conn.(interface{ SetReadBuffer(bytes int) error }); ok {
		return c.SetReadBuffer(bytes)
	}
	return nil
}

const (
	// told bounds what is reported of one connection.
	told = 3
	// Of the messages of a connection the first each are looked at, then one of some.
	each = 512
	some = 32
)

func (w *watched) received(message []byte) {
	if w.seen++; w.seen > each && w.seen%some != 0 {
		return
	}
	err := w.socket.Received(message)
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.in.wrong++; !w.ended && w.in.wrong <= told {
		w.t.Errorf("not as the document says: %v\nmessage: %.1000s", err, message)
	}
}

// Read implements net.Conn.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.in.feed(b[:n])
	return n, err
}

// Write implements net.Conn. What it writes is looked at before: the answer cannot
// come sooner.
func (w *watched) Write(b []byte) (int, error) {
	w.writes.Lock()
	w.out.feed(b)
	w.writes.Unlock()
	return w.Conn.Write(b)
}

// frames takes the text messages out of one direction of a connection.
type frames struct {
	each  func(message []byte)
	buf   []byte
	begun bool // the handshake is over
	lost  bool // what follows is not understood
	wrong int
}

var endOfHeader = []byte("\r\n\r\n")

func (f *frames) feed(b []byte) {
	if f.lost {
		return
	}
	f.buf = append(f.buf, b...)
	if !f.begun {
		i := bytes.Index(f.buf, endOfHeader)
		if i < 0 {
			return
		}
		f.begun, f.buf = true, f.buf[i+len(endOfHeader):]
	}
	for {
		opcode, payload, n := frameOf(f.buf)
		if n == 0 {
			return
		}
		f.buf = f.buf[n:]
		switch opcode {
		case finalText:
			f.each(payload)
		case finalBinary, finalClose, finalPing, finalPong:
		default:
			f.lost = true
			return
		}
	}
}

// First bytes of frames that are whole messages.
const (
	finalText   = 0x81
	finalBinary = 0x82
	finalClose  = 0x88
	finalPing   = 0x89
	finalPong   = 0x8a
)

// frameOf reads the frame that b begins with: its first byte, its payload without the
// mask, and how many bytes it has, 0 when it is not whole.
func frameOf(b []byte) (first byte, payload []byte, n int) {
	if len(b) < 2 {
		return 0, nil, 0
	}
	size, head := uint64(b[1]&0x7f), 2
	switch size {
	case 126:
		head = 4
	case 127:
		head = 10
	}
	masked := b[1]&0x80 != 0
	key := head
	if masked {
		head += 4
	}
	if len(b) < head {
		return 0, nil, 0
	}
	switch size {
	case 126:
		size = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		size = binary.BigEndian.Uint64(b[2:])
	}
	if uint64(len(b)-head) < size {
		return 0, nil, 0
	}
	n = head + int(size)
	payload = bytes.Clone(b[head:n])
	if masked {
		for i := range payload {
			payload[i] ^= b[key+i%4]
		}
	}
	return b[0], payload, n
}
