package feed

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/frame"
)

// TestPingsAreAnswered, also between the fragments of a message, and the messages
// come whole.
func TestPingsAreAnswered(t *testing.T) {
	pongs := make(chan string, 2)
	c := connected(t, 1000, func(conn net.Conn) {
		fmt.Fprint(conn, fromVenue(0x89, "one")+fromVenue(0x01, "a")+fromVenue(0x89, "two")+fromVenue(0x8a, "late")+
			fromVenue(0x80, "b")+fromVenue(0x82, "c"))
		r := fromClient(conn)
		for range cap(pongs) {
			if m, err := r.Next(); err != nil || m.Op != frame.OpPong {
				t.Errorf("opcode %d, %v", m.Op, err)
			} else {
				pongs <- string(m.Data)
			}
		}
	})
	var got []string
	c.read(func(_ *connection, message []byte, _ core.Nanos) { got = append(got, string(message)) })
	if s := fmt.Sprint(got); s != "[ab c]" {
		t.Errorf("messages %s", s)
	}
	if a, b := <-pongs, <-pongs; a != "one" || b != "two" {
		t.Errorf("pongs %q and %q", a, b)
	}
}

// TestConnectionEnds: how the venue ends a connection or breaks the protocol, what it
// is told then, and what is said of it.
func TestConnectionEnds(t *testing.T) {
	const none = 0 // nothing is answered
	for name, tc := range map[string]struct {
		sent   string
		answer uint16
		want   string
	}{
		"goodbye":              {fromVenue(0x88, "\x03\xe9new day"), 1001, `closed by the venue: 1001 "new day"`},
		"goodbye without code": {fromVenue(0x88, ""), 1000, `closed by the venue: 1005 ""`},
		"bad goodbye":          {fromVenue(0x88, "\x03"), 1002, "bad closing frame"},
		"goodbye in a message": {fromVenue(0x01, "a") + fromVenue(0x88, "\x0f\xa1"), 4001, "4001"},
		"compressed":           {fromVenue(0xc1, "x"), 1002, "reserved bits"},
		"masked":               {string(frame.AppendMasked(nil, frame.OpText, [4]byte{1}, []byte("x"))), 1002, "masked"},
		"bad opcode":           {fromVenue(0x83, ""), 1002, "opcode"},
		"too big":              {fromVenue(0x81, strings.Repeat("x", 1001)), 1009, "too big"},
		"too big in parts":     {fromVenue(0x01, strings.Repeat("x", 600)) + fromVenue(0x80, strings.Repeat("x", 401)), 1009, "too big"},
		"half a frame":         {fromVenue(0x81, "abc")[:3], none, "unexpected EOF"},
		"half a head":          {"\x81", none, "unexpected EOF"},
		"no goodbye":           {"", none, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan uint16, 1)
			c := connected(t, 1000, func(conn net.Conn) {
				fmt.Fprint(conn, fromVenue(0x81, "hello")+tc.sent)
				if tc.answer == none {
					_ = conn.(*net.TCPConn).CloseWrite()
				}
				m, err := fromClient(conn).Next()
				if tc.answer == none {
					if !errors.Is(err, io.EOF) {
						t.Errorf("it was told: %q, %v", m.Data, err)
					}
					told <- none
					return
				}
				code, _, err := frame.ParseClose(m.Data)
				if m.Op != frame.OpClose || err != nil {
					t.Errorf("opcode %d, %v", m.Op, err)
				}
				told <- code
			})
			messages := 0
			c.read(func(*connection, []byte, core.Nanos) { messages++ })
			if <-c.done; !errors.Is(c.err, ErrConnection) || !strings.Contains(c.err.Error(), tc.want) {
				t.Errorf("%v does not say %q", c.err, tc.want)
			}
			if code := <-told; code != tc.answer || messages != 1 {
				t.Errorf("code %d, %d messages", code, messages)
			}
		})
	}
}

// TestLargeMessage: one that is larger than the buffer, up to the bound.
func TestLargeMessage(t *testing.T) {
	const limit = 3*socketBuffer + 1
	large := strings.Repeat("0123456789", limit/10+1)[:limit]
	c := connected(t, limit, func(conn net.Conn) {
		fmt.Fprint(conn, fromVenue(0x81, large)+fromVenue(0x01, large[:limit-1])+fromVenue(0x80, large[limit-1:])+fromVenue(0x81, large))
	})
	whole := 0
	c.read(func(_ *connection, message []byte, _ core.Nanos) {
		if string(message) == large {
			whole++
		}
	})
	if whole != 3 {
		t.Errorf("%d of 3 came whole: %v", whole, c.err)
	}
}

// TestWritersTogether: subscriptions, pings and pongs of several goroutines are whole
// frames, and nothing follows the goodbye.
func TestWritersTogether(t *testing.T) {
	const each = 200
	counts := make(chan [16]int, 1)
	c := connected(t, 1000, func(conn net.Conn) {
		go func() { fmt.Fprint(conn, strings.Repeat(fromVenue(0x89, "ping"), each)) }()
		var n [16]int
		for r := fromClient(conn); ; {
			m, err := r.Next()
			if err != nil {
				t.Errorf("after %v: %v", n, err)
				break
			}
			if n[m.Op]++; m.Op == frame.OpClose {
				if m, err := r.Next(); err == nil {
					t.Errorf("opcode %d after the goodbye", m.Op)
				}
				break
			}
		}
		counts <- n
	})
	var writers sync.WaitGroup
	pongs := make(chan struct{})
	go func() {
		defer close(pongs)
		for range each {
			if err := c.readOne(nil); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	frames := make([][]byte, each)
	for i := range frames {
		frames[i] = []byte(strings.Repeat("s", i))
	}
	writers.Go(func() {
		if err := c.subscribe(t.Context(), frames, 0); err != nil {
			t.Error(err)
		}
	})
	writers.Go(func() {
		for range each {
			if err := c.ping(1); err != nil {
				t.Error(err)
			}
		}
	})
	writers.Wait()
	<-pongs
	close(c.done)
	c.shut()
	if n := <-counts; n[frame.OpText] != each || n[frame.OpPing] != each || n[frame.OpPong] != each || n[frame.OpClose] != 1 {
		t.Errorf("frames by opcode: %v", n)
	}
	if err := c.ping(2); !errors.Is(err, errGoodbye) {
		t.Errorf("a ping after the goodbye: %v", err)
	}
}

// TestPingsAfterOurGoodbye are not answered, and end nothing: the venue's own goodbye
// may be behind them.
func TestPingsAfterOurGoodbye(t *testing.T) {
	conn := &script{in: []byte(fromVenue(0x89, "still there?") + fromVenue(0x88, "\x03\xe8"))}
	c := newConnection(newSocket(conn, conn, core.SystemClock(), 100), policyOf(100), 0)
	c.sock.bye(frame.CodeNormal, "")
	said := conn.out.Len()
	if err := c.readOne(nil); err != nil {
		t.Error(err)
	}
	if err := c.readOne(nil); err == nil || !strings.Contains(err.Error(), "closed by the venue") || conn.out.Len() != said {
		t.Errorf("%v, and %d bytes after the goodbye", err, conn.out.Len()-said)
	}
}

// TestTornFrameIsTheLast: after a write that ran out of time nothing more is written.
func TestTornFrameIsTheLast(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	s := newSocket(near, near, core.SystemClock(), 100)
	defer s.close()
	if err := s.write(frame.OpText, []byte("x"), time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nobody reads, and the write says %v", err)
	}
	if err := s.write(frame.OpText, []byte("x"), time.Minute); !errors.Is(err, errGoodbye) {
		t.Errorf("the next write says %v", err)
	}
}

// reads is a source that gives one of its strings a read.
type reads []string

func (r *reads) Read(p []byte) (int, error) {
	if len(*r) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*r)[0])
	*r = (*r)[1:]
	return n, nil
}

// steps is a clock that goes on by one whenever it is read.
type steps struct{ now core.Nanos }

func (s *steps) Now() core.Nanos {
	s.now++
	return s.now
}

// TestReceiveTimeIsTheReads: what comes in one read has one time, which is of the read
// that brought the last byte, and the clock is read once for all of it.
func TestReceiveTimeIsTheReads(t *testing.T) {
	a := fromVenue(0x81, "a")
	src := reads{a + a + a[:1], a[1:] + fromVenue(0x01, "a"), fromVenue(0x89, ""), fromVenue(0x80, "a")}
	clock := &steps{}
	near, far := net.Pipe()
	defer far.Close()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	c := newConnection(newSocket(near, &src, clock, 100), policyOf(100), 0)
	var times []core.Nanos
	c.read(func(_ *connection, _ []byte, rx core.Nanos) { times = append(times, rx) })
	if s := fmt.Sprint(times); s != "[1 1 2 4]" {
		t.Errorf("receive times %s", s)
	}
	if clock.now != 5 { // the end is a read too
		t.Errorf("the clock was read %d times", clock.now)
	}
	if frames, data := c.lastAny.Load(), c.lastData.Load(); frames != 4 || data != 4 || c.firstData.Load() != 1 {
		t.Errorf("last frame at %d, last data at %d, first at %d", frames, data, c.firstData.Load())
	}
}
