package journal

import (
	"strings"
	"testing"
	"time"

	"qcat/persist/vfs/faultfs"
)

// TestRecordsOutrunZeros has a disk that fills segments more slowly than records
// come: the next one is then begun with its room kept and not filled, and no record
// is refused.
func TestRecordsOutrunZeros(t *testing.T) {
	disk := faultfs.New()
	spare := spareName(DefaultName)
	disk.Inject(func(op faultfs.Op) error {
		if op.Kind == faultfs.Write && strings.HasSuffix(op.Name, spare) {
			time.Sleep(30 * time.Millisecond) // a MiB of zeros
		}
		return nil
	})
	l := mustOpen(t, Options{Dir: "j", FS: disk, SegmentBytes: 8 << 20})
	defer mustClose(t, l)
	var buf []byte
	for seq := uint64(1); seq <= 24*16; seq++ { // 24 MiB
		buf = testRecord(buf, seq, 64<<10)
		if _, err := l.Append(buf); err != nil {
			t.Fatalf("record %d, %d segments begun: %v", seq, l.Stats().Rolls.Load(), err)
		}
		mustCommit(t, l, seq)
		time.Sleep(time.Millisecond) // that the disk takes for a batch
	}
	if n := l.Stats().Rolls.Load(); n < 2 {
		t.Errorf("%d segments begun, want 2 at least", n)
	}
}
