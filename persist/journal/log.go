package journal

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"qcat/core/record"
	"qcat/ringbuf"
)

// Log is an open log, and the only writer of its files. One goroutine appends and
// flushes; everything else is for any.
type Log struct {
	ring      *ring
	maxRecord int
	failure   atomic.Pointer[failure]

	o       Options
	id      ID
	opened  Opened
	table   *table
	stats   Stats
	files   files
	writer  *committer
	keeper  *keeper
	holds   holds
	closing sync.Once
	closed  error // of the first Close

	committed atomic.Uint64
	durable   atomic.Uint64
	lastTime  atomic.Int64

	notify   atomic.Pointer[func()]
	watchMu  sync.Mutex
	watchers atomic.Pointer[[]*ringbuf.Waiter]
}

// failure is why a log takes no more records.
type failure struct{ err error }

// Errors that may be returned for every record under load are made once.
var (
	errBufferFull = fmt.Errorf("%w: what waits to be written fills the buffer", ErrFull)
	errDiskFull   = fmt.Errorf("%w: no room for another segment", ErrFull)
	errLogClosed  = fmt.Errorf("%w: no more records", ErrClosed)
)

// Append copies rec, which begins with a record.Header, as the next record and
// returns its sequence. It is committed some time after the next Flush. Appending
// goroutine only; it does not allocate, lock, or call the system.
//
// Errors: ErrFull, to be tried again; ErrTooLarge and ErrOrder, which leave the log
// as it was; ErrFailed and ErrClosed for good.
func (l *Log) Append(rec []byte) (seq uint64, err error) {
	if f := l.failure.Load(); f != nil {
		return 0, f.err
	}
	if len(rec) < record.HeaderLen || len(rec) > l.maxRecord {
		return 0, l.wrongSize(rec)
	}
	r := l.ring
	seq, at := recordSeq(rec), recordTime(rec)
	if seq != r.seq+1 || at < r.time {
		return 0, fmt.Errorf("%w: record %d of time %d after %d of time %d", ErrOrder, seq, at, r.seq, r.time)
	}
	if !r.put(rec) {
		l.stats.Full.Add(1)
		if r.bufferFull(rec) {
			return 0, errBufferFull
		}
		return 0, errDiskFull
	}
	r.seq, r.time = seq, at
	return seq, nil
}

func (l *Log) wrongSize(rec []byte) error {
	if len(rec) < record.HeaderLen {
		return fmt.Errorf("%w: %d bytes are shorter than a record's header", ErrOrder, len(rec))
	}
	return fmt.Errorf("%w: %d bytes, %d are possible", ErrTooLarge, len(rec), l.maxRecord)
}

// Flush has what was appended committed. It does not wait for a disk; unless the log
// is SyncAlways it is committed on return as a rule. Appending goroutine only.
//
// Errors: Err.
func (l *Log) Flush() error {
	if l.publish() {
		l.writer.waiter.Wake()
	}
	return l.Err()
}

// Publish is Flush for an appending goroutine that calls Commit soon, or has another
// one call it: until then a log that is SyncAlways need not begin.
//
// Errors: Err.
func (l *Log) Publish() error {
	if l.publish() && l.o.Sync != SyncAlways {
		l.writer.waiter.Wake()
	}
	return l.Err()
}

// publish lets the committer have what was appended, and reports whether there is
// something left for its goroutine.
func (l *Log) publish() bool {
	if l.ring.at == l.ring.published.Load() {
		return false
	}
	l.ring.publish()
	return l.o.Sync == SyncAlways || !l.writer.commitHere()
}

// Commit commits what was published, on the calling goroutine if the committer is not
// at it: it waits for the disk, and a record that is alone wakes nobody. Any goroutine.
func (l *Log) Commit() {
	if l.o.Sync == SyncAlways && l.ring.waiting() && !l.writer.lead() {
		l.writer.waiter.Wake()
	}
}

// Committed is the last sequence that will survive, as Options.Sync says.
func (l *Log) Committed() uint64 { return l.committed.Load() }

// Durable is the last sequence that was synced: it survives a power cut, whatever
// Options.Sync says.
func (l *Log) Durable() uint64 { return l.durable.Load() }

// Err is nil while records can commit; afterwards it wraps ErrFailed and its cause,
// or ErrClosed.
func (l *Log) Err() error {
	if f := l.failure.Load(); f != nil {
		return f.err
	}
	return nil
}

// fail ends the log: nothing is committed, written or synced any more. The first
// reason counts. The committer's goroutine tells, once it holds nothing.
func (l *Log) fail(err error) {
	if l.failure.CompareAndSwap(nil, &failure{err}) && !errors.Is(err, ErrClosed) {
		l.o.Log.Error("journal failed: nothing more is committed", logFields(l, err)...)
	}
}

// Notify names what is called when Committed or Durable has advanced by itself, without
// the appending goroutine, or Err is set: by the committer's goroutine, which holds
// nothing, or by Close. It may append and flush. nil names nothing.
func (l *Log) Notify(f func()) {
	if f == nil {
		l.notify.Store(nil)
		return
	}
	l.notify.Store(&f)
}

// Watch has w nudged, until Unwatch, when Committed or Durable advances or Err is
// set.
func (l *Log) Watch(w *ringbuf.Waiter) {
	l.changeWatchers(func(list []*ringbuf.Waiter) []*ringbuf.Waiter { return append(list, w) })
}

// Unwatch takes back one Watch.
func (l *Log) Unwatch(w *ringbuf.Waiter) {
	l.changeWatchers(func(list []*ringbuf.Waiter) []*ringbuf.Waiter {
		if i := slices.Index(list, w); i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
		return list
	})
}

func (l *Log) changeWatchers(change func([]*ringbuf.Waiter) []*ringbuf.Waiter) {
	l.watchMu.Lock()
	defer l.watchMu.Unlock()
	var list []*ringbuf.Waiter
	if old := l.watchers.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = change(list)
	l.watchers.Store(&list)
}

// tell has everybody look again who waits for a commit, a sync or the log's end.
func (l *Log) tell() {
	if f := l.notify.Load(); f != nil {
		(*f)()
	}
	l.nudgeWatchers()
}

func (l *Log) nudgeWatchers() {
	if list := l.watchers.Load(); list != nil {
		for _, w := range *list {
			w.Nudge()
		}
	}
}

// ID is the log's name: random, and in the header of each segment.
func (l *Log) ID() [16]byte { return l.id }

// First is the oldest sequence there is, or the first there will be.
func (l *Log) First() uint64 { return l.table.oldest().first }

// Opened is what Open found and did.
func (l *Log) Opened() Opened { return l.opened }

// Stats is what the log counts.
func (l *Log) Stats() *Stats { return &l.stats }

// Gauges are where the log stands.
func (l *Log) Gauges() Gauges {
	g := Gauges{Durable: l.Durable(), Committed: l.Committed(), First: l.First(), LastTime: l.lastTime.Load(), Err: l.Err()}
	taken := l.ring.taken.Load()
	g.Buffered, g.Capacity = int(l.ring.published.Load()-taken), len(l.ring.buf)
	g.Published = max(l.ring.publishedSeq(), g.Committed)
	g.Segments, g.Bytes = l.table.size()
	return g
}

// NewReader returns a reader that begins at record from, which is at most the one
// after the last committed.
//
// Errors: a GoneError when retention has deleted it; ErrAhead.
func (l *Log) NewReader(from uint64) (*Reader, error) { return l.newReader(from, &l.committed) }

// NewDurableReader returns a reader of what was synced. A follower that survives a
// power cut reads so: it must not know of records that this log may lose.
//
// Errors: those of NewReader.
func (l *Log) NewDurableReader(from uint64) (*Reader, error) { return l.newReader(from, &l.durable) }

func (l *Log) newReader(from uint64, through *atomic.Uint64) (*Reader, error) {
	return newReader(&l.files, l.table, l.id, from, through)
}

// Records yields the records from to to, both included, as far as they are
// committed now; to 0 means all. A record is valid until the next one. An error
// ends it.
func (l *Log) Records(from, to uint64) iter.Seq2[[]byte, error] {
	return records(from, to, l.Committed(), l.NewReader)
}

// Close commits and syncs what was appended, marks the log as closed in order and
// lets go of it. The appending goroutine must have stopped, or be the one that
// calls. A second Close returns the same.
//
// Errors: Err, when the log had failed: nothing is written then.
func (l *Log) Close() error {
	l.closing.Do(func() {
		if l.Err() == nil {
			l.ring.publish()
		}
		l.writer.stop()
		l.keeper.stop()
		l.closed = l.Err()
		l.fail(errLogClosed)
		l.tell()
	})
	return l.closed
}
