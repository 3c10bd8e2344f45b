//go:build !race

package journal

import (
	"testing"

	"qcat/persist/vfs/faultfs"
)

// TestAppendAllocates nothing, and so does Flush, while the committer works.
func TestAppendAllocates(t *testing.T) {
	l := mustOpen(t, Options{Dir: "/log", FS: faultfs.New(), Sync: SyncOS, SegmentBytes: 64 << 20, BufferBytes: 64 << 20})
	defer l.Close()
	rec := testRecord(nil, 1, 128)
	seq := uint64(0)
	const runs = 2000
	// The committer's own writes to a file in memory allocate: it is given nothing
	// until the count is taken.
	if n := testing.AllocsPerRun(runs, func() {
		seq++
		le.PutUint64(rec[4:], seq)
		if _, err := l.Append(rec); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Append allocates %v times", n)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(runs, func() { _ = l.Flush() }); n != 0 {
		t.Errorf("Flush allocates %v times", n)
	}
	mustCommit(t, l, seq)
}

// TestRefusalAllocates nothing: while the log is full every order meets it.
func TestRefusalAllocates(t *testing.T) {
	l := mustOpen(t, Options{Dir: "/log", FS: faultfs.New(), BufferBytes: 4096})
	defer l.Close()
	rec := testRecord(nil, 1, 128)
	for seq := uint64(1); ; seq++ {
		le.PutUint64(rec[4:], seq)
		if _, err := l.Append(rec); err != nil {
			break
		}
	}
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := l.Append(rec); err == nil {
			t.Fatal("taken")
		}
	}); n != 0 {
		t.Errorf("a refusal allocates %v times", n)
	}
}

// TestReadAllocates nothing for a record, in a segment and at its live end.
func TestReadAllocates(t *testing.T) {
	l := mustOpen(t, Options{Dir: t.TempDir(), SegmentBytes: 4 << 20})
	defer l.Close()
	const records = 5000
	mustAppend(t, l, 1, records)
	mustCommit(t, l, records)
	r, err := l.NewReader(1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	next := func() {
		if _, ok, err := r.Next(); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	next() // opens the file
	if n := testing.AllocsPerRun(records-10, next); n != 0 {
		t.Errorf("Next allocates %v times", n)
	}
}
