package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"qcat/persist/vfs/faultfs"
)

// naive is what a log must hold: records by sequence, in memory.
type naive struct {
	records [][]byte // [i] is record i+1
	salt    byte     // a new one each time the log is opened: a ghost shows
}

func (n *naive) add(r *rand.Rand) []byte {
	seq := uint64(len(n.records) + 1)
	rec := testRecord(nil, seq, 20+r.IntN(180))
	for i := 20; i < len(rec); i++ {
		rec[i] += n.salt
	}
	n.records = append(n.records, rec)
	return rec
}

// check requires l to hold exactly the records from its first to the last of n, and
// takes those that l has lost out of n.
func (n *naive) check(t testing.TB, l *Log, least uint64) {
	t.Helper()
	last := l.Committed()
	if last < least || last > uint64(len(n.records)) {
		t.Fatalf("recovered up to %d; at least %d and at most %d were due", last, least, len(n.records))
	}
	n.records = n.records[:last]
	seq := l.First()
	for rec, err := range l.Records(seq, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if string(rec) != string(n.records[seq-1]) {
			t.Fatalf("record %d is %x, want %x", seq, rec, n.records[seq-1])
		}
		seq++
	}
	if seq != last+1 {
		t.Fatalf("records end at %d, want %d", seq-1, last)
	}
	n.salt += 17
}

// run appends to a log that dies somewhere, and returns the last sequences that
// had been committed and were durable by then.
func (n *naive) run(l *Log, r *rand.Rand, records int) (committed, durable uint64) {
	hold := l.Hold("test")
	defer l.Close()
	for range records {
		rec := n.add(r)
		if _, err := appendRetrying(l, rec); err != nil {
			n.records = n.records[:len(n.records)-1]
			break
		}
		if r.IntN(4) > 0 {
			continue
		}
		if flushOr(l, r.IntN(2) == 0) != nil {
			break
		}
		switch r.IntN(6) {
		case 0: // a commit that is waited for: what follows begins a batch of its own
			for l.Committed() < uint64(len(n.records)) && l.Err() == nil {
				time.Sleep(10 * time.Microsecond)
			}
		case 1:
			if d := l.Durable(); d > 10 {
				hold.Advance(d - 10)
				_ = l.Retain() // it dies with the disk
			}
		}
	}
	_ = l.Flush() // its error is that of Close
	// Orderly or not: what was reported while the log was open counts.
	_ = l.Close()
	return l.Committed(), l.Durable()
}

// TestCrashAtEveryIO is the fault table's "crash at every journal I/O, seeded, on a
// file system that loses a random part of what was not synced": what is recovered is
// a prefix that holds at least the last synced acknowledgement. It crashes again
// while it recovers, recovers from that, and goes on.
//
// QCAT_TORTURE_SEEDS is how many seeds it takes in each mode, 1 unless it is set.
func TestCrashAtEveryIO(t *testing.T) {
	first := uint64(time.Now().UnixNano())
	crashes := 0
	for _, mode := range []SyncMode{SyncAlways, SyncBatch, SyncOS} {
		t.Run(mode.String(), func(t *testing.T) {
			for seed := range tortureSeeds(t, 1) {
				at := 1
				for ; crashOnce(t, mode, at, first+seed<<32); at++ {
					crashes++
				}
				if at < 20 {
					t.Fatalf("the run took %d calls only", at)
				}
			}
		})
	}
	t.Logf("torture: %d crashes of the journal", crashes)
}

// tortureSeeds is how many seeds a crash test takes.
func tortureSeeds(t *testing.T, usual uint64) uint64 {
	t.Helper()
	text := os.Getenv("QCAT_TORTURE_SEEDS")
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		t.Fatalf("QCAT_TORTURE_SEEDS=%q is no number of seeds", text)
	}
	return n
}

// crashOnce is one life, one crash at call `at`, a second while recovering, and
// another life. It returns false when the first life ended before the crash.
func crashOnce(t *testing.T, mode SyncMode, at int, seed uint64) bool {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, uint64(at)))
	describe := fmt.Sprintf("seed %d, mode %s, call %d", seed, mode, at)
	defer func() {
		if t.Failed() {
			t.Log(describe)
		}
	}()
	disk := faultfs.New()
	disk.CrashAt(at)
	o := Options{Dir: "/data/log", FS: disk, Sync: mode, BatchInterval: time.Millisecond,
		SegmentBytes: 4096, BufferBytes: 2048, MaxBytes: 5 * 4096}
	var n naive
	var committed, durable uint64
	if l, err := Open(o); err == nil {
		committed, durable = n.run(l, r, 150)
	} else if !errors.Is(err, faultfs.ErrCrashed) {
		t.Fatal(err)
	}
	crashed := disk.Crashed()
	if mode == SyncAlways && durable != committed {
		t.Fatalf("committed %d, durable %d", committed, durable)
	}
	if !crashed {
		durable = committed // closed in order
	}

	if crashed && r.IntN(2) == 0 {
		// The process dies, not the machine; what its successor finds counts as
		// committed from then on, and must survive the power cut that follows.
		disk.Revive()
		l := mustOpen(t, o)
		if l.Committed() < committed {
			t.Fatalf("%d had been committed, %d were found after the process died", committed, l.Committed())
		}
		durable = l.Durable()
		disk.CrashAt(disk.Ops() + 1) // now: not even Close syncs
		_ = l.Close()
	}

	// A second crash while it recovers.
	disk = disk.Crash(seed + uint64(at))
	disk.CrashAt(1 + r.IntN(6))
	o.FS = disk
	if l, err := Open(o); err == nil {
		_ = l.Close() // it may crash as well
	} else if !errors.Is(err, faultfs.ErrCrashed) {
		t.Fatal(err)
	}

	disk = disk.Crash(seed + uint64(at) + 1)
	o.FS = disk
	l := mustOpen(t, o)
	n.check(t, l, durable)
	if committed, _ := n.run(l, r, 30); committed != uint64(len(n.records)) {
		t.Fatalf("after the crash %d of %d were committed: %v", committed, len(n.records), l.Err())
	}
	l = mustOpen(t, o)
	if len(l.Opened().Cuts) != 0 {
		t.Fatalf("cut after an orderly close: %+v", l.Opened().Cuts)
	}
	n.check(t, l, uint64(len(n.records)))
	mustClose(t, l)
	return crashed
}
