package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/core"
)

// Sizes of a connection's buffers in bytes.
const (
	socketBuffer = 64 << 10
	frameBuffer  = 64 << 10
	// maxParked bounds what a connection keeps before it takes over.
	maxParked = 32 << 20
)

// writeTimeout bounds each write; what we write is small.
const writeTimeout = 5 * time.Second

// ErrConnection is wrapped by the errors that end a connection.
var ErrConnection = errors.New("feed connection")

// connection is one WebSocket connection to the venue and its reader goroutine.
type connection struct {
	ws     *websocket.Conn
	clock  core.Clock
	limit  int
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
	d := websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: p.DialTimeout,
		ReadBufferSize:   socketBuffer,
	}
	ws, resp, err := d.DialContext(ctx, url, nil) //nolint:bodyclose // after a handshake there is no body; of a refusal the library has read it
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("%w: %s: HTTP status %d: %w", ErrConnection, url, resp.StatusCode, err)
		}
		return nil, fmt.Errorf("%w: %s: %w", ErrConnection, url, err)
	}
	now := clock.Now()
	c := &connection{
		ws: ws, clock: clock, limit: p.ReadLimit, done: make(chan struct{}),
		opened: now, pinged: now,
		expires: after(now, p.MaxAge-time.Duration(rand.Int64N(int64(p.MaxAge/16)+1))),
	}
	c.lastAny.Store(int64(now))
	c.lastData.Store(int64(now))
	ws.SetReadLimit(int64(p.ReadLimit))
	ws.SetPingHandler(c.pong)
	ws.SetPongHandler(func(string) error {
		c.lastAny.Store(int64(clock.Now()))
		return nil
	})
	return c, nil
}

// pong answers a ping of the venue's. It runs on the reader goroutine.
func (c *connection) pong(data string) error {
	c.lastAny.Store(int64(c.clock.Now()))
	err := c.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
	if errors.Is(err, websocket.ErrCloseSent) {
		return nil
	}
	return err
}

// ping sends a ping. It runs on the supervisor.
func (c *connection) ping(now core.Nanos) error {
	c.pinged = now
	return c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
}

// read hands each data frame to deliver until the connection ends. The frame's
// memory is reused.
func (c *connection) read(deliver func(c *connection, frame []byte, rx core.Nanos)) {
	defer close(c.done)
	defer func() { _ = c.ws.Close() }() // it has ended already
	buf := make([]byte, frameBuffer)
	for {
		_, r, err := c.ws.NextReader()
		if err != nil {
			c.err = fmt.Errorf("%w: %w", ErrConnection, err)
			return
		}
		var n int
		n, buf, err = readFrame(r, buf, c.limit)
		if err != nil {
			c.err = fmt.Errorf("%w: %w", ErrConnection, err)
			return
		}
		rx := c.clock.Now()
		c.lastAny.Store(int64(rx))
		c.lastData.Store(int64(rx))
		if c.firstData.Load() == 0 {
			c.firstData.Store(int64(rx))
		}
		deliver(c, buf[:n], rx)
	}
}

// readFrame reads one message of at most limit bytes into buf, grown if needed.
func readFrame(r io.Reader, buf []byte, limit int) (int, []byte, error) {
	n := 0
	for {
		if n == len(buf) {
			if n >= limit {
				return n, buf, fmt.Errorf("a frame of more than %d bytes", limit)
			}
			buf = append(buf, make([]byte, min(len(buf), limit-len(buf)))...)
		}
		m, err := r.Read(buf[n:])
		n += m
		if errors.Is(err, io.EOF) {
			return n, buf, nil
		}
		if err != nil {
			return n, buf, err
		}
	}
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
		if err := c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return fmt.Errorf("%w: %w", ErrConnection, err)
		}
		if err := c.ws.WriteMessage(websocket.TextMessage, f); err != nil {
			return fmt.Errorf("%w: subscribe: %w", ErrConnection, err)
		}
	}
	return nil
}

// shut says goodbye, closes the socket and waits for the reader.
func (c *connection) shut() {
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	// The other side may be gone already; closing is what matters.
	_ = c.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
	_ = c.ws.Close()
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
