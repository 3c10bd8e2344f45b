//go:build !race

package frame

import (
	"bytes"
	"strings"
	"testing"
)

// TestReaderAllocatesNothing: messages of either side, in fragments too, with control
// frames between them (I1).
func TestReaderAllocatesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		frame func(b0 byte, payload string) string
		cfg   Config
	}{
		"unmasked": {head, Config{Limit: 4096, Small: 1024, Large: 1024, Keep: 1024}},
		"masked":   {hidden, Config{Masked: true, Limit: 4096, Small: 512, Large: 1024, Keep: 1024}},
	} {
		text := strings.Repeat("x", 100)
		one := c.frame(0x81, text) + c.frame(0x01, text) + c.frame(0x89, "?") + c.frame(0x80, text)
		r := NewReader(bytes.NewReader([]byte(strings.Repeat(one, 1100))), c.cfg, nil)
		next := func(op byte, size int) {
			if m, err := r.Next(); err != nil || m.Op != op || len(m.Data) != size {
				t.Fatal(m.Op, len(m.Data), err)
			}
		}
		all := func() {
			next(OpText, 100)
			next(OpPing, 1)
			next(OpText, 200)
		}
		for range 20 {
			all()
		}
		if n := testing.AllocsPerRun(1000, all); n != 0 {
			t.Errorf("%s: %v allocations three messages", name, n)
		}
	}
}
