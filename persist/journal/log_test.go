package journal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"qcat/core/record"
	"qcat/persist/vfs/faultfs"
)

func TestSyncModeText(t *testing.T) {
	for _, m := range []SyncMode{SyncAlways, SyncBatch, SyncOS} {
		var u SyncMode
		if b, err := m.MarshalText(); err != nil || u.UnmarshalText(b) != nil || u != m {
			t.Errorf("%s reads back as %s", m, u)
		}
	}
	if _, err := ParseSyncMode("never"); !errors.Is(err, ErrOptions) {
		t.Errorf("never: %v", err)
	}
	if got := SyncMode(9).String(); got != "SyncMode(9)" {
		t.Errorf("an unknown mode is %q", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]Options{
		"no directory":     {},
		"name":             {Dir: "/x", Name: "../x"},
		"mode":             {Dir: "/x", Sync: 7},
		"small segments":   {Dir: "/x", SegmentBytes: 100},
		"large segments":   {Dir: "/x", SegmentBytes: 4 << 30},
		"small buffer":     {Dir: "/x", BufferBytes: 10},
		"interval":         {Dir: "/x", BatchInterval: -1},
		"age":              {Dir: "/x", MaxAge: -1},
		"size of too few":  {Dir: "/x", MaxBytes: DefaultSegmentBytes},
		"negative segment": {Dir: "/x", SegmentBytes: -1},
	} {
		o.FS = faultfs.New()
		if _, err := Open(o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func openMemory(t *testing.T, o Options) *Log {
	t.Helper()
	o.Dir, o.FS = "/log", faultfs.New()
	l := mustOpen(t, o)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestAppendRefuses(t *testing.T) {
	l := openMemory(t, Options{SegmentBytes: 8192, BufferBytes: 64 << 10})
	mustAppend(t, l, 1, 4)
	for name, c := range map[string]struct {
		rec  []byte
		want error
	}{
		"a gap":        {testRecord(nil, 6, 40), ErrOrder},
		"a repetition": {testRecord(nil, 4, 40), ErrOrder},
		"an old time":  {append(testRecord(nil, 5, 40)[:12], make([]byte, 28)...), ErrOrder},
		"no header":    {make([]byte, record.HeaderLen-1), ErrOrder},
		"too large":    {testRecord(nil, 5, 8192), ErrTooLarge},
	} {
		if _, err := l.Append(c.rec); !errors.Is(err, c.want) || errors.Is(err, ErrFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := l.Err(); err != nil {
		t.Fatalf("a refused record failed the log: %v", err)
	}
	mustAppend(t, l, 5, 9)
	mustCommit(t, l, 9)
	checkRecords(t, l, 1, 9)
}

// TestLargestRecord: the largest records there may be are taken, one a segment, and
// read back.
func TestLargestRecord(t *testing.T) {
	for _, o := range []Options{
		{SegmentBytes: 4096, BufferBytes: 16 << 10},
		{SegmentBytes: 4 << 20, BufferBytes: 4 << 20},
		{SegmentBytes: 64 << 10, BufferBytes: 4096},
	} {
		l := openMemory(t, o)
		size := l.maxRecord
		for seq := uint64(1); seq <= 6; seq++ {
			if _, err := appendRetrying(l, testRecord(nil, seq, size)); err != nil {
				t.Fatal(err)
			}
		}
		mustCommit(t, l, 6)
		seq := uint64(1)
		for rec, err := range l.Records(1, 0) {
			if err != nil || string(rec) != string(testRecord(nil, seq, size)) {
				t.Fatalf("record %d of %d bytes: %v", seq, len(rec), err)
			}
			seq++
		}
		if seq != 7 {
			t.Fatalf("%d records of %d bytes", seq-1, size)
		}
	}
}

func TestNothingCommitsWithoutFlush(t *testing.T) {
	l := openMemory(t, Options{})
	mustAppend(t, l, 1, 10)
	time.Sleep(20 * time.Millisecond) // for a commit that must not come
	if l.Committed() != 0 {
		t.Fatalf("%d were committed", l.Committed())
	}
	mustCommit(t, l, 10)
}

func TestBatchModeSyncsLater(t *testing.T) {
	l := openMemory(t, Options{Sync: SyncBatch, BatchInterval: 10 * time.Millisecond})
	syncs := l.Stats().Sync.Snapshot().Count
	mustAppend(t, l, 1, 10)
	mustCommit(t, l, 10)
	eventually(t, "what is committed becomes durable", func() bool { return l.Durable() == 10 })
	if got := l.Stats().Sync.Snapshot().Count - syncs; got != 1 {
		t.Fatalf("%d syncs", got)
	}
}

func TestOSModeSyncsAtTheEnd(t *testing.T) {
	l := openMemory(t, Options{Sync: SyncOS, SegmentBytes: 4096, BufferBytes: 4096})
	mustAppend(t, l, 1, 10)
	mustCommit(t, l, 10)
	if l.Durable() != 0 {
		t.Fatalf("durable %d", l.Durable())
	}
	mustAppend(t, l, 11, 60)
	mustCommit(t, l, 60)
	if d := l.Durable(); d == 0 {
		t.Fatal("the end of a segment was not synced")
	}
	mustClose(t, l)
	if l.Durable() != 60 {
		t.Fatalf("closed with %d durable", l.Durable())
	}
}

func TestClosedLog(t *testing.T) {
	l := openMemory(t, Options{})
	mustAppend(t, l, 1, 3)
	mustClose(t, l) // commits what was not flushed
	mustClose(t, l)
	if l.Committed() != 3 {
		t.Fatalf("closed with %d", l.Committed())
	}
	if _, err := l.Append(testRecord(nil, 4, 40)); !errors.Is(err, ErrClosed) {
		t.Fatalf("appended to a closed log: %v", err)
	}
	checkRecords(t, l, 1, 3)
	names, _ := l.o.FS.List("/log")
	if got := strings.Join(names, " "); got != "journal-0000000001.seg" {
		t.Fatalf("files left: %s", got)
	}
}

func TestStartSequence(t *testing.T) {
	disk := faultfs.New()
	o := Options{Dir: "/log", FS: disk, Start: 1000}
	l := mustOpen(t, o)
	if l.First() != 1000 || l.Committed() != 999 {
		t.Fatalf("begins at %d, committed %d", l.First(), l.Committed())
	}
	mustAppend(t, l, 1000, 1010)
	mustClose(t, l)
	o.Start = 5 // of an empty log only
	l = mustOpen(t, o)
	defer l.Close()
	if l.First() != 1000 || l.Committed() != 1010 || l.Gauges().LastTime != int64(testTime(1010)) {
		t.Fatalf("opened again: %+v", l.Gauges())
	}
	var seqs []uint64
	for rec, err := range l.Records(1003, 1005) {
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, recordSeq(rec))
	}
	if len(seqs) != 3 || seqs[0] != 1003 || seqs[2] != 1005 {
		t.Fatalf("records %v", seqs)
	}
}

func TestReaderBounds(t *testing.T) {
	l := openMemory(t, Options{})
	mustAppend(t, l, 1, 3)
	mustCommit(t, l, 3)
	if _, err := l.NewReader(5); !errors.Is(err, ErrAhead) {
		t.Fatalf("beyond the next: %v", err)
	}
	if _, err := l.NewReader(0); !isGone(err) {
		t.Fatalf("before the first: %v", err)
	}
	r, err := l.NewReader(4)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := r.Next(); ok || err != nil || r.Ready() || r.Lag() != 0 {
		t.Fatal("a record that is not there", ok, err)
	}
	mustAppend(t, l, 4, 4)
	mustCommit(t, l, 4)
	if rec, ok, err := r.Next(); !ok || err != nil || recordSeq(rec) != 4 {
		t.Fatal(ok, err)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := r.Next(); !errors.Is(err, ErrClosed) {
		t.Fatalf("after closing: %v", err)
	}
}

// TestReaderFindsDamage: a record that changes on the disk after it was committed is
// an error, not a record.
func TestReaderFindsDamage(t *testing.T) {
	data, ends := smallLog(t, 3, true)
	disk := smallDisk(data)
	ro, err := OpenReadOnly("/log", "journal", disk)
	if err != nil {
		t.Fatal(err)
	}
	data[ends[1]+batchHeader+frameHeader+25] ^= 1
	disk.WriteFile(smallFile, data)
	var damage *DamageError
	n := 0
	for _, err := range ro.Records(1, 0) {
		if errors.As(err, &damage) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 || damage == nil || damage.Offset != ends[1]+batchHeader || damage.Seq != 2 {
		t.Fatalf("%d records, then %v", n, damage)
	}
}

func TestReadOnlyOfNothing(t *testing.T) {
	disk := faultfs.New()
	for range 2 {
		if _, err := OpenReadOnly("/log", "journal", disk); !errors.Is(err, ErrNone) {
			t.Fatal(err)
		}
		if _, err := Verify(disk, "/log", "journal"); !errors.Is(err, ErrNone) {
			t.Fatal(err)
		}
		if err := disk.MkdirAll("/log", 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProgress(t *testing.T) {
	disk := segmentsLog(t)
	var reports []Progress
	l := mustOpen(t, Options{Dir: "/log", FS: disk, SegmentBytes: 4096, BufferBytes: 4096,
		Progress: func(p Progress) { reports = append(reports, p) }})
	defer l.Close()
	last := reports[len(reports)-1]
	if last.Seq != 150 || last.Bytes != last.Total || last.Segment != last.Segments || last.Segments != l.Opened().Segments {
		t.Fatalf("the last report is %+v", last)
	}
	for i := range reports[1:] {
		if reports[i+1].Bytes < reports[i].Bytes {
			t.Fatalf("%+v after %+v", reports[i+1], reports[i])
		}
	}
}
