package store_test

import (
	"errors"
	"testing"
	"time"

	"qcat/core/record"
	"qcat/persist/journal"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

// appendAll writes records to l and waits until the last is committed.
func appendAll(t *testing.T, l *journal.Log, records [][]byte) {
	t.Helper()
	for i, rec := range records {
		_, err := l.Append(rec)
		for errors.Is(err, record.ErrFull) {
			_ = l.Flush()
			_, err = l.Append(rec)
		}
		if err != nil {
			t.Fatal(err)
		}
		if i%100 == 99 {
			_ = l.Flush()
		}
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
}

// Followers of real logs: the synced one through a close and a reopening, and the
// lossy one past what its size deleted.
func TestFollowersOfRealLogs(t *testing.T) {
	dir := directory(t)
	want := storetest.NewMemory()
	orders, ticks := storetest.Journal(dir, 7, 2000), storetest.Ticks(dir, 7, 2000)
	open := func(o journal.Options) *journal.Log {
		t.Helper()
		l, err := journal.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	jo := journal.Options{Dir: t.TempDir(), Name: "journal", Sync: journal.SyncAlways}
	to := journal.Options{Dir: t.TempDir(), Name: "ticks", Sync: journal.SyncOS}
	memory := storetest.NewMemory()
	for _, half := range []int{1000, 2000} {
		jl, tl := open(jo), open(to)
		jf, stopJ := following(t, quick(store.Journal, store.DurableLog(jl), memory))
		tf, stopT := following(t, quick(store.Ticks, store.CommittedLog(tl), memory))
		appendAll(t, jl, orders[half-1000:half])
		appendAll(t, tl, ticks[half-1000:half])
		waitFor(t, jf, uint64(half))
		waitFor(t, tf, uint64(half))
		if err := errors.Join(stopJ(), stopT()); err != nil {
			t.Fatal(err)
		}
		if half == 2000 {
			storetest.Fill(t, want, dir, storetest.NewLog(jl.ID(), orders...), storetest.NewLog(tl.ID(), ticks...))
		}
		if err := errors.Join(jl.Close(), tl.Close()); err != nil {
			t.Fatal(err)
		}
	}
	same(t, memory, want)
}

// What a real log deleted is a gap to the ticks' follower, and the end of the
// journal's.
func TestFollowersOfALogThatDeleted(t *testing.T) {
	dir := directory(t)
	l, err := journal.Open(journal.Options{Dir: t.TempDir(), Name: "ticks", Sync: journal.SyncOS, SegmentBytes: 1 << 16, MaxBytes: 1 << 18, Lossy: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	appendAll(t, l, storetest.Ticks(dir, 8, 20000))
	for ; l.Committed() < 20000; time.Sleep(time.Millisecond) {
		if err := l.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Retain(); err != nil {
		t.Fatal(err)
	}
	if l.First() == 1 {
		t.Fatal("nothing was deleted")
	}
	memory := storetest.NewMemory()
	f, _ := following(t, quick(store.Ticks, store.CommittedLog(l), memory))
	waitFor(t, f, 20000)
	state, err := memory.Load(t.Context(), store.Ticks)
	if err != nil || state.Position.Seq != 20000 {
		t.Fatalf("at %+v: %v", state.Position, err)
	}
	checkTicks(t, memory, func(tick uint64) bool { return tick >= l.First() })
	fails(t, quick(store.Journal, store.CommittedLog(l), storetest.NewMemory()), store.ErrGone, "needs record 1 ")
}
