package frame

import (
	"bytes"
	"strings"
	"testing"
)

// TestMask holds the word-wise mask against the definition.
func TestMask(t *testing.T) {
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	for n := range 40 {
		b, want := make([]byte, n), make([]byte, n)
		for i := range b {
			b[i] = byte(i * 7)
			want[i] = b[i] ^ key[i%4]
		}
		if Mask(b, key); !bytes.Equal(b, want) {
			t.Fatalf("%d bytes", n)
		}
	}
}

// TestAppendMasked: what a client builds, a server reads, in all forms of a length.
func TestAppendMasked(t *testing.T) {
	var stream []byte
	sizes := []int{0, 1, 125, 126, 127, 1<<16 - 1, 1 << 16, 70_000}
	for i, n := range sizes {
		stream = AppendMasked(stream, OpBinary, [4]byte{byte(i), 2, 3, 4}, bytes.Repeat([]byte{byte(n)}, n))
	}
	r := NewReader(bytes.NewReader(stream), Config{Masked: true, Limit: 1 << 20, Small: 16, Large: 64, Keep: 64}, nil)
	for _, n := range sizes {
		if m, err := r.Next(); err != nil || m.Op != OpBinary || !bytes.Equal(m.Data, bytes.Repeat([]byte{byte(n)}, n)) {
			t.Fatalf("%d bytes: opcode %d, %d bytes, %v", n, m.Op, len(m.Data), err)
		}
	}
}

func TestParseClose(t *testing.T) {
	for payload, want := range map[string]struct {
		code uint16
		text string
	}{
		"":                      {CodeNone, ""},
		"\x03\xe8":              {1000, ""},
		"\x03\xe9away":          {1001, "away"},
		"\x10\xe1so \u20ac":     {4321, "so \u20ac"},
		"\x03":                  {},
		"\x03\xec":              {}, // 1004
		"\x03\xed":              {}, // 1005
		"\x03\xee":              {}, // 1006
		"\x03\xf7":              {}, // 1015
		"\x03\xe7":              {}, // 999
		"\x13\x88":              {}, // 5000
		"\x03\xe8\xff":          {},
		"\x03\xe8half \xe2\x82": {},
	} {
		code, text, err := ParseClose([]byte(payload))
		if code != want.code || string(text) != want.text || (err != nil) != (want.code == 0) {
			t.Errorf("%q: %d %q %v", payload, code, text, err)
		}
	}
}

func TestAppendCloseCutsItsText(t *testing.T) {
	p := AppendClose(nil, 1002, strings.Repeat("x", 200))
	if code, text, err := ParseClose(p); len(p) != MaxControl || code != 1002 || len(text) != MaxControl-2 || err != nil {
		t.Fatalf("%d bytes: %d %q %v", len(p), code, text, err)
	}
}
