package feed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/core"
	"qcat/core/frame"
)

// script is a connection's other end from memory: what is read comes in the pieces
// given, over and over, and what is written is kept.
type script struct {
	net.Conn // nil: what is not here is not called

	in     []byte
	pieces []byte
	i      int
	out    bytes.Buffer
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := len(s.in)
	if len(s.pieces) > 0 {
		n = int(s.pieces[s.i%len(s.pieces)]) + 1
		s.i++
	}
	n = copy(p, s.in[:min(n, len(s.in))])
	s.in = s.in[n:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *script) Close() error                     { return nil }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// agreeing is a script that first agrees to a handshake, and gives what it has to
// read with the answer.
type agreeing struct{ script }

func (a *agreeing) Write(p []byte) (int, error) {
	if said := agree(p); said != nil {
		a.in = append(said, a.in...)
		return len(p), nil
	}
	return a.script.Write(p)
}

// agree is the answer to what was written, if that is a handshake.
func agree(written []byte) []byte {
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(written)))
	if err != nil {
		return nil
	}
	return []byte(answer(req.Header.Get("Sec-Websocket-Key")))
}

// heard is what one reader made of a stream: the messages, and what it answered.
type heard struct {
	messages []string // opcode and data
	pongs    []string
	code     uint16 // of the closing frame that was sent, 0 for none
}

// answers reads what was written in answer to the stream.
func (h *heard) answers(t *testing.T, out []byte) {
	r := frame.NewReader(bytes.NewReader(out), frame.Config{Masked: true, Limit: 1 << 20, Small: 512, Large: 512, Keep: 512}, nil)
	for {
		m, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			t.Fatalf("it answered %x: %v", out, err)
		case m.Op == frame.OpPong && h.code == 0:
			h.pongs = append(h.pongs, string(m.Data))
		case m.Op == frame.OpClose && h.code == 0:
			if h.code, _, err = frame.ParseClose(m.Data); err != nil {
				t.Fatalf("it said goodbye by %x: %v", m.Data, err)
			}
		default:
			t.Fatalf("it answered opcode %d after code %d", m.Op, h.code)
		}
	}
}

// ours is what a connection of this package hears.
func ours(t *testing.T, stream, cuts []byte, limit int) (h heard) {
	conn := &script{in: slices.Clone(stream), pieces: cuts}
	c := newConnection(newSocket(conn, conn, core.SystemClock(), limit), policyOf(limit), 0)
	c.read(func(_ *connection, message []byte, _ core.Nanos) { h.messages = append(h.messages, string(message)) })
	if c.err == nil {
		t.Fatal("it ended without an error")
	}
	h.answers(t, conn.out.Bytes())
	return h
}

// theirs is what the library hears.
func theirs(t *testing.T, stream []byte, limit int) (h heard) {
	conn := &agreeing{script{in: slices.Clone(stream)}}
	d := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
	ws, _, err := d.Dial("ws://venue/", nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(int64(limit))
	for {
		_, message, err := ws.ReadMessage()
		if err != nil {
			break
		}
		h.messages = append(h.messages, string(message))
	}
	h.answers(t, conn.out.Bytes())
	return h
}

// venueFrames makes frames of a script, two bytes a frame: most of them in an order
// that the protocol allows. Long frames are as long as the bound and around it.
func venueFrames(script []byte, limit int) (stream []byte) {
	open := false
	for ; len(script) >= 2; script = script[2:] {
		what, size := script[0], int(script[1])
		b0 := byte(0x81)
		switch what % 8 {
		case 0:
			b0 = 0x82
		case 1, 2: // a fragment with more to come
			if b0 = 0x01; open {
				b0 = 0
			}
			open = true
		case 3:
			b0, size = 0x89, size%126
		case 4:
			b0, size = 0x8a, size%126
		case 5:
			size += limit - 200
		}
		if open && b0 > 0x80 && b0 < 0x88 {
			b0, open = 0x80, false
		}
		if what == 255 {
			b0 ^= script[1]
		}
		stream = append(stream, fromVenue(b0, string(bytes.Repeat([]byte{what}, size)))...)
	}
	return stream
}

// FuzzFramesAsTheLibrary: frames of a script with arbitrary bytes behind them, cut
// anyhow, are the same messages, pongs and closing code to us as to
// fasthttp/websocket.
func FuzzFramesAsTheLibrary(f *testing.F) {
	f.Add([]byte{6, 10, 0, 200, 1, 3, 3, 5, 2, 7, 6, 1}, []byte{}, []byte{0})
	f.Add([]byte{5, 200, 5, 201}, []byte("\x81\x01a"), []byte{255, 3})
	f.Add([]byte{1, 250, 2, 250, 6, 250, 7, 250}, []byte("\x88\x02\x03\xe9"), []byte{})
	f.Add([]byte{6, 1}, []byte("\x88\x02\x03\xf6"), []byte{1})
	f.Add([]byte{6, 1}, []byte("\x88\x01\x03"), []byte{1})
	f.Add([]byte{255, 0x40, 6, 1}, []byte("\x88\x00"), []byte{1})
	f.Add([]byte{}, []byte("\x81\x7f\xff\x00\x00\x00\x00\x00\x00\x00"), []byte{1})
	f.Add([]byte{4, 1}, []byte("\x01\x01a\x89\x01b\x80\x7f\x00\x00\x00\x00\x00\x00\x00\x01c"), []byte{2})
	f.Fuzz(func(t *testing.T, script, tail, cuts []byte) {
		const limit = 600
		if len(script) > 200 {
			return
		}
		stream := append(venueFrames(script, limit), tail...)
		a, b := ours(t, stream, cuts, limit), theirs(t, stream, limit)
		if !slices.Equal(a.messages, b.messages) {
			t.Errorf("messages: ours %q, the library's %q", a.messages, b.messages)
		}
		if !slices.Equal(a.pongs, b.pongs) {
			t.Errorf("pongs: ours %q, the library's %q", a.pongs, b.pongs)
		}
		if a.code != asOurs(a.code, b.code) {
			t.Errorf("closed with %d, by the library with %d", a.code, b.code)
		}
	})
}

// asOurs is the library's closing code where it does as we do. We answer a closing
// frame without a code by 1000, not by one without a code, and take half a code for a
// violation; know 1014, which is registered; and say 1009 of a length that has 64
// bits, where it says nothing.
func asOurs(ours, library uint16) uint16 {
	switch {
	case library == frame.CodeNone && (ours == frame.CodeNormal || ours == frame.CodeProtocol),
		library == frame.CodeProtocol && ours == 1014,
		library == 0 && ours == frame.CodeTooBig:
		return ours
	}
	return library
}
