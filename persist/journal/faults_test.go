package journal

import (
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"qcat/persist/vfs/faultfs"
	"qcat/ringbuf"
)

// ioLog counts the writes and syncs of each file and has the nth of one kind fail.
type ioLog struct {
	mu     sync.Mutex
	kind   faultfs.Kind
	nth    int
	err    error
	failed int // the file that the failure was of
	after  []faultfs.Op
}

func (l *ioLog) hook(op faultfs.Op) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if op.File == l.failed && (op.Kind == faultfs.Sync || op.Kind == faultfs.Write) {
		l.after = append(l.after, op)
	}
	if l.failed == 0 && op.Kind == l.kind && op.N == l.nth {
		l.failed = op.File
		return l.err
	}
	return nil
}

// TestSyncError is the fault table's "fsync returns EIO": nothing that it should
// have made durable is acknowledged, then or later, the log takes nothing more, and
// the descriptor is never written or synced again. A write that fails is the same.
func TestSyncError(t *testing.T) {
	for _, kind := range []faultfs.Kind{faultfs.Sync, faultfs.Write} {
		for _, mode := range []SyncMode{SyncAlways, SyncBatch} {
			// The first calls are those that make the log and its spare segment.
			for nth := 3; nth < 24; nth++ {
				syncError(t, kind, mode, nth)
			}
		}
	}
}

func syncError(t *testing.T, kind faultfs.Kind, mode SyncMode, nth int) {
	t.Helper()
	disk := faultfs.New()
	o := Options{Dir: "/log", FS: disk, Sync: mode, BatchInterval: time.Millisecond, SegmentBytes: 4096, BufferBytes: 4096}
	io := &ioLog{kind: kind, nth: nth, err: syscall.EIO}
	disk.Inject(io.hook)
	l := mustOpen(t, o)
	w := ringbuf.NewWaiter(ringbuf.Park)
	l.Notify(w.Wake)
	var seq uint64
	for deadline := time.Now().Add(20 * time.Second); l.Err() == nil; seq++ {
		if time.Now().After(deadline) {
			t.Fatalf("%s %d, %s: no error after %d records", kind, nth, mode, seq)
		}
		if _, err := appendRetrying(l, testRecord(nil, seq+1, testSize(seq+1))); err != nil {
			break
		}
		_ = flushOr(l, seq%2 == 1) // Err is looked at
		want := seq + 1
		w.Wait(func() bool { return l.Committed() >= want || l.Err() != nil }, time.Second)
	}
	if err := l.Err(); !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("%s %d, %s: failed with %v", kind, nth, mode, err)
	}
	committed, durable := l.Committed(), l.Durable()
	if _, err := l.Append(testRecord(nil, seq+1, 40)); !errors.Is(err, ErrFailed) || errors.Is(err, ErrFull) {
		t.Fatalf("appended after the failure: %v", err)
	}
	if err := l.Flush(); !errors.Is(err, ErrFailed) {
		t.Fatalf("flushed after the failure: %v", err)
	}
	if err := l.Close(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("closed with %v", err)
	}
	if l.Committed() != committed || l.Durable() != durable {
		t.Fatalf("%s %d, %s: after the failure %d, %d grew to %d, %d", kind, nth, mode, committed, durable, l.Committed(), l.Durable())
	}
	if len(io.after) != 0 {
		t.Fatalf("%s %d, %s: the descriptor was used again: %v", kind, nth, mode, io.after)
	}
	restartAfterSyncError(t, disk, o, committed, durable)
}

// TestAFailureIsToldWithNothingHeld: who is told may do whatever it likes with the log.
func TestAFailureIsToldWithNothingHeld(t *testing.T) {
	for _, kind := range []faultfs.Kind{faultfs.Sync, faultfs.Write} {
		for _, mode := range []SyncMode{SyncAlways, SyncBatch} {
			disk := faultfs.New()
			l := mustOpen(t, Options{Dir: "/log", FS: disk, Sync: mode, BatchInterval: time.Millisecond})
			disk.Inject(func(op faultfs.Op) error {
				if op.Kind == kind {
					return syscall.EIO
				}
				return nil
			})
			told := make(chan bool, 8)
			l.Notify(func() {
				if l.Err() == nil {
					return
				}
				free := l.writer.mu.TryLock()
				if free {
					l.writer.mu.Unlock()
				}
				told <- free
			})
			mustAppend(t, l, 1, 1)
			_ = flushOr(l, mode == SyncAlways) // it may fail here already
			select {
			case free := <-told:
				if !free {
					t.Errorf("%s, %s: told with the lock held", kind, mode)
				}
			case <-time.After(20 * time.Second):
				t.Errorf("%s, %s: not told", kind, mode)
			}
			if !l.writer.isReady() {
				t.Errorf("%s, %s: the committer may sleep through the failure", kind, mode)
			}
			_ = l.Close() // as it failed
		}
	}
}

// restartAfterSyncError: the next process finds in the page cache what the disk
// never got. What it opens with must be on the disk from then on.
func restartAfterSyncError(t *testing.T, disk *faultfs.FS, o Options, committed, durable uint64) {
	t.Helper()
	disk.Inject(nil)
	l := mustOpen(t, o)
	found := l.Committed()
	if found < committed {
		t.Fatalf("%d were committed, the next process found %d", committed, found)
	}
	disk.CrashAt(disk.Ops() + 1)
	_ = l.Close() // on a dead disk
	o.FS = disk.Crash(uint64(time.Now().UnixNano()))
	l = mustOpen(t, o)
	if l.Committed() < max(found, durable) {
		t.Fatalf("opened with %d, and %d are left after a power cut", found, l.Committed())
	}
	checkRecords(t, l, 1, l.Committed())
	mustClose(t, l)
}

// TestDiskFull is the fault table's "disk full": records are refused with ErrFull,
// those that were taken all commit, and the log goes on by itself once there is
// room.
func TestDiskFull(t *testing.T) {
	for _, mode := range []SyncMode{SyncAlways, SyncOS} {
		disk := faultfs.New()
		disk.SetCapacity(3*4096 + 1000)
		o := Options{Dir: "/log", FS: disk, Sync: mode, SegmentBytes: 4096, BufferBytes: 8192}
		l := mustOpen(t, o)
		var seq uint64
		eventually(t, "the disk is full", func() bool {
			_, err := l.Append(testRecord(nil, seq+1, testSize(seq+1)))
			if err == nil {
				seq++
			} else if !errors.Is(err, ErrFull) {
				t.Fatal(err)
			}
			if err := l.Flush(); err != nil {
				t.Fatal(err)
			}
			return err != nil && l.Stats().DiskFull.Load()
		})
		if mode == SyncAlways { // what was taken has room that is kept for it
			eventually(t, "what was taken is committed", func() bool { return l.Committed() == seq })
		}
		if _, err := l.Append(testRecord(nil, seq+1, testSize(seq+1))); !errors.Is(err, ErrFull) {
			t.Fatalf("%s: appended to a full disk: %v", mode, err)
		}
		disk.SetCapacity(0)
		mustAppend(t, l, seq+1, seq+200)
		mustCommit(t, l, seq+200)
		if l.Stats().DiskFull.Load() || l.Stats().DiskFulls.Load() == 0 || l.Stats().Full.Load() == 0 {
			t.Fatalf("%s: the counters do not tell", mode)
		}
		mustClose(t, l)
		l = mustOpen(t, o)
		checkRecords(t, l, 1, seq+200)
		mustClose(t, l)
	}
}

// TestDiskFullInASegment is a full disk under a segment that is a hole, and room again:
// once what waited is written nothing says any more that the disk is full.
func TestDiskFullInASegment(t *testing.T) {
	disk := faultfs.New()
	o := Options{Dir: "/log", FS: disk, Sync: SyncOS, SegmentBytes: 16384, BufferBytes: 8192}
	l := mustOpen(t, o)
	seq := uint64(0)
	for l.Stats().Rolls.Load() == 0 {
		seq++
		mustAppend(t, l, seq, seq)
		mustCommit(t, l, seq)
	}
	eventually(t, "there is a spare segment", func() bool { return l.writer.spare.Load() != nil })
	disk.SetCapacity(1)
	first := seq + 1
	for deadline := time.Now().Add(10 * time.Second); !l.Stats().DiskFull.Load() && time.Now().Before(deadline); {
		if _, err := l.Append(testRecord(nil, seq+1, testSize(seq+1))); err == nil {
			seq++
		}
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if l.Committed() >= seq || seq < first {
		t.Fatalf("record %d of %d is committed on a full disk", l.Committed(), seq)
	}
	disk.SetCapacity(0)
	mustCommit(t, l, seq)
	if l.Stats().DiskFull.Load() || l.Stats().DiskFulls.Load() != 1 || l.Stats().Rolls.Load() != 1 {
		t.Errorf("full: %v, %d times, %d segments begun", l.Stats().DiskFull.Load(), l.Stats().DiskFulls.Load(), l.Stats().Rolls.Load())
	}
	mustClose(t, l)
}

// TestDiskFullAtClose: what was taken while the disk was full is committed by an
// orderly Close.
func TestDiskFullAtClose(t *testing.T) {
	disk := faultfs.New()
	disk.SetCapacity(2 * 4096)
	o := Options{Dir: "/log", FS: disk, SegmentBytes: 4096, BufferBytes: 8192}
	l := mustOpen(t, o)
	seq := uint64(0)
	for {
		if _, err := l.Append(testRecord(nil, seq+1, testSize(seq+1))); err == nil {
			seq++
		} else if l.Stats().Full.Load() > 3 {
			break
		}
	}
	mustClose(t, l)
	disk.SetCapacity(0)
	l = mustOpen(t, o)
	checkRecords(t, l, 1, seq)
	mustClose(t, l)
}

// TestSlowSync is the fault table's "slow fsync": while a sync goes on, Append returns
// without waiting for it until the bounded buffer is full, then refuses; nothing is lost.
func TestSlowSync(t *testing.T) {
	disk := faultfs.New()
	o := Options{Dir: "/log", FS: disk, SegmentBytes: 256 << 10, BufferBytes: 16 << 10}
	l := mustOpen(t, o)
	defer l.Close()
	eventually(t, "the spare segment is there", func() bool { return l.writer.spare.Load() != nil })
	release := make(chan struct{})
	inSync := make(chan struct{}, 1)
	disk.Inject(func(op faultfs.Op) error {
		if op.Kind == faultfs.Sync {
			select {
			case inSync <- struct{}{}:
			default:
			}
			select {
			case <-release:
			case <-time.After(time.Minute): // an Append that waits for the sync does not hang
			}
		}
		return nil
	})
	mustAppend(t, l, 1, 1)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	<-inSync
	seq := uint64(1)
	for {
		if _, err := l.Append(testRecord(nil, seq+1, testSize(seq+1))); err != nil {
			if !errors.Is(err, ErrFull) {
				t.Fatal(err)
			}
			break
		}
		seq++
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if l.Committed() != 0 { // the first sync goes on: no Append has waited for it
		t.Fatalf("%d are committed, and nothing was to be synced", l.Committed())
	}
	if kept := l.Gauges().Buffered; kept > 16<<10 || kept < 8<<10 {
		t.Fatalf("%d bytes are kept", kept)
	}
	close(release)
	mustCommit(t, l, seq)
	checkRecords(t, l, 1, seq)
}

// TestFailedSpare: a disk that fails while the next segment is made fails the log,
// although nothing committed is touched.
func TestFailedSpare(t *testing.T) {
	disk := faultfs.New()
	disk.Inject(func(op faultfs.Op) error {
		if op.Kind == faultfs.Sync && op.Name == "/log/"+spareName("journal") && op.N > 1 {
			return syscall.EIO
		}
		return nil
	})
	l := mustOpen(t, Options{Dir: "/log", FS: disk, SegmentBytes: 4096, BufferBytes: 4096})
	eventually(t, "the log has failed", func() bool { return errors.Is(l.Err(), syscall.EIO) })
	if err := l.Close(); !errors.Is(err, ErrFailed) {
		t.Fatalf("closed with %v", err)
	}
}
