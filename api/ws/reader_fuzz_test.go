package ws

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"qcat/api/hub"
)

// FuzzReader: whatever bytes come, nothing panics, no message is larger than the
// limit, text is UTF-8, control frames are short, and the end is an end or a
// numbered violation. Read byte by byte, the same bytes give the same messages.
func FuzzReader(f *testing.F) {
	f.Add([]byte{0x81, 0x82, 1, 2, 3, 4, '{' ^ 1, '}' ^ 2})
	f.Add([]byte{0x01, 0x81, 0, 0, 0, 0, 'a', 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x81, 0, 0, 0, 0, 'b'})
	f.Add([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4})
	f.Add([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 232})
	const limit = 300
	all := func(t *testing.T, r io.Reader) (got []message, end error) {
		fr := newFrameReader(r, limit, nil)
		for {
			m, err := fr.next()
			if err != nil {
				return got, err
			}
			if len(m.data) > limit || m.op >= hub.OpClose && len(m.data) > hub.MaxControl ||
				m.op == hub.OpText && !utf8.Valid(m.data) {
				t.Fatalf("message of opcode %d and %d bytes", m.op, len(m.data))
			}
			got = append(got, message{m.op, bytes.Clone(m.data)})
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		a, errA := all(t, bytes.NewReader(in))
		b, errB := all(t, iotest.OneByteReader(bytes.NewReader(in)))
		var fe *frameError
		if !errors.As(errA, &fe) && !errors.Is(errA, io.EOF) && !errors.Is(errA, io.ErrUnexpectedEOF) {
			t.Fatalf("ended with %v", errA)
		}
		if len(a) != len(b) || errA.Error() != errB.Error() {
			t.Fatalf("%d messages and %v at once, %d and %v byte by byte", len(a), errA, len(b), errB)
		}
		for i := range a {
			if a[i].op != b[i].op || !bytes.Equal(a[i].data, b[i].data) {
				t.Fatalf("message %d differs", i)
			}
		}
	})
}

// TestUnmask holds the word-wise mask against the definition.
func TestUnmask(t *testing.T) {
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	for n := range 40 {
		b, want := make([]byte, n), make([]byte, n)
		for i := range b {
			b[i] = byte(i * 7)
			want[i] = b[i] ^ mask[i%4]
		}
		if unmask(b, mask); !bytes.Equal(b, want) {
			t.Fatalf("%d bytes", n)
		}
	}
}
