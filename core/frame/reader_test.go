package frame

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// head is a frame as a server sends it, with the first byte given.
func head(b0 byte, payload string) string {
	if n := len(payload); n >= size16 {
		return string([]byte{b0, size16, byte(n >> 8), byte(n)}) + payload
	}
	return string([]byte{b0, byte(len(payload))}) + payload
}

// hidden is a frame as a client sends it.
func hidden(b0 byte, payload string) string {
	b := AppendMasked(nil, 0, [4]byte{9, 8, 7, 6}, []byte(payload))
	b[0] = b0
	return string(b)
}

var small = Config{Limit: 300, Small: 16, Large: 64, Keep: 64}

func masked(c Config) Config {
	c.Masked = true
	return c
}

// say is what a stream holds, in words: messages, and how it ends.
func say(r *Reader) string {
	var b strings.Builder
	for {
		m, err := r.Next()
		if err != nil {
			return b.String() + err.Error()
		}
		data := string(m.Data)
		if len(data) > 20 {
			data = data[:20] + "…"
		}
		b.WriteByte("0tb34567cio"[m.Op])
		b.WriteString("(" + data + ") ")
	}
}

// TestReader: what may come, and what may not, of either side and however the stream
// is cut.
func TestReader(t *testing.T) {
	long := strings.Repeat("x", 300)
	for name, c := range map[string]struct {
		frame func(b0 byte, payload string) string
		cfg   Config
	}{"unmasked": {head, small}, "masked": {hidden, masked(small)}} {
		f := c.frame
		other, refused := hidden, "frame is masked"
		if c.cfg.Masked {
			other, refused = head, "frame is not masked"
		}
		for stream, want := range map[string]string{
			"":                                     "EOF",
			f(0x81, "a") + f(0x82, "b"):            "t(a) b(b) EOF",
			f(0x81, ""):                            "t() EOF",
			f(0x81, long):                          "t(" + long[:20] + "…) EOF",
			f(0x01, "a") + f(0, "b") + f(0x80, ""): "t(ab) EOF",
			f(0x02, "a") + f(0x89, "?") + f(0, "b") + f(0x8a, "!") + f(0x80, "c") + f(0x81, "d"): "i(?) o(!) b(abc) t(d) EOF",
			f(0x88, "\x03\xe8"):                         "c(\x03\xe8) EOF",
			f(0x81, "a") + f(0x81, "bc")[:2]:            "t(a) unexpected EOF",
			f(0x81, "a")[:1]:                            "unexpected EOF",
			f(0x81, long)[:3]:                           "unexpected EOF",
			f(0x81, long)[:200]:                         "unexpected EOF",
			f(0x01, "a"):                                "EOF",
			f(0xc1, "a"):                                "websocket: 1002 reserved bits are set",
			f(0xa1, "a"):                                "websocket: 1002 reserved bits are set",
			f(0x91, "a"):                                "websocket: 1002 reserved bits are set",
			other(0x81, "a"):                            "websocket: 1002 " + refused,
			f(0x80, "a"):                                "websocket: 1002 continuation of nothing",
			f(0x81, "a") + f(0x80, "a"):                 "t(a) websocket: 1002 continuation of nothing",
			f(0x01, "a") + f(0x81, "b"):                 "websocket: 1002 new message within a fragmented one",
			f(0x09, "a"):                                "websocket: 1002 control frame is fragmented or too long",
			f(0x89, long[:126]):                         "websocket: 1002 control frame is fragmented or too long",
			f(0x89, long[:125]) + f(0x83, ""):           "i(" + long[:20] + "…) websocket: 1002 unknown opcode",
			f(0x8b, ""):                                 "websocket: 1002 unknown opcode",
			f(0x81, long+"x"):                           "websocket: 1009 message too big",
			f(0x01, long[:200]) + f(0x80, long[:101]):   "websocket: 1009 message too big",
			f(0x01, long[:200]) + f(0x80, long[:100]):   "t(" + long[:20] + "…) EOF",
			f(0x01, long) + f(0x80, "") + f(0x81, long): "t(" + long[:20] + "…) t(" + long[:20] + "…) EOF",
		} {
			for cut, r := range map[string]io.Reader{
				"whole":   strings.NewReader(stream),
				"halves":  iotest.HalfReader(strings.NewReader(stream)),
				"bytes":   iotest.OneByteReader(strings.NewReader(stream)),
				"and end": iotest.DataErrReader(strings.NewReader(stream)),
			} {
				if got := say(NewReader(r, c.cfg, nil)); got != want {
					t.Errorf("%s, %s, %q:\n got %q\nwant %q", name, cut, stream, got, want)
				}
			}
			if got := say(NewReader(strings.NewReader(""), c.cfg, []byte(stream))); got != want {
				t.Errorf("%s, read ahead, %q:\n got %q\nwant %q", name, stream, got, want)
			}
		}
	}
}

// TestLongLengths: eight bytes of length are taken as they are, and bounded.
func TestLongLengths(t *testing.T) {
	for length, want := range map[string]string{
		"\x00\x00\x00\x00\x00\x00\x00\x02": "t(ab) EOF",
		"\x00\x00\x00\x00\x00\x00\x01\x2d": "websocket: 1009 message too big",
		"\x7f\xff\xff\xff\xff\xff\xff\xff": "websocket: 1009 message too big",
		"\xff\xff\xff\xff\xff\xff\xff\xff": "websocket: 1009 message too big",
	} {
		if got := say(NewReader(strings.NewReader("\x81\x7f"+length+"ab"), small, nil)); got != want {
			t.Errorf("%x: %q", length, got)
		}
	}
}

// counted counts its reads.
type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	c.n++
	return c.r.Read(p)
}

// TestManyFramesARead: a read takes as much as there is room for, however the frames
// lie, and a whole message is handed out where it was read.
func TestManyFramesARead(t *testing.T) {
	const frames, size = 1000, 100
	src := &counted{r: strings.NewReader(strings.Repeat(head(0x81, strings.Repeat("x", size)), frames))}
	r := NewReader(src, Config{Limit: 1000, Small: 4096, Large: 4096, Keep: 4096}, nil)
	for range frames {
		m, err := r.Next()
		if err != nil || &m.Data[0] != &r.buf[r.start-size] {
			t.Fatalf("a message elsewhere, or none: %v", err)
		}
	}
	if most := frames*(size+2)/(4096-size) + 1; src.n > most {
		t.Errorf("%d reads, more than %d", src.n, most)
	}
}

// TestBuffers: they grow as bytes come, are kept or given up, and never follow a mere
// promise of a length.
func TestBuffers(t *testing.T) {
	big := head(0x81, strings.Repeat("x", 10_000))
	little := head(0x81, "x")
	for _, c := range []struct {
		name   string
		keep   int
		stream string
		want   int // of buffer at the end
	}{
		{"nothing said", 64, "", 16},
		{"more than the first buffer", 64, strings.Repeat(little, 10), 64},
		{"given up", 64, big + little, 64},
		{"kept", 1 << 20, big + little, 10_000 + maxHeader},
		{"promised", 64, big[:100], 128},
	} {
		r := NewReader(strings.NewReader(c.stream), Config{Limit: 1 << 20, Small: 16, Large: 64, Keep: c.keep}, nil)
		if say(r); len(r.buf) != c.want {
			t.Errorf("%s: a buffer of %d bytes, not %d", c.name, len(r.buf), c.want)
		}
	}
	parts := head(0x01, strings.Repeat("x", 200)) + head(0x80, "end")
	for _, keep := range []int{64, 1000} {
		r := NewReader(strings.NewReader(parts), Config{Limit: 1000, Small: 16, Large: 64, Keep: keep}, nil)
		if say(r); (r.frag == nil) != (keep == 64) {
			t.Errorf("fragments of %d bytes with %d to keep", cap(r.frag), keep)
		}
	}
}

// TestSourcesErrors are reported as they are.
func TestSourcesErrors(t *testing.T) {
	broken := errors.New("broken")
	r := NewReader(io.MultiReader(strings.NewReader(head(0x81, "a")+"\x81"), iotest.ErrReader(broken)), small, nil)
	if m, err := r.Next(); err != nil || !bytes.Equal(m.Data, []byte("a")) {
		t.Fatalf("%q %v", m.Data, err)
	}
	if _, err := r.Next(); !errors.Is(err, broken) {
		t.Fatal(err)
	}
}
