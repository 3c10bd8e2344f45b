package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/record"
)

// testRecord makes record seq: a header and a body that follows from the sequence,
// so that a reader can tell what it must be.
func testRecord(dst []byte, seq uint64, size int) []byte {
	dst = append(dst[:0], record.Version, byte(record.TypeClock), 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, seq)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(testTime(seq)))
	for i := len(dst); i < size; i++ {
		dst = append(dst, byte(seq)*7+byte(i))
	}
	return dst
}

// testTime is the time of record seq: two records at a time share one.
func testTime(seq uint64) core.Nanos { return core.Nanos(1e18 + seq/2*1000) }

// testSize is the size of record seq in a log of records of all sizes.
func testSize(seq uint64) int {
	return record.HeaderLen + int(seq*2654435761>>7%140)
}

// checkRecord fails when rec is not record seq.
func checkRecord(t testing.TB, rec []byte, seq uint64) {
	t.Helper()
	if want := testRecord(nil, seq, testSize(seq)); string(rec) != string(want) {
		t.Fatalf("record %d is %x, want %x", seq, rec, want)
	}
}

func mustOpen(t testing.TB, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// mustAppend appends the records from to to, and tries again while there is no
// room.
func mustAppend(t testing.TB, l *Log, from, to uint64) {
	t.Helper()
	var buf []byte
	for seq := from; seq <= to; seq++ {
		buf = testRecord(buf, seq, testSize(seq))
		got, err := appendRetrying(l, buf)
		if err != nil {
			t.Fatalf("record %d: %v", seq, err)
		}
		if got != seq {
			t.Fatalf("record %d was appended as %d", seq, got)
		}
	}
}

// appendRetrying appends; while the log is full it flushes and waits.
func appendRetrying(l *Log, rec []byte) (uint64, error) {
	for deadline := time.Now().Add(20 * time.Second); ; {
		seq, err := l.Append(rec)
		if !errors.Is(err, ErrFull) || time.Now().After(deadline) {
			return seq, err
		}
		if err := l.Flush(); err != nil {
			return 0, err
		}
		time.Sleep(50 * time.Microsecond)
	}
}

// flushOr flushes, or publishes and commits: as the engine's goroutine does, or a
// client's that is the engine.
func flushOr(l *Log, commit bool) error {
	if !commit {
		return l.Flush()
	}
	if err := l.Publish(); err != nil {
		return err
	}
	l.Commit()
	return l.Err()
}

// mustCommit flushes and waits for record seq.
func mustCommit(t testing.TB, l *Log, seq uint64) {
	t.Helper()
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	eventually(t, fmt.Sprintf("record %d is committed", seq), func() bool {
		if err := l.Err(); err != nil {
			t.Fatal(err)
		}
		return l.Committed() >= seq
	})
}

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// checkRecords reads the log and requires exactly the records first to last.
func checkRecords(t testing.TB, l *Log, first, last uint64) {
	t.Helper()
	seq := first
	for rec, err := range l.Records(first, 0) {
		if err != nil {
			t.Fatal(err)
		}
		checkRecord(t, rec, seq)
		seq++
	}
	if seq != last+1 {
		t.Fatalf("the log ends at record %d, want %d", seq-1, last)
	}
}

func mustClose(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// newRand returns a source that a failing test names.
func newRand(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}
