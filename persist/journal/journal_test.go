package journal

import (
	"testing"
)

// TestRealDirectory writes, closes and opens again on the machine's file system,
// in every mode, across segments.
func TestRealDirectory(t *testing.T) {
	for _, mode := range []SyncMode{SyncAlways, SyncBatch, SyncOS} {
		t.Run(mode.String(), func(t *testing.T) {
			o := Options{Dir: t.TempDir(), Sync: mode, SegmentBytes: 16 << 10, BufferBytes: 8 << 10}
			l := mustOpen(t, o)
			if !l.Opened().Created || l.First() != 1 || l.Committed() != 0 {
				t.Fatalf("a new log: %+v", l.Opened())
			}
			id := l.ID()
			mustAppend(t, l, 1, 500)
			mustCommit(t, l, 500)
			checkRecords(t, l, 1, 500)
			mustClose(t, l)

			l = mustOpen(t, o)
			if got := l.Opened(); got.Created || got.Last != 500 || len(got.Cuts) != 0 || got.Segments < 3 {
				t.Fatalf("opened again: %+v", got)
			}
			if l.ID() != id || l.Committed() != 500 || l.Durable() != 500 {
				t.Fatalf("opened as %x at %d, %d", l.ID(), l.Committed(), l.Durable())
			}
			mustAppend(t, l, 501, 1000)
			mustCommit(t, l, 1000)
			checkRecords(t, l, 1, 1000)
			mustClose(t, l)
			report, err := Verify(l.o.FS, o.Dir, l.o.Name)
			if err != nil || report.Records != 1000 || !report.Closed || report.Durable != 1000 || len(report.Torn) != 0 {
				t.Fatalf("verified: %+v, %v", report, err)
			}
		})
	}
}
