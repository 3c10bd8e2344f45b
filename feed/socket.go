package feed

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"qcat/core"
	"qcat/core/frame"
)

// socketBuffer is what one system call reads at most, in bytes, unless a message was
// larger.
const socketBuffer = 64 << 10

// errGoodbye says that a closing frame was sent, or that a frame was sent in part:
// nothing may follow either.
var errGoodbye = errors.New("nothing more can be written")

// socket is an open WebSocket, a client's end. Frames are read by one goroutine and
// written by any.
type socket struct {
	frames *frame.Reader // the reader's goroutine only
	bytes  stamped       // what frames reads from

	conn net.Conn // to be closed by any goroutine, at any time

	mu  sync.Mutex // guards what is below, and the order of frames
	out []byte     // the frame being sent
	key [4]byte    // its mask
	end bool       // nothing more can be written
}

// newSocket returns the socket of a connection whose bytes come from r.
func newSocket(conn net.Conn, r io.Reader, clock core.Clock, limit int) *socket {
	s := &socket{conn: conn, bytes: stamped{r: r, clock: clock}}
	s.frames = frame.NewReader(&s.bytes, frame.Config{
		Limit: limit, Small: socketBuffer, Large: socketBuffer, Keep: limit + socketBuffer,
	}, nil)
	return s
}

// stamped remembers when the bytes that it read last had come. Frames that come in
// one read have one receive time, however long those before them took.
type stamped struct {
	r     io.Reader
	clock core.Clock
	at    core.Nanos
}

// Read implements io.Reader.
func (s *stamped) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.at = s.clock.Now()
	return n, err
}

// next returns the next message or control frame, and when its last byte was read.
// The message is valid until the next call.
func (s *socket) next() (frame.Message, core.Nanos, error) {
	m, err := s.frames.Next()
	return m, s.bytes.at, err
}

// write sends one frame, for at most as long as timeout.
//
// Errors: errGoodbye after a closing frame or an error; else the connection's.
func (s *socket) write(op byte, payload []byte, timeout time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end {
		return errGoodbye
	}
	_, _ = rand.Read(s.key[:]) // it never fails
	s.out = frame.AppendMasked(s.out[:0], op, s.key, payload)
	err := s.conn.SetWriteDeadline(time.Now().Add(timeout))
	if err == nil {
		_, err = s.conn.Write(s.out)
	}
	s.end = err != nil || op == frame.OpClose
	return err
}

// bye sends a closing frame. The other side may be gone, or have had one: what
// matters is that the connection is closed then.
func (s *socket) bye(code uint16, text string) {
	_ = s.write(frame.OpClose, frame.AppendClose(nil, code, text), controlTimeout)
}

// close cuts the connection; its reader ends.
func (s *socket) close() { _ = s.conn.Close() }
