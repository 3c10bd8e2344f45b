//go:build unix

package hub

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"qcat/core"
)

// pair returns the two ends of a connection on loopback, whose kernel buffers are
// small.
func pair(t testing.TB) (server, client *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server, client = s.(*net.TCPConn), c.(*net.TCPConn)
	_ = client.SetReadBuffer(32 << 10) // a larger one tests less
	t.Cleanup(func() { _ = client.Close() })
	return server, client
}

func smallBuffers(c *Config) { c.SocketBuffer = 16 << 10 }

// textFrame is a frame of n bytes that differs from others.
func textFrame(rnd *rand.Rand, n int) []byte {
	b := BeginFrame(nil)
	for range n {
		b = append(b, byte('a'+rnd.IntN(26)))
	}
	return EndFrame(b, OpText)
}

// TestSlowReaderHasEveryByteInOrder: frames of all sizes from two goroutines to a
// client that reads little at a time: writes that are taken whole, in part and not at
// all follow one another, and nothing is lost, repeated or out of order.
func TestSlowReaderHasEveryByteInOrder(t *testing.T) {
	const frames = 80
	seed := rand.Uint64()
	r := newRig(t, smallBuffers)
	server, client := pair(t)
	c := r.attach(t, server)
	c.hub.cfg.HardBound = 1 << 30

	var want [2][]byte
	var wg sync.WaitGroup
	for who := range want {
		rnd := rand.New(rand.NewPCG(seed, uint64(who)))
		var list [][]byte
		for range frames {
			f := textFrame(rnd, []int{10, 200, 3000, 2 * directMax}[rnd.IntN(4)])
			f[len(f)-1] = byte('0' + who)
			list, want[who] = append(list, f), append(want[who], f...)
		}
		wg.Go(func() {
			for _, f := range list {
				if !c.Send(f) {
					t.Error("a frame was not taken")
				}
			}
		})
	}
	var got [2][]byte
	rnd := rand.New(rand.NewPCG(seed, 2))
	var stream []byte
	for total := len(want[0]) + len(want[1]); len(stream) < total; {
		chunk := make([]byte, 1+rnd.IntN(8000))
		n, err := client.Read(chunk)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		stream = append(stream, chunk[:n]...)
	}
	wg.Wait()
	for len(stream) > 0 {
		n := frameLen(stream)
		who := stream[n-1] - '0'
		if who > 1 {
			t.Fatalf("seed %d: a torn frame", seed)
		}
		got[who] = append(got[who], stream[:n]...)
		stream = stream[n:]
	}
	for who := range want {
		if !bytes.Equal(got[who], want[who]) {
			t.Fatalf("seed %d: what goroutine %d sent came as something else", seed, who)
		}
	}
}

// TestStuckClientDelaysNobody (I5): of two subscribers one does not read. The other
// has every quote as soon as its cycle is over, what waits for the first is bounded,
// and once it reads it ends with the latest quote.
func TestStuckClientDelaysNobody(t *testing.T) {
	const quotes = 3000
	r := newRig(t, func(c *Config) { c.SocketBuffer, c.SoftBound = 16<<10, 16<<10 })
	stuckServer, stuckClient := pair(t)
	server, client := pair(t)
	stuck := r.attach(t, stuckServer, BBO)
	r.attach(t, server, BBO)
	in := newFrames(client)
	for i := range quotes {
		ev := quoteOf(r.in.ID, core.Nanos(i+1))
		r.ring.Publish(&ev)
		r.cycle()
		if f := in.next(t); f.Rts != int64(i+1) {
			t.Fatalf("quote %d came as %d", i+1, f.Rts)
		}
		stuck.mu.Lock()
		waits := len(stuck.pending) + len(stuck.rest)
		stuck.mu.Unlock()
		if waits > 2*(16<<10)+1024 {
			t.Fatalf("%d bytes wait for the client that does not read", waits)
		}
	}
	if s := r.Stats(); s.Conflated == 0 || s.Delivered+s.Conflated != 2*quotes {
		t.Fatalf("%d delivered, %d conflated", s.Delivered, s.Conflated)
	}
	late, last := newFrames(stuckClient), int64(0)
	for end := time.Now().Add(20 * time.Second); last < quotes; {
		if time.Now().After(end) {
			t.Fatalf("the last quote it has is %d", last)
		}
		f := late.next(t)
		if f.Rts <= last {
			t.Fatalf("quote %d after %d", f.Rts, last)
		}
		last = f.Rts
		r.cycle()
	}
}

// lateConn is not closed before it may be.
type lateConn struct {
	*sinkConn
	may chan struct{}
}

func (l *lateConn) Close() error {
	<-l.may
	return l.sinkConn.Close()
}

// TestDeadClientDelaysNobody (I5): who finds that a client is gone does not wait until
// its socket is closed.
func TestDeadClientDelaysNobody(t *testing.T) {
	r := newRig(t, nil)
	server, _ := pair(t)
	nc := &lateConn{newSink(), make(chan struct{})}
	c := r.attach(t, nc, BBO)
	c.direct.use(server)
	_ = server.Close()
	ev := quoteOf(r.in.ID, 1)
	r.ring.Publish(&ev)
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.cycle()
	}()
	select {
	case <-over:
	case <-time.After(5 * time.Second):
		t.Error("the cycle waits")
	}
	close(nc.may)
	<-over
	<-c.done
}

// TestCloseWhileWriting: a connection whose client does not read ends, whoever ends
// it and however much waits, and Close returns.
func TestCloseWhileWriting(t *testing.T) {
	for _, end := range []struct {
		name string
		how  func(c *Conn, client *net.TCPConn)
	}{
		{"the keeper cuts it", func(c *Conn, _ *net.TCPConn) { c.cut(WriteTimeout) }},
		{"the peer resets it", func(_ *Conn, client *net.TCPConn) {
			_ = client.SetLinger(0)
			_ = client.Close()
		}},
		{"the peer reads again", func(_ *Conn, client *net.TCPConn) { go func() { _, _ = io.Copy(io.Discard, client) }() }},
	} {
		t.Run(end.name, func(t *testing.T) {
			r := newRig(t, smallBuffers)
			server, client := pair(t)
			c := r.attach(t, server)
			rnd := rand.New(rand.NewPCG(1, 2))
			for range 200 {
				c.Send(textFrame(rnd, 9000))
			}
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				c.Close()
			}()
			end.how(c, client)
			select {
			case <-closed:
			case <-time.After(10 * time.Second):
				t.Fatal("Close does not return")
			}
			if c.Send([]byte("x")) {
				t.Error("something is taken after the end")
			}
		})
	}
}

// TestTheClosingFrameIsLast: a peer that reads has everything that was sent, then the
// closing frame, then the end.
func TestTheClosingFrameIsLast(t *testing.T) {
	r := newRig(t, smallBuffers)
	server, client := pair(t)
	c := r.attach(t, server)
	rnd := rand.New(rand.NewPCG(3, 4))
	var want []byte
	for range 50 {
		f := textFrame(rnd, 5000)
		want = append(want, f...)
		c.Send(f)
	}
	c.Disconnect(Shutdown)
	want = AppendClose(want, Shutdown)
	got, err := io.ReadAll(client)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of %d, %v", len(got), len(want), err)
	}
	c.Close()
}

// TestDirectWrites: what a socket takes at once, takes in part, does not take, and
// takes no more.
func TestDirectWrites(t *testing.T) {
	server, client := pair(t)
	_ = server.SetWriteBuffer(4 << 10)
	var d direct
	if d.open(server); !d.can() {
		t.Fatal("this is a socket")
	}
	if n, err := d.write([]byte("abc")); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	big, partial := make([]byte, 8<<20), 0
	partial, err := d.write(big)
	if err != nil || partial == 0 || partial == len(big) {
		t.Fatalf("%d of %d bytes taken, %v", partial, len(big), err)
	}
	for full := false; !full; {
		n, err := d.write(big)
		if err != nil {
			t.Fatal(err)
		}
		full = n == 0
		partial += n
	}
	if _, err := io.ReadFull(client, make([]byte, 3+partial)); err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	if _, err := d.write([]byte("abc")); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("a closed socket: %v", err)
	}
	var none direct
	if none.open(newSink()); none.can() {
		t.Error("this is no socket")
	}
}

// TestOrderOverChannels: whatever several channels carry in one cycle, and whoever
// subscribes to which of them, a connection has its frames in the order of the events
// and all of them.
func TestOrderOverChannels(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := newRig(t, nil)
	r.book(core.FlagSnapshot, 100)
	r.cycle()
	sets := [][]Kind{{BBO}, {Trades}, {BBO, Trades}, {Trades, Depth}, {BBO, Trades, Depth}}
	var clients []*frames
	var want []int
	for _, kinds := range sets {
		server, client := pair(t)
		_ = client.SetReadBuffer(1 << 20)
		r.attach(t, server, kinds...)
		clients, want = append(clients, newFrames(client)), append(want, 0)
		if slices.Contains(kinds, Depth) {
			clients[len(clients)-1].next(t) // the book
		}
	}
	at := core.Nanos(1000)
	for range 300 {
		for range 1 + rnd.IntN(20) {
			at++
			k := Kind(rnd.IntN(3))
			ev := core.Event{Kind: core.EventTrade, Instrument: r.in.ID, Price: 100, Qty: 1, Side: core.Buy, Seq: uint64(at), ReceiveTime: at}
			switch k {
			case BBO:
				ev = quoteOf(r.in.ID, at)
			case Depth:
				ev = core.Event{Kind: core.EventLevel, Instrument: r.in.ID, Side: core.Buy, Price: 90, Qty: core.Qty(at), ReceiveTime: at,
					Flags: core.FlagFirst | core.FlagLast}
			}
			r.ring.Publish(&ev)
			for i, kinds := range sets {
				if slices.Contains(kinds, k) {
					want[i]++
				}
			}
		}
		r.cycle()
		for i, c := range clients {
			last, seq := received{}, map[string]uint64{}
			for ; want[i] > 0; want[i]-- {
				f := c.next(t)
				if f.Rts <= last.Rts || seq[f.Ch] > 0 && f.Seq != seq[f.Ch]+1 {
					t.Fatalf("seed %d: %v: %+v after %+v", seed, sets[i], f, last)
				}
				last, seq[f.Ch] = f, f.Seq
			}
		}
	}
	for i, c := range clients {
		_ = c.nc.SetReadDeadline(time.Now())
		if n, _ := c.nc.Read(make([]byte, 1)); n > 0 || len(c.buf) > 0 {
			t.Errorf("seed %d: %v had more than it should", seed, sets[i])
		}
	}
}

// pipeConn is the writing end of a pipe, which takes writes in part once it is
// nearly full.
type pipeConn struct {
	*sinkConn
	w *os.File
}

func (p *pipeConn) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p *pipeConn) Close() error                { return errors.Join(p.sinkConn.Close(), p.w.Close()) }

// TestPartOfADirectWrite: the last frame that a connection is given directly is taken
// in part; the rest follows it, and what is sent meanwhile follows that. Every byte is
// counted.
func TestPartOfADirectWrite(t *testing.T) {
	r := newRig(t, nil)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c := r.attach(t, &pipeConn{newSink(), in})
	c.direct.use(in)
	rnd := rand.New(rand.NewPCG(5, 6))
	var want []byte
	for range 14 { // twice what a pipe holds, whose pages they do not fill evenly
		f := textFrame(rnd, 10_000)
		want = append(want, f...)
		c.Send(f)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(out, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("what came is something else, %v", err)
	}
	written(t, c)
	if n := r.Stats().Bytes; n != uint64(len(want)) {
		t.Errorf("%d bytes are counted of %d", n, len(want))
	}
}

// wrapper is a connection that has something to do with what is written, and the
// methods of the socket below it.
type wrapper struct{ *net.TCPConn }

func (w wrapper) Write(b []byte) (int, error) { return w.TCPConn.Write(bytes.ToUpper(b)) }

// TestNothingGoesPastAWrapper: what is written to a connection that is more than a
// socket is not written to the socket below it.
func TestNothingGoesPastAWrapper(t *testing.T) {
	r := newRig(t, nil)
	server, client := pair(t)
	c := r.attach(t, wrapper{server})
	c.Send([]byte("frame"))
	got := make([]byte, 5)
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "FRAME" {
		t.Fatalf("%q came, %v", got, err)
	}
}

// TestLagOfAnIdleClient: a cycle has more for a client than it may have pending. What
// was taken is written at once, and the latest quote follows.
func TestLagOfAnIdleClient(t *testing.T) {
	const quotes = 20
	r := newRig(t, func(c *Config) { c.SoftBound = 512 })
	server, client := pair(t)
	r.attach(t, server, BBO)
	for i := range core.Nanos(quotes) {
		ev := quoteOf(r.in.ID, i+1)
		r.ring.Publish(&ev)
	}
	r.cycle()
	r.cycle()
	in, n := newFrames(client), 0
	for last := int64(0); last < quotes; n++ {
		last = in.next(t).Rts
	}
	if n < 2 || n > quotes/2 {
		t.Errorf("%d of %d quotes came", n, quotes)
	}
}
