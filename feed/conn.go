package feed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"qcat/core"
	"qcat/core/frame"
)

// maxParked bounds what a connection keeps before it takes over, in bytes.
const maxParked = 32 << 20

// Bounds of a subscription's write, and of a ping's, a pong's or a goodbye's.
const (
	writeTimeout   = 5 * time.Second
	controlTimeout = time.Second
)

// ErrConnection is wrapped by the errors that end a connection.
var ErrConnection = errors.New("feed connection")

// connection is one WebSocket connection to the venue and its reader goroutine.
type connection struct {
	sock   *socket
	opened core.Nanos
	// expires is when the connection is to be replaced: up to a sixteenth before
	// its time, so that connections made together are not replaced together.
	expires core.Nanos
	pinged  core.Nanos // by the supervisor, when it last did

	lastAny   atomic.Int64 // receive time of the last frame of any kind
	lastData  atomic.Int64 // of the last data frame
	firstData atomic.Int64 // of the first data frame, 0 for none

	// Guarded by Session.mu.
	role   connRole
	parked parkedFrames

	done chan struct{} // closed when the reader has ended
	err  error         // why; readable once done is closed
}

// connRole is what becomes of a connection's frames.
type connRole uint8

const (
	// roleParked keeps the frames until the connection takes over.
	roleParked connRole = iota
	// roleActive applies the frames to the lane.
	roleActive
	// roleRetired drops the frames: another connection has taken over.
	roleRetired
)

// dial opens a connection. The caller starts its reader.
func dial(ctx context.Context, url string, p ConnPolicy, clock core.Clock) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, p.DialTimeout)
	defer cancel()
	conn, r, err := handshake(ctx, url, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrConnection, url, err)
	}
	return newConnection(newSocket(conn, r, clock, p.ReadLimit), p, clock.Now()), nil
}

// newConnection returns the connection that was opened at now.
func newConnection(sock *socket, p ConnPolicy, now core.Nanos) *connection {
	c := &connection{
		sock: sock, done: make(chan struct{}),
		opened: now, pinged: now,
		expires: after(now, p.MaxAge-time.Duration(rand.Int64N(int64(p.MaxAge/16)+1))),
	}
	c.lastAny.Store(int64(now))
	c.lastData.Store(int64(now))
	return c
}

// ping sends a ping. It runs on the supervisor.
func (c *connection) ping(now core.Nanos) error {
	c.pinged = now
	return c.sock.write(frame.OpPing, nil, controlTimeout)
}

// read hands each data message to deliver until the connection ends. The message's
// memory is reused.
func (c *connection) read(deliver func(c *connection, message []byte, rx core.Nanos)) {
	defer close(c.done)
	defer c.sock.close()
	for {
		if err := c.readOne(deliver); err != nil {
			c.err = fmt.Errorf("%w: %w", ErrConnection, err)
			return
		}
	}
}

// readOne reads one message or control frame and does what it asks for.
func (c *connection) readOne(deliver func(c *connection, message []byte, rx core.Nanos)) error {
	m, rx, err := c.sock.next()
	if err != nil {
		return c.refuse(err)
	}
	c.lastAny.Store(int64(rx))
	switch m.Op {
	case frame.OpText, frame.OpBinary:
		c.lastData.Store(int64(rx))
		if c.firstData.Load() == 0 {
			c.firstData.Store(int64(rx))
		}
		deliver(c, m.Data, rx)
	case frame.OpPing:
		if err := c.sock.write(frame.OpPong, m.Data, controlTimeout); err != nil && !errors.Is(err, errGoodbye) {
			return err
		}
	case frame.OpClose:
		return c.closed(m.Data)
	}
	return nil
}

// refuse tells the venue of a violation, if err is one, and returns err.
func (c *connection) refuse(err error) error {
	var violation *frame.Error
	if errors.As(err, &violation) {
		c.sock.bye(violation.Code, violation.Text)
	}
	return err
}

// closed answers the venue's closing frame with its own code, and returns it as the
// error that ends the connection.
func (c *connection) closed(payload []byte) error {
	code, text, err := frame.ParseClose(payload)
	if err != nil {
		return c.refuse(err)
	}
	if code == frame.CodeNone {
		c.sock.bye(frame.CodeNormal, "")
	} else {
		c.sock.bye(code, "")
	}
	return fmt.Errorf("closed by the venue: %d %q", code, text)
}

// overdue returns why the connection counts as dead at now, nil if it does not.
func (c *connection) overdue(now core.Nanos, p ConnPolicy) error {
	if idle := time.Duration(now) - time.Duration(c.lastAny.Load()); idle > p.IdleTimeout {
		return fmt.Errorf("%w: nothing received for %v", ErrConnection, idle)
	}
	if idle := time.Duration(now) - time.Duration(c.lastData.Load()); p.DataTimeout > 0 && idle > p.DataTimeout {
		return fmt.Errorf("%w: no data received for %v", ErrConnection, idle)
	}
	return nil
}

// subscribe sends the venue's subscription frames, spaced as it wants them.
func (c *connection) subscribe(ctx context.Context, frames [][]byte, interval time.Duration) error {
	for i, f := range frames {
		if i > 0 {
			if err := sleep(ctx, interval); err != nil {
				return err
			}
		}
		if err := c.sock.write(frame.OpText, f, writeTimeout); err != nil {
			return fmt.Errorf("%w: subscribe: %w", ErrConnection, err)
		}
	}
	return nil
}

// shut says goodbye, closes the socket and waits for the reader.
func (c *connection) shut() {
	c.sock.bye(frame.CodeNormal, "")
	c.sock.close()
	<-c.done
}

// parkedFrames keeps copies of frames with their receive times, in order.
type parkedFrames struct {
	bytes []byte
	ends  []int
	times []core.Nanos
}

// put keeps a copy of frame, and returns false when there is no more room.
func (p *parkedFrames) put(frame []byte, rx core.Nanos) bool {
	if len(p.bytes)+len(frame) > maxParked {
		return false
	}
	p.bytes = append(p.bytes, frame...)
	p.ends = append(p.ends, len(p.bytes))
	p.times = append(p.times, rx)
	return true
}

// drain hands the frames to f, oldest first, and frees them.
func (p *parkedFrames) drain(f func(frame []byte, rx core.Nanos)) {
	start := 0
	for i, end := range p.ends {
		f(p.bytes[start:end], p.times[i])
		start = end
	}
	*p = parkedFrames{}
}
