package ticklog

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// FuzzDecode: no bytes make Decode panic, and what it accepts is exactly what
// Append writes.
func FuzzDecode(f *testing.F) {
	for _, typ := range allTypes {
		rec := randomRecord(rand.New(rand.NewPCG(0, uint64(typ))), typ)
		f.Add(rec.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Record
		if Decode(b, &r) != nil {
			return
		}
		if again := r.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("accepted %x, which would be written as %x", b, again)
		}
	})
}
