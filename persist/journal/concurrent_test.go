package journal

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qcat/persist/vfs"
	"qcat/persist/vfs/faultfs"
	"qcat/ringbuf"
)

// TestReadersFollowTheWriter holds a log, written in random bursts over many
// segments, against a slice of what was appended: readers that begin anywhere see
// exactly that, in order, never more than is committed, and come to the end.
func TestReadersFollowTheWriter(t *testing.T) {
	for name, fsys := range map[string]vfs.FS{"memory": faultfs.New(), "machine": vfs.OS{}} {
		t.Run(name, func(t *testing.T) {
			o := Options{Dir: t.TempDir(), FS: fsys, SegmentBytes: 16 << 10, BufferBytes: 8 << 10, BatchInterval: time.Millisecond}
			for _, o.Sync = range []SyncMode{SyncAlways, SyncBatch, SyncOS} {
				o.Name = o.Sync.String()
				followWriter(t, o)
			}
		})
	}
}

func followWriter(t *testing.T, o Options) {
	const total = 3000
	r := newRand(t)
	l := mustOpen(t, o)
	var n naive
	records := make([][]byte, 0, total)
	for range total {
		records = append(records, n.add(r))
	}
	var appended atomic.Uint64
	var readers sync.WaitGroup
	for i := range 4 {
		from, durable := uint64(1), i == 3
		if i == 2 {
			from = l.Committed() + 1
		}
		readers.Go(func() { readAll(t, l, records, from, durable, &appended) })
	}
	for seq := uint64(1); seq <= total; seq++ {
		appended.Store(seq)
		if _, err := appendRetrying(l, records[seq-1]); err != nil {
			t.Error(err)
			break
		}
		if r.IntN(20) == 0 {
			if err := flushOr(l, r.IntN(2) == 0); err != nil {
				t.Error(err)
				break
			}
		}
	}
	mustClose(t, l)
	readers.Wait()
}

// readAll reads from on until the last of records and compares.
func readAll(t *testing.T, l *Log, records [][]byte, from uint64, durable bool, appended *atomic.Uint64) {
	open := l.NewReader
	if durable {
		open = l.NewDurableReader
	}
	reader, err := open(from)
	if err != nil {
		t.Error(err)
		return
	}
	defer reader.Close()
	w := ringbuf.NewWaiter(ringbuf.Park)
	l.Watch(w)
	defer l.Unwatch(w)
	ready := reader.Ready
	for seq := from; seq <= uint64(len(records)); {
		rec, ok, err := reader.Next()
		switch {
		case err != nil:
			t.Error(err)
			return
		case !ok:
			// Woken for other things as well; a lost wake-up takes all of this.
			start := time.Now()
			if w.Wait(ready, 10*time.Second); time.Since(start) > 9*time.Second {
				t.Errorf("nobody woke the reader that waits for record %d", seq)
				return
			}
		case string(rec) != string(records[seq-1]):
			t.Errorf("record %d is %x, want %x", seq, rec, records[seq-1])
			return
		case seq > appended.Load():
			t.Errorf("record %d was read before it was appended", seq)
			return
		case durable && seq > l.Durable():
			t.Errorf("record %d was read and is not durable", seq)
			return
		default:
			seq++
		}
	}
}

// TestReadOnlyWhileWritten opens, reads and verifies a log over and over while it is
// written and old segments are deleted: what is found is whole, and never goes
// back.
func TestReadOnlyWhileWritten(t *testing.T) {
	o := Options{Dir: t.TempDir(), SegmentBytes: 4 << 10, BufferBytes: 4 << 10, MaxBytes: 64 << 10}
	l := mustOpen(t, o)
	if err := l.Retain(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		mustAppend(t, l, 1, 4000)
		mustClose(t, l)
	}()
	rounds, last := 0, uint64(0)
	for running := true; running; rounds++ {
		select {
		case <-done:
			running = false
		default:
		}
		last = readOnlyOnce(t, o.Dir, last)
	}
	if last != 4000 || rounds < 3 {
		t.Fatalf("the last of %d rounds found %d records", rounds, last)
	}
	if l.Stats().Deleted.Load() == 0 {
		t.Fatal("nothing was deleted meanwhile")
	}
}

func readOnlyOnce(t *testing.T, dir string, before uint64) (last uint64) {
	t.Helper()
	ro, err := OpenReadOnly(dir, "journal", vfs.OS{})
	if err != nil {
		t.Fatal(err)
	}
	if ro.Last() < before {
		t.Fatalf("%d records after %d", ro.Last(), before)
	}
	seq := max(before, ro.First())
	for rec, err := range ro.Records(seq, 0) {
		if isGone(err) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		checkRecord(t, rec, seq)
		seq++
	}
	if rand.IntN(4) == 0 {
		report, err := ro.Verify()
		if err != nil || len(report.Torn) != 0 || report.Last < ro.Last() {
			t.Fatalf("verified: %v, %+v", err, report)
		}
	}
	return ro.Last()
}

// TestCommitLeads: a record that is alone is on the disk when Commit returns, whoever
// calls it, and nobody is told but who asked to be.
func TestCommitLeads(t *testing.T) {
	disk := faultfs.New()
	l := mustOpen(t, Options{Dir: "/log", FS: disk})
	defer mustClose(t, l)
	told := atomic.Uint64{}
	l.Notify(func() { told.Add(1) })
	led := 0
	for seq := uint64(1); seq <= 100; seq++ {
		if _, err := appendRetrying(l, testRecord(nil, seq, 40)); err != nil {
			t.Fatal(err)
		}
		if err := l.Publish(); err != nil {
			t.Fatal(err)
		}
		l.Commit()
		if l.Durable() == seq {
			led++
		}
		eventually(t, "the commit", func() bool { return l.Durable() == seq && told.Load() >= seq })
	}
	if led < 50 {
		t.Errorf("%d of 100 commits were done when Commit returned", led)
	}
}

// TestCommitFromManyGoroutines: who appends publishes, others commit, and the last
// record is committed although each of them may have come too late or too early.
func TestCommitFromManyGoroutines(t *testing.T) {
	l := mustOpen(t, Options{Dir: "/log", FS: faultfs.New(), SegmentBytes: 1 << 14})
	defer mustClose(t, l)
	work := make(chan struct{}, 64)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range work {
				l.Commit()
			}
		})
	}
	const records = 3000
	for seq := uint64(1); seq <= records; seq++ {
		if _, err := appendRetrying(l, testRecord(nil, seq, 40)); err != nil {
			t.Fatal(err)
		}
		if err := l.Publish(); err != nil {
			t.Fatal(err)
		}
		work <- struct{}{}
	}
	eventually(t, "the last commit", func() bool { return l.Durable() == records })
	close(work)
	wg.Wait()
}
