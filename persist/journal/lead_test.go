package journal

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"qcat/persist/vfs/faultfs"
)

// crowd is many goroutines that take turns to append, as clients that find the engine idle
// do, and commit without it; what a commit acknowledged is kept, as the engine's answers
// would be.
type crowd struct {
	l *Log

	turn     sync.Mutex
	seq      uint64 // of the last record appended; of whoever has turn
	reminded atomic.Bool
	acked    atomic.Uint64
	torn     atomic.Bool // an acknowledgement was taken back
}

// told is what the journal calls: it appends and flushes as the engine would, or reminds
// whoever is at it.
func (c *crowd) told() {
	c.reminded.Store(true)
	c.lookAgain()
}

// lookAgain does what was asked for while somebody had the turn. Whoever lets go of it
// calls this.
func (c *crowd) lookAgain() {
	for c.reminded.Load() && c.turn.TryLock() {
		c.reminded.Store(false)
		if c.seq%7 == 0 {
			_ = c.append() // Err is looked at
			_ = c.l.Flush()
		}
		c.acknowledge()
		c.turn.Unlock()
	}
}

// acknowledge answers what is committed. The turn is held, as the engine's is.
func (c *crowd) acknowledge() {
	if at := c.l.Committed(); at >= c.acked.Load() {
		c.acked.Store(at)
	} else {
		c.torn.Store(true)
	}
}

// append appends the next record. The turn is held.
func (c *crowd) append() error {
	_, err := c.l.Append(testRecord(nil, c.seq+1, testSize(c.seq+1)))
	if err == nil {
		c.seq++
	}
	return err
}

// order is one record, and the wait for its acknowledgement: by leading, or by leaving it
// to the journal. It returns false when the log has ended.
func (c *crowd) order(leads bool) bool {
	c.turn.Lock()
	err := c.append()
	mine := c.seq
	end := c.l.Flush
	if leads {
		end = c.l.Publish
	}
	if flushed := end(); err == nil || !errors.Is(err, ErrFull) {
		err = errors.Join(err, flushed)
	}
	c.turn.Unlock()
	c.lookAgain()
	if leads {
		c.l.Commit()
	}
	if errors.Is(err, ErrFull) {
		runtime.Gosched()
		return true
	}
	if err != nil {
		return false
	}
	for deadline := time.Now().Add(20 * time.Second); c.acked.Load() < mine; time.Sleep(10 * time.Microsecond) {
		if c.l.Err() != nil {
			return false
		}
		if time.Now().After(deadline) {
			panic(fmt.Sprintf("record %d was never acknowledged: %+v", mine, c.l.Gauges()))
		}
	}
	return true
}

// TestWhateverIsAcknowledgedIsOnTheDisk: leaders, the committer and who is told by them
// take turns while a power cut is tried out at any moment: what it leaves has all that had
// been acknowledged before. In the end a sync, or a write, fails: nothing is acknowledged
// any more, and nobody waits for ever.
func TestWhateverIsAcknowledgedIsOnTheDisk(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		for _, kind := range []faultfs.Kind{faultfs.Sync, faultfs.Write} {
			t.Run(fmt.Sprintf("%d processors, %s fails", procs, kind), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				for round := range 3 {
					acknowledged(t, kind, 60+round*67)
				}
			})
		}
	}
}

func acknowledged(t *testing.T, kind faultfs.Kind, failsAt int) {
	t.Helper()
	disk := faultfs.New()
	io := &ioLog{kind: kind, nth: failsAt, err: syscall.EIO}
	disk.Inject(io.hook)
	o := Options{Dir: "/log", FS: disk, SegmentBytes: 8 << 10, BufferBytes: 4 << 10}
	c := &crowd{l: mustOpen(t, o)}
	c.l.Notify(c.told)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := 0; c.order((g+i)%3 != 0); i++ {
			}
		})
	}
	o.Sync = SyncAlways
	for seed := uint64(0); c.l.Err() == nil; seed++ {
		cut(t, o, disk, seed, &c.acked)
	}
	wg.Wait()
	acked := c.acked.Load()
	if c.torn.Load() || c.l.Committed() < acked || c.l.Durable() > c.l.Committed() {
		t.Errorf("acknowledged up to %d, %+v", acked, c.l.Gauges())
	}
	if err := c.l.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("closed with %v", err)
	}
	if c.l.Commit(); c.acked.Load() != acked || c.l.Committed() != acked {
		t.Errorf("acknowledged up to %d at the failure, committed up to %d after it", acked, c.l.Committed())
	}
	disk.Inject(nil)
	cut(t, o, disk, 1, &c.acked)
}

// cut opens what a power cut at this moment leaves, and requires what had been
// acknowledged by then.
func cut(t *testing.T, o Options, disk *faultfs.FS, seed uint64, acked *atomic.Uint64) {
	t.Helper()
	least := acked.Load()
	o.FS = disk.Crash(seed)
	l, err := Open(o)
	if err != nil {
		t.Errorf("after a power cut: %v", err)
		return
	}
	defer mustClose(t, l)
	if l.Committed() < least {
		t.Errorf("%d were acknowledged, and a power cut leaves %d", least, l.Committed())
	}
	checkRecords(t, l, l.First(), l.Committed())
}

// TestACommitThatFindsAnotherAtIt: a record that comes while somebody is at an earlier one's
// sync is committed, although nobody calls afterwards.
func TestACommitThatFindsAnotherAtIt(t *testing.T) {
	disk := faultfs.New()
	l := mustOpen(t, Options{Dir: "/log", FS: disk})
	defer mustClose(t, l)
	mustAppend(t, l, 1, 1)
	mustCommit(t, l, 1) // the segment has its header
	const segment = 1   // the first file; the next one is made ready beside it, with syncs of its own
	for seq := uint64(2); seq <= 40; seq += 2 {
		syncing, goOn := make(chan struct{}, 64), make(chan struct{})
		disk.Inject(func(op faultfs.Op) error {
			if op.Kind == faultfs.Sync && op.File == segment {
				syncing <- struct{}{}
				<-goOn
			}
			return nil
		})
		var wg sync.WaitGroup
		mustAppend(t, l, seq, seq)
		_ = l.Publish() // Err is looked at
		wg.Go(l.Commit)
		<-syncing
		mustAppend(t, l, seq+1, seq+1)
		_ = l.Publish()
		l.Commit()
		if l.Committed() >= seq {
			t.Fatalf("%d are committed before their sync", l.Committed())
		}
		close(goOn)
		wg.Wait()
		eventually(t, "the record that came later", func() bool { return l.Durable() == seq+1 || l.Err() != nil })
	}
	disk.Inject(nil)
}
