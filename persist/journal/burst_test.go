package journal

import (
	"sync/atomic"
	"testing"
	"time"

	"qcat/persist/vfs/faultfs"
)

// TestRecordsOutrunZeros has a disk that fills segments more slowly than records
// come: the next one is then begun with its room kept and not filled, and no record
// is refused.
func TestRecordsOutrunZeros(t *testing.T) {
	const size = 8 << 20
	disk := faultfs.New()
	l := mustOpen(t, Options{Dir: "j", FS: disk, SegmentBytes: size})
	defer mustClose(t, l)
	var making atomic.Int64 // the file that is being made a segment of
	disk.Inject(func(op faultfs.Op) error {
		switch {
		case op.Kind == faultfs.Allocate:
			making.Store(int64(op.File))
		case op.Kind == faultfs.Rename:
			making.Store(0)
		case op.Kind == faultfs.Write && int64(op.File) == making.Load():
			time.Sleep(10 * time.Millisecond) // 256 KiB of zeros
		}
		return nil
	})
	var buf []byte
	for seq := uint64(1); seq <= 3*size/(64<<10); seq++ {
		buf = testRecord(buf, seq, 64<<10)
		if _, err := l.Append(buf); err != nil {
			t.Fatalf("record %d, %d segments begun: %v", seq, l.Stats().Rolls.Load(), err)
		}
		mustCommit(t, l, seq)
	}
	if n := l.Stats().Rolls.Load(); n < 2 {
		t.Errorf("%d segments begun, want 2 at least", n)
	}
}
