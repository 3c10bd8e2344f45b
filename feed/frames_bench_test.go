package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"

	"qcat/core"
)

// BenchmarkFrames reads frames of 180 bytes into a callback, by this package and by
// fasthttp/websocket with a reused buffer: from memory, one frame a read or 50, and
// from a loopback socket to which the venue writes 50 at once. reads/frame are the
// reads of the source.
func BenchmarkFrames(b *testing.B) {
	one := fromVenue(0x81, strings.Repeat("x", 180))
	for _, batch := range []int{1, 50} {
		frames := []byte(strings.Repeat(one, batch))
		dialer := func(context.Context, string, string) (net.Conn, error) { return &repeating{each: frames}, nil }
		b.Run(fmt.Sprintf("memory/%d/ours", batch), func(b *testing.B) {
			conn := &repeating{each: frames}
			benchOurs(b, conn, conn)
		})
		b.Run(fmt.Sprintf("memory/%d/library", batch), func(b *testing.B) { benchLibrary(b, "ws://venue/", dialer) })
	}
	frames := []byte(strings.Repeat(one, 50))
	address, _ := rawVenue(b, false, func(conn net.Conn, key string) {
		fmt.Fprint(conn, answer(key))
		for {
			if _, err := conn.Write(frames); err != nil {
				return // the client has gone
			}
		}
	})
	b.Run("loopback/50/ours", func(b *testing.B) {
		conn, r, err := handshake(b.Context(), address, nil)
		if err != nil {
			b.Fatal(err)
		}
		benchOurs(b, conn, r)
	})
	b.Run("loopback/50/library", func(b *testing.B) { benchLibrary(b, address, (&net.Dialer{}).DialContext) })
}

// repeating is a connection from memory that gives the same bytes at each read, after
// it has agreed to a handshake if there is one.
type repeating struct {
	script
	each []byte
	left []byte
}

func (r *repeating) Read(p []byte) (int, error) {
	if len(r.in) > 0 {
		return r.script.Read(p)
	}
	if len(r.left) == 0 {
		r.left = r.each
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

func (r *repeating) Write(p []byte) (int, error) {
	r.in = agree(p)
	return len(p), nil
}

// readCounter is a connection that counts its reads, which are of from.
type readCounter struct {
	net.Conn
	from io.Reader
	n    int
}

func (r *readCounter) Read(p []byte) (int, error) {
	r.n++
	return r.from.Read(p)
}

func benchOurs(b *testing.B, conn net.Conn, r io.Reader) {
	clock := core.SystemClock()
	src := &readCounter{Conn: conn, from: r}
	c := newConnection(newSocket(conn, src, clock, 1<<20), policyOf(1<<20), clock.Now())
	defer c.sock.close()
	bytes := 0
	deliver := func(_ *connection, message []byte, _ core.Nanos) { bytes += len(message) }
	b.ReportAllocs()
	for b.Loop() {
		if err := c.readOne(deliver); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(src.n)/float64(b.N), "reads/frame")
}

// benchLibrary reads by the library as this package did before it had a reader.
func benchLibrary(b *testing.B, address string, dialer func(ctx context.Context, network, address string) (net.Conn, error)) {
	clock := core.SystemClock()
	var src *readCounter
	d := websocket.Dialer{ReadBufferSize: socketBuffer, NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer(ctx, network, address)
		src = &readCounter{Conn: conn, from: conn}
		return src, err
	}}
	ws, _, err := d.Dial(address, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer ws.Close()
	c := newConnection(nil, policyOf(1<<20), clock.Now())
	bytes := 0
	deliver := func(_ *connection, message []byte, _ core.Nanos) { bytes += len(message) }
	buf := make([]byte, socketBuffer)
	b.ReportAllocs()
	for b.Loop() {
		_, r, err := ws.NextReader()
		n := 0
		for err == nil {
			var m int
			m, err = r.Read(buf[n:])
			n += m
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
		rx := clock.Now()
		c.lastAny.Store(int64(rx))
		c.lastData.Store(int64(rx))
		if c.firstData.Load() == 0 {
			c.firstData.Store(int64(rx))
		}
		deliver(c, buf[:n], rx)
	}
	b.ReportMetric(float64(src.n)/float64(b.N), "reads/frame")
}
