package journal

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/persist/vfs"
	"qcat/ringbuf"
)

// committer writes: all that waits becomes one batch, is written by one call, synced
// as the mode says, and published. It is a goroutine; but to wake one costs more than to
// write. Where an acknowledgement waits for no disk, the appending goroutine itself carries
// a batch to the page cache (commitHere); in SyncAlways whoever calls Commit, and finds
// nobody at it, writes and syncs one (lead). Segments, room that is missing, and syncs that
// are due later are the goroutine's alone. There is never more than one batch that is
// written and not synced in SyncAlways, which is what makes a torn end tellable from damage.
type committer struct {
	l      *Log
	waiter *ringbuf.Waiter
	ready  func() bool
	seed   uint32

	mu    sync.Mutex // what follows belongs to whoever holds it
	file  vfs.File
	seg   *segment
	fresh bool // the segment's header is written with its first batch

	placed   uint64     // room cost of all records written
	seq      uint64     // of the last record written
	time     core.Nanos // of that record
	unsynced bool
	due      core.Nanos // when SyncBatch syncs next
	awaited  bool       // the goroutine wakes for that
	marked   bool       // the segment ends in the mark of an orderly Close
	blocked  bool       // the next record needs a segment that is not there yet

	head   [segmentHeader + batchHeader]byte
	gather gathering

	spare    atomic.Pointer[spare]   // put here by the keeper, taken by roll
	granted  *spare                  // the spare that the grant counts
	failing  atomic.Pointer[failure] // the keeper's: the log fails between two commits
	stopping atomic.Bool
	done     chan struct{}
}

// gathering is the next batch: frames in the ring, in at most two pieces.
type gathering struct {
	batch
	pieces [2][]byte
	after  uint64 // position in the ring behind them
	cost   uint64
	time   core.Nanos
}

// keeperSteps is how often in a segment the keeper is woken to go on with the next.
const keeperSteps = 32

// idleWait is how long the committer sleeps when nothing is due; it is woken.
const idleWait = time.Hour

func (c *committer) run() {
	defer close(c.done)
	defer func() { c.file.Close() }()
	for more := true; more; {
		c.waiter.Wait(c.ready, c.patience())
		var news bool
		if news, more = c.round(); news || !more {
			c.l.tell() // without mu: who is told may append and flush
		}
	}
}

// round writes and syncs what is due, and reports whether there is news for those who
// wait, and whether the goroutine goes on.
func (c *committer) round() (news, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.failing.Load(); f != nil {
		c.l.fail(f.err)
	}
	if c.l.failure.Load() != nil {
		return false, false
	}
	c.awaited = false
	c.grant()
	stopping := c.stopping.Load() // first: all was published before it was set
	news = c.commit()
	if !news && stopping {
		c.finish()
		return false, false
	}
	news = c.syncDue() || news
	return news, c.l.failure.Load() == nil
}

// commitHere is a commit by the appending goroutine of what it has published, if that
// needs no disk to be waited for: neither a sync nor another segment. It returns false
// when the committer's goroutine has something to do, be it the rest or the sync that
// is due later.
func (c *committer) commitHere() bool {
	if !c.mu.TryLock() {
		return false
	}
	defer c.mu.Unlock()
	if !c.commitOne() {
		return false
	}
	c.l.nudgeWatchers()
	return !c.l.ring.waiting() && !c.syncUnawaited()
}

// syncUnawaited reports whether there is a sync to come that the goroutine does not know
// of: it went to sleep before commitHere began what is to be synced.
func (c *committer) syncUnawaited() bool {
	return c.unsynced && c.l.o.Sync == SyncBatch && !c.awaited
}

// lead is one commit by any goroutine that can wait for the disk. It returns false when
// the committer's goroutine has something to do.
func (c *committer) lead() bool {
	if !c.mu.TryLock() {
		return false
	}
	done := c.commitOne()
	c.mu.Unlock()
	if done {
		c.l.tell()
	}
	return done && !c.l.ring.waiting()
}

// commitOne is a commit by another goroutine than the committer's, which must not wait
// for a segment or for room. c.mu is held.
func (c *committer) commitOne() bool {
	if c.fresh || c.blocked || c.stopping.Load() || c.failing.Load() != nil || c.l.failure.Load() != nil {
		return false
	}
	c.collect()
	return c.gather.count > 0 && c.write(false) && c.publish()
}

// isReady is what the committer waits for.
func (c *committer) isReady() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.syncUnawaited() || c.spare.Load() != c.granted || (c.l.ring.waiting() && !c.blocked) ||
		c.stopping.Load() || c.failing.Load() != nil || c.l.failure.Load() != nil
}

// patience is how long the committer may sleep.
func (c *committer) patience() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.awaited = c.unsynced && c.l.o.Sync == SyncBatch; !c.awaited {
		return idleWait
	}
	return time.Duration(max(c.due-c.l.o.Clock.Now(), 1))
}

// grant tells Append how much room there is on the disk.
func (c *committer) grant() {
	room := c.room()
	if c.granted = c.spare.Load(); c.granted != nil {
		room = max(room, c.granted.size-segmentHeader-roomEnd)
		c.blocked = false
	}
	c.l.ring.grant.Store(c.placed + uint64(max(room, 0)))
}

// room is what batches may take of the segment, with their headers.
func (c *committer) room() int64 { return c.seg.size - roomEnd - c.seg.end.Load() }

// commit writes and publishes one batch, and returns false when there is none to write
// or no segment to write it to.
func (c *committer) commit() bool {
	if !c.l.ring.waiting() {
		return false
	}
	if c.collect(); c.gather.count == 0 {
		if !c.roll() {
			return false
		}
		c.collect()
	}
	return c.write(true) && c.publish()
}

// publish takes the batch that was written out of the ring, syncs it if that belongs to
// it, and lets others see it.
func (c *committer) publish() bool {
	g := &c.gather
	c.l.ring.taken.Store(g.after)
	c.placed, c.seq, c.time, c.marked = c.placed+g.cost, g.last(), g.time, false
	c.seg.last.Store(c.seq)
	c.seg.time.Store(int64(c.time))
	c.grant()
	if !c.unsynced {
		c.unsynced, c.due = true, c.l.o.Clock.Now()+core.Nanos(c.l.o.BatchInterval)
	}
	if c.l.o.Sync == SyncAlways || c.fresh {
		if !c.sync() {
			return false
		}
	}
	if c.fresh {
		c.fresh = false
		c.l.table.add(c.seg)
		c.l.keeper.wake()
	}
	c.l.stats.Records.Record(int64(g.count))
	c.l.lastTime.Store(int64(c.time))
	c.l.committed.Store(c.seq)
	return true
}

// collect gathers the frames that fit into the segment and into a batch.
func (c *committer) collect() {
	r, g := c.l.ring, &c.gather
	room := min(c.room()-batchHeader, maxBatch)
	pos, published := r.taken.Load(), r.published.Load()
	*g = gathering{batch: batch{first: c.seq + 1, durable: c.l.durable.Load()}, after: pos}
	for piece := -1; pos != published; {
		frame, at := r.frame(pos)
		if int64(g.length)+int64(len(frame)) > room {
			return
		}
		if piece < 0 || at&r.mask == 0 { // the first, or at the beginning of the ring again
			piece++
			g.pieces[piece] = frame
		} else {
			g.pieces[piece] = g.pieces[piece][:len(g.pieces[piece])+len(frame)]
		}
		le.PutUint32(frame[4:], frameSum(frame, c.seed))
		pos = at + uint64(len(frame))
		g.length += uint32(len(frame))
		g.count++
		g.cost += roomCost(len(frame))
		g.after, g.time = pos, recordTime(frame[frameHeader:])
	}
}

// write writes the batch at the end of the segment. A full disk, which only a file
// system that gives no room to keep can have here, is waited for, unless the caller
// cannot: then nothing was written, and false is returned.
func (c *committer) write(canWait bool) bool {
	g := &c.gather
	g.put(c.head[segmentHeader:], c.seed)
	head, off := c.head[segmentHeader:], c.seg.end.Load()
	if c.fresh {
		head, off = c.head[:], 0
	}
	total := int64(len(head)) + int64(g.length)
	start := c.l.o.Clock.Now()
	for full := false; ; full = true {
		bufs := [3][]byte{head, g.pieces[0], g.pieces[1]}
		_, err := c.file.WriteV(bufs[:], off)
		if err == nil {
			if full {
				c.l.diskFull(false, nil)
			}
			break
		}
		if !noRoom(err) || c.stopping.Load() {
			c.fail("writing", err)
			return false
		}
		if !canWait {
			return false
		}
		c.l.diskFull(true, err)
		time.Sleep(retryEvery)
	}
	c.l.stats.Write.Record(int64(c.l.o.Clock.Now() - start))
	c.l.stats.Commits.Add(1)
	c.l.stats.Bytes.Add(uint64(total))
	c.seg.end.Store(off + total)
	if step := c.seg.size / keeperSteps; off/step != (off+total)/step {
		c.l.keeper.wake()
	}
	return true
}

// sync makes what was written durable. After an error the descriptor is not
// touched again: a second sync would succeed and prove nothing.
func (c *committer) sync() bool {
	start := c.l.o.Clock.Now()
	if err := c.file.Datasync(); err != nil {
		c.fail("syncing", err)
		return false
	}
	c.l.stats.Sync.Record(int64(c.l.o.Clock.Now() - start))
	c.unsynced = false
	c.l.durable.Store(c.seq)
	return true
}

// syncDue syncs when SyncBatch's interval is over, and reports whether it did.
func (c *committer) syncDue() bool {
	return c.unsynced && c.l.o.Sync == SyncBatch && c.l.o.Clock.Now() >= c.due && c.l.failure.Load() == nil && c.sync()
}

// roll goes on to the next segment, and returns false when there is none yet. The
// old one is synced first, in every mode: a segment with records proves that those
// before it are whole.
func (c *committer) roll() bool {
	next := c.spare.Load()
	if next == nil {
		c.blocked = true
		return false
	}
	if c.unsynced && !c.sync() {
		return false
	}
	if err := c.file.Close(); err != nil {
		c.l.o.Log.Warn("journal: closing a segment", zap.String("file", c.seg.name), zap.Error(err))
	}
	c.spare.Store(nil)
	c.granted = nil
	h := header{id: c.l.id, index: next.index, first: c.seq + 1, floor: c.time, created: c.l.o.Clock.Now()}
	h.put(c.head[:segmentHeader])
	c.file, c.fresh = next.file, true
	c.seg = &segment{index: h.index, name: fileName(c.l.o.Name, h.index), first: h.first, size: next.size}
	c.seg.last.Store(c.seq)
	c.seg.time.Store(int64(c.time))
	c.seg.end.Store(segmentHeader)
	c.l.stats.Rolls.Add(1)
	return true
}

// finish marks the end: what lies before the mark had been synced, so that damage
// to any of it is known as such, which otherwise the next batch would say.
func (c *committer) finish() {
	if c.l.failure.Load() != nil {
		return
	}
	if c.l.ring.waiting() {
		c.fail("closing", errNoSegment)
		return
	}
	if c.unsynced && !c.sync() {
		return
	}
	end := c.seg.end.Load()
	if c.marked || c.fresh || end+batchHeader > c.seg.size {
		return
	}
	mark := batch{first: c.seq + 1, durable: c.seq}
	mark.put(c.head[segmentHeader:], c.seed)
	if _, err := c.file.WriteAt(c.head[segmentHeader:], end); err != nil {
		c.fail("writing", err)
		return
	}
	c.sync()
}

// errNoSegment cannot be: Append takes nothing that has no room.
var errNoSegment = errors.New("records wait for a segment")

func (c *committer) fail(what string, err error) {
	c.l.fail(fmt.Errorf("%w: %s %s: %w", ErrFailed, what, c.l.files.path(c.seg.name), err))
}

// failSoon has the committer fail the log: whoever sees Err has seen the last of
// Committed. Any goroutine.
func (c *committer) failSoon(err error) {
	c.failing.CompareAndSwap(nil, &failure{err})
	c.waiter.Wake()
}

// stop commits what was published, marks the end and waits for the goroutine.
func (c *committer) stop() {
	c.stopping.Store(true)
	c.waiter.Wake()
	<-c.done
}
