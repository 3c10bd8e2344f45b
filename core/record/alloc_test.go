//go:build !race

package record

import (
	"math/rand/v2"
	"testing"
)

func TestOrderRecordsDoNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 1024)
	for typ := TypeNew; typ <= TypeClock; typ++ {
		rec := randomRecord(rand.New(rand.NewPCG(2, uint64(typ))), typ)
		var back Record
		if n := testing.AllocsPerRun(100, func() {
			buf = rec.Append(buf[:0])
			if Decode(buf, &back) != nil {
				t.Fatal("refused")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", typ, n)
		}
	}
}
