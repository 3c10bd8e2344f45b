package frame

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// pieces gives its bytes in pieces of the sizes given, over and over.
type pieces struct {
	b     []byte
	sizes []byte
	i     int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := len(p.b)
	if len(p.sizes) > 0 {
		n = int(p.sizes[p.i%len(p.sizes)]) + 1
		p.i++
	}
	n = copy(b, p.b[:min(n, len(p.b))])
	p.b = p.b[n:]
	return n, nil
}

// FuzzReader: whatever bytes come from either side, nothing panics, no message is
// larger than the limit, control frames are short, and the end is an end or a
// numbered violation. However the stream is cut, the messages and the end are the
// same.
func FuzzReader(f *testing.F) {
	f.Add([]byte{0x81, 0x82, 1, 2, 3, 4, '{' ^ 1, '}' ^ 2}, []byte{0})
	f.Add([]byte{0x01, 0x81, 0, 0, 0, 0, 'a', 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x81, 0, 0, 0, 0, 'b'}, []byte{3, 1})
	f.Add([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, []byte{5})
	f.Add([]byte(head(0x01, "a")+head(0x89, "")+head(0x80, string(make([]byte, 200)))), []byte{70, 2})
	f.Add([]byte(head(0x88, "\x03\xe8")), []byte{})
	all := func(t *testing.T, r io.Reader, cfg Config) (got []Message, end error) {
		fr := NewReader(r, cfg, nil)
		for {
			m, err := fr.Next()
			if err != nil {
				return got, err
			}
			if len(m.Data) > cfg.Limit || m.Op >= OpClose && len(m.Data) > MaxControl {
				t.Fatalf("message of opcode %d and %d bytes", m.Op, len(m.Data))
			}
			got = append(got, Message{m.Op, bytes.Clone(m.Data)})
		}
	}
	f.Fuzz(func(t *testing.T, in, cuts []byte) {
		for _, cfg := range []Config{small, masked(small)} {
			// The mask is taken off in place, but in the reader's memory.
			a, errA := all(t, bytes.NewReader(in), cfg)
			b, errB := all(t, &pieces{b: in, sizes: cuts}, cfg)
			var violation *Error
			if !errors.As(errA, &violation) && !errors.Is(errA, io.EOF) && !errors.Is(errA, io.ErrUnexpectedEOF) {
				t.Fatalf("ended with %v", errA)
			}
			if len(a) != len(b) || errA.Error() != errB.Error() {
				t.Fatalf("%d messages and %v at once, %d and %v in pieces", len(a), errA, len(b), errB)
			}
			for i := range a {
				if a[i].Op != b[i].Op || !bytes.Equal(a[i].Data, b[i].Data) {
					t.Fatalf("message %d differs", i)
				}
			}
		}
	})
}
