package journal

import (
	"errors"
	"testing"
	"time"

	"qcat/core"
	"qcat/persist/vfs/faultfs"
)

func isGone(err error) bool { return errors.Is(err, ErrGone) }

// retainLog is a log of several segments with what retention is told.
func retainLog(t *testing.T, o Options) *Log {
	t.Helper()
	o.Dir, o.SegmentBytes, o.BufferBytes = "/log", 4096, 4096
	if o.FS == nil {
		o.FS = faultfs.New()
	}
	l := mustOpen(t, o)
	t.Cleanup(func() { l.Close() })
	mustAppend(t, l, 1, 400)
	mustCommit(t, l, 400)
	return l
}

func mustRetain(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Retain(); err != nil {
		t.Fatal(err)
	}
}

func TestRetentionWaitsForHolds(t *testing.T) {
	l := retainLog(t, Options{MaxBytes: 3 * 4096})
	slow, fast := l.Hold("slow"), l.Hold("fast")
	if l.Hold("slow") != slow {
		t.Fatal("a hold is made twice")
	}
	fast.Advance(400)
	mustRetain(t, l)
	if l.First() != 1 {
		t.Fatalf("records up to %d were deleted under a hold", l.First()-1)
	}
	slow.Advance(200)
	slow.Advance(100) // never back
	mustRetain(t, l)
	if first := l.First(); first == 1 || first > 201 || slow.Seq() != 200 {
		t.Fatalf("the log begins at %d under a hold at %d", first, slow.Seq())
	}
	checkRecords(t, l, l.First(), 400)
	slow.Release()
	mustRetain(t, l)
	if segments, bytes := l.table.size(); bytes > 2*4096 || segments != 2 || l.Stats().Lost.Load() != 0 {
		t.Fatalf("%d segments of %d bytes are left, %d records lost", segments, bytes, l.Stats().Lost.Load())
	}
	if _, err := l.NewReader(1); !isGone(err) {
		t.Fatalf("reading what is gone: %v", err)
	}
}

func TestRetentionByAge(t *testing.T) {
	clock := core.NewManualClock(testTime(400))
	l := retainLog(t, Options{MaxAge: time.Hour, Clock: clock})
	mustRetain(t, l)
	if l.First() != 1 {
		t.Fatal("young records were deleted")
	}
	clock.Advance(time.Hour + time.Millisecond)
	mustRetain(t, l)
	if segments, _ := l.table.size(); segments != 1 {
		t.Fatalf("%d segments are left", segments)
	}
	checkRecords(t, l, l.First(), 400)
}

func TestRetentionKeepsAllByDefault(t *testing.T) {
	l := retainLog(t, Options{})
	l.Hold("test").Advance(400)
	mustRetain(t, l)
	checkRecords(t, l, 1, 400)
}

// TestRetentionInBackground: once Retain was called, a hold that advances and a
// segment that is begun are enough.
func TestRetentionInBackground(t *testing.T) {
	l := retainLog(t, Options{MaxBytes: 3 * 4096})
	h := l.Hold("test")
	mustRetain(t, l)
	h.Advance(400)
	eventually(t, "what the hold has passed is deleted", func() bool { return l.First() > 200 })
}

// TestLossyRetention: the bound on the size holds whoever still reads; the reader is
// told where to go on, and what it lost is counted.
func TestLossyRetention(t *testing.T) {
	l := retainLog(t, Options{MaxBytes: 4 * 4096, Lossy: true})
	l.Hold("follower").Advance(10)
	r, err := l.NewReader(1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for seq := uint64(1); seq <= 5; seq++ {
		rec, ok, err := r.Next()
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		checkRecord(t, rec, seq)
	}
	mustRetain(t, l)
	if _, bytes := l.table.size(); bytes > 4*4096 {
		t.Fatalf("%d bytes are left", bytes)
	}
	first := l.First()
	if lost := l.Stats().Lost.Load(); lost != first-11 {
		t.Fatalf("%d records counted as lost, the log begins at %d and the hold was at 10", lost, first)
	}
	// The open file reads on to its end; then the reader is told.
	seq := uint64(6)
	var gone *GoneError
	for {
		rec, ok, err := r.Next()
		if errors.As(err, &gone) {
			break
		}
		if err != nil || !ok {
			t.Fatal(seq, ok, err)
		}
		checkRecord(t, rec, seq)
		seq++
	}
	if gone.Next != seq || gone.First != first {
		t.Fatalf("%v; read up to %d, the log begins at %d", gone, seq-1, first)
	}
	if _, _, again := r.Next(); !errors.Is(again, ErrGone) {
		t.Fatalf("then: %v", again)
	}
	checkRecords(t, l, gone.First, 400)
}

// TestRetentionSurvivesPowerCuts: deletions reach the disk in order, so that no
// crash leaves a hole.
func TestRetentionSurvivesPowerCuts(t *testing.T) {
	for seed := range uint64(40) {
		disk := faultfs.New()
		l := retainLog(t, Options{MaxBytes: 3 * 4096, FS: disk})
		disk.CrashAt(disk.Ops() + 1 + int(seed%12))
		_ = l.Retain() // it dies meanwhile
		_ = l.Close()
		o := l.o
		o.FS = disk.Crash(seed)
		l = mustOpen(t, o)
		checkRecords(t, l, l.First(), 400)
		mustClose(t, l)
	}
}
