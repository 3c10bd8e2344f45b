package engine

import (
	"errors"
	"fmt"
	"testing"

	"qcat/core"
)

// roomJournal takes so many records until what it took is handed over.
type roomJournal struct {
	*heldJournal
	room, left int
}

func (j *roomJournal) Append(rec []byte) (uint64, error) {
	if j.left == 0 {
		return 0, ErrFull
	}
	seq, err := j.heldJournal.Append(rec)
	if err == nil {
		j.left--
	}
	return seq, err
}

func (j *roomJournal) Flush() error {
	j.left = j.room
	return j.heldJournal.Flush()
}

// TestDefineWaitsForRoom defines far more accounts than the journal's buffer has room
// for before Run: each waits for those before, and none is lost.
func TestDefineWaitsForRoom(t *testing.T) {
	const accounts = 100
	journal := &roomJournal{&heldJournal{MemoryJournal: NewMemoryJournal(0)}, 3, 3}
	e := New(Config{Clock: core.NewManualClock(testStart), Journal: journal, Directory: core.NewDirectory()})
	for i := range accounts {
		if a, err := e.DefineAccount(fmt.Sprint("a", i)); err != nil || a.ID != core.AccountID(i+1) {
			t.Fatalf("account %d: %+v, %v", i, a, err)
		}
	}
	if n := journal.MemoryJournal.Committed(); n != 2*accounts || e.Seq() != n { // each with its default strategy
		t.Errorf("%d records, of which the engine knows %d", n, e.Seq())
	}
	// One without room for any does not make it wait for ever.
	journal.room, journal.left = 0, 0
	if _, err := e.DefineAccount("more"); !errors.Is(err, ErrFull) {
		t.Errorf("no room at all: %v", err)
	}
}

// TestFifoLetsRoomGo wants an emptied queue to keep the room of an ordinary day and no
// more, and to work on.
func TestFifoLetsRoomGo(t *testing.T) {
	var q fifo[int]
	for _, n := range []int{fifoKeeps, fifoKeeps + 1, 10} {
		for i := range n {
			*q.push() = i
		}
		for i := range n {
			if got := *q.front(); got != i {
				t.Fatalf("%d of %d is %d", i, n, got)
			}
			q.pop()
		}
		if q.len() != 0 || len(q.buf) > fifoKeeps || n == fifoKeeps && len(q.buf) == 0 {
			t.Errorf("after %d it holds %d and keeps room for %d", n, q.len(), len(q.buf))
		}
	}
}
