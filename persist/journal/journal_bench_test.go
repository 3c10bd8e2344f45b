package journal

import (
	"fmt"
	"testing"

	"qcat/persist/vfs/faultfs"
	"qcat/ringbuf"
)

// benchRecord is the size of a benchmark's records in bytes.
const benchRecord = 128

// BenchmarkCommit appends a group of 128-byte records, flushes, and waits until the
// last of them is committed, in mode always on the machine's file system: what a
// sequencer with that many orders in flight gets. One op is one record; the count of
// records is checked.
func BenchmarkCommit(b *testing.B) {
	for _, group := range []int{1, 64, 1024} {
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) {
			l := mustOpen(b, Options{Dir: b.TempDir()})
			defer l.Close()
			w := ringbuf.NewWaiter(ringbuf.Adaptive)
			l.Notify(w.Wake)
			rec := testRecord(nil, 1, benchRecord)
			var seq, want uint64
			ready := func() bool { return l.Committed() >= want || l.Err() != nil }
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; {
				n := min(group, b.N-done)
				for range n {
					seq++
					le.PutUint64(rec[4:], seq)
					if _, err := appendRetrying(l, rec); err != nil {
						b.Fatal(err)
					}
				}
				done, want = done+n, seq
				if err := l.Flush(); err != nil {
					b.Fatal(err)
				}
				for !ready() {
					w.Wait(ready, idleWait)
				}
			}
			b.StopTimer()
			if l.Err() != nil || l.Committed() != uint64(b.N) {
				b.Fatalf("%d of %d records are committed: %v", l.Committed(), b.N, l.Err())
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkAppend is what the engine pays for a record of 128 bytes: the checks and
// the copy into a ring of 8 MiB. Whenever that is full it is written out to a file in
// memory, which does not count; the number of records is checked.
func BenchmarkAppend(b *testing.B) {
	l := mustOpen(b, Options{Dir: "/log", FS: faultfs.New(), Sync: SyncOS, SegmentBytes: 32 << 20, BufferBytes: 8 << 20})
	defer l.Close()
	eventually(b, "the spare segment is there", func() bool { return l.writer.spare.Load() != nil })
	rec := testRecord(nil, 1, benchRecord)
	b.SetBytes(benchRecord)
	b.ReportAllocs()
	b.ResetTimer()
	for seq := uint64(1); seq <= uint64(b.N); seq++ {
		le.PutUint64(rec[4:], seq)
		if _, err := l.Append(rec); err != nil {
			b.StopTimer()
			mustCommit(b, l, seq-1)
			if _, err := appendRetrying(l, rec); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	}
	b.StopTimer()
	mustCommit(b, l, uint64(b.N))
}

// BenchmarkRead reads a log of 100 000 records of 128 bytes from the page cache,
// through Reader, checksums and all. One op is one record; each sequence is checked.
func BenchmarkRead(b *testing.B) {
	const records = 100_000
	l := mustOpen(b, Options{Dir: b.TempDir(), Sync: SyncOS})
	defer l.Close()
	rec := testRecord(nil, 1, benchRecord)
	for seq := uint64(1); seq <= records; seq++ {
		le.PutUint64(rec[4:], seq)
		if _, err := appendRetrying(l, rec); err != nil {
			b.Fatal(err)
		}
	}
	mustCommit(b, l, records)
	b.SetBytes(benchRecord)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		seq := uint64(1)
		for rec, err := range l.Records(1, uint64(min(records, b.N-done))) {
			if err != nil || recordSeq(rec) != seq {
				b.Fatal(seq, err)
			}
			seq++
		}
		done += int(seq - 1)
	}
}

// BenchmarkOpen opens a log of 100 000 records of 128 bytes that was closed in
// order: what a start pays to check every record of it. One op is one record.
func BenchmarkOpen(b *testing.B) {
	const records = 100_000
	o := Options{Dir: b.TempDir(), Sync: SyncOS}
	l := mustOpen(b, o)
	rec := testRecord(nil, 1, benchRecord)
	for seq := uint64(1); seq <= records; seq++ {
		le.PutUint64(rec[4:], seq)
		if _, err := appendRetrying(l, rec); err != nil {
			b.Fatal(err)
		}
	}
	mustClose(b, l)
	b.SetBytes(benchRecord)
	b.ResetTimer()
	b.StopTimer()
	for done := 0; done < b.N; done += records {
		b.StartTimer()
		l := mustOpen(b, o)
		b.StopTimer()
		if l.Committed() != records {
			b.Fatalf("%d records", l.Committed())
		}
		mustClose(b, l)
	}
}
