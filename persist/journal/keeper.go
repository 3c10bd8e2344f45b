package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"go.uber.org/zap"

	"qcat/persist/vfs"
)

const (
	// retryEvery is how often a full disk is tried again.
	retryEvery = 100 * time.Millisecond
	// retainEvery is how often retention looks at ages.
	retainEvery = time.Minute
	// fillBytes is how much of a segment is filled and synced at once: little enough
	// not to hold up the syncs of the committer.
	fillBytes = 512 << 10
	// fillAhead is how many times as much of the next segment is filled as of the one
	// in use is written. It is full, or taken as it is, when a part in fillAhead is.
	fillAhead = 4
	// maxFillPause bounds the pause after each.
	maxFillPause = 50 * time.Millisecond
	// firstSegmentBytes bounds the first segment of a new log, of which fillBytes are
	// filled while Open is waited for.
	firstSegmentBytes = 8 << 20
)

// spare is the next segment: its room is kept, and as much of it filled with zeros
// as there was time for; synced, under its own name.
type spare struct {
	index uint64
	size  int64
	file  vfs.File
}

// keeper is the goroutine that makes the next segment ahead of time and deletes
// old ones.
type keeper struct {
	l    *Log
	kick chan struct{}
	quit chan struct{}
	done chan struct{}

	next   uint64   // index of the segment to make
	file   vfs.File // that is being filled
	size   int64
	filled int64
	kept   bool // its room is kept whether filled or not
	broken bool // its file is not to be touched any more
}

func (k *keeper) run() {
	defer close(k.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for k.l.failure.Load() == nil && !k.broken {
		select {
		case <-k.quit:
			return
		case <-k.kick:
		case <-timer.C:
		}
		k.l.keepRetaining()
		timer.Reset(k.provide())
	}
}

// wake has the keeper look at everything. Any goroutine.
func (k *keeper) wake() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

// provide goes on making a spare segment unless there is one, and returns when to
// go on. It is woken before that when there is more to do.
func (k *keeper) provide() time.Duration {
	l := k.l
	if l.writer.spare.Load() != nil {
		return retainEvery
	}
	pause, err := k.make()
	switch {
	case err == nil:
		l.diskFull(false, nil)
		return pause
	case noRoom(err):
		l.diskFull(true, err)
		return retryEvery
	default:
		k.broken = true
		l.writer.failSoon(fmt.Errorf("%w: making a segment: %w", ErrFailed, err))
		return retainEvery
	}
}

// make goes on with the spare segment where it stopped, by one step, and hands it
// over when it will do. It returns when the next step is due.
func (k *keeper) make() (time.Duration, error) {
	if k.file == nil {
		if err := k.begin(); err != nil {
			return 0, err
		}
	}
	if k.l.o.Sync != SyncOS {
		pause, enough, err := k.fill()
		if err != nil || !enough {
			return pause, err
		}
	}
	return retainEvery, k.handOver()
}

// begin makes the file and keeps its room on the disk. Files grow to SegmentBytes
// by doubling: a log that is little used stays small.
func (k *keeper) begin() (err error) {
	l := k.l
	k.size = min(l.o.SegmentBytes, max(2*l.table.newest().size, firstSegmentBytes))
	if k.file, err = l.files.create(spareName(l.o.Name)); err != nil {
		return err
	}
	k.filled, k.kept = 0, false
	if l.o.Sync == SyncOS {
		return k.file.Truncate(k.size)
	}
	return nil
}

// fill really writes zeros to the room it keeps, so that a later sync has nothing to
// write but the data. The zeros stay ahead of the records, by a factor, rather than
// come at once: they share the disk with the syncs that orders wait for. Records that
// come faster than zeros get a segment whose room alone is kept: syncs that also write
// metadata are better than none.
func (k *keeper) fill() (pause time.Duration, enough bool, err error) {
	if k.filled == 0 && !k.kept {
		err := k.file.Allocate(k.size)
		if k.kept = !errors.Is(err, errors.ErrUnsupported); k.kept && err != nil {
			k.kept = false
			return 0, false, err
		}
		if err := k.file.Datasync(); err != nil {
			return 0, false, err
		}
	}
	used, size := k.inUse()
	switch {
	case k.filled >= k.size, k.kept && used > size/fillAhead:
		return 0, true, nil
	case k.kept && k.filled > fillAhead*(used*k.size/size):
		return retainEvery, false, nil // the committer wakes
	}
	start := k.l.o.Clock.Now()
	n := min(k.size-k.filled, fillBytes)
	if err := writeZeros(k.file, k.filled, n); err != nil {
		return 0, false, err
	}
	if err := k.file.Datasync(); err != nil {
		return 0, false, err
	}
	k.filled += n
	return min(time.Duration(k.l.o.Clock.Now()-start), maxFillPause), k.filled >= k.size, nil
}

// inUse is how much of the segment in use is written, and its size.
func (k *keeper) inUse() (used, size int64) {
	s := k.l.table.newest()
	return s.end.Load(), s.size
}

// handOver gives the segment its name, and it to the committer.
func (k *keeper) handOver() error {
	l := k.l
	if err := l.files.rename(spareName(l.o.Name), fileName(l.o.Name, k.next)); err != nil {
		return err
	}
	l.writer.spare.Store(&spare{index: k.next, size: k.size, file: k.file})
	l.writer.waiter.Wake()
	k.file = nil
	k.next++
	return nil
}

// writeZeros overwrites n bytes at off.
func writeZeros(f vfs.File, off, n int64) error {
	for n > 0 {
		m := min(n, int64(len(zeros)))
		if _, err := f.WriteAt(zeros[:m], off); err != nil {
			return err
		}
		off, n = off+m, n-m
	}
	return nil
}

// stop ends the goroutine and deletes what it has made and nobody used.
func (k *keeper) stop() {
	close(k.quit)
	<-k.done
	l := k.l
	if k.file != nil {
		k.file.Close()
		k.drop(spareName(l.o.Name))
	}
	if s := l.writer.spare.Swap(nil); s != nil {
		s.file.Close()
		k.drop(fileName(l.o.Name, s.index))
	}
}

// drop deletes an unused file. After a failure nothing is touched: the next Open
// clears it away.
func (k *keeper) drop(file string) {
	if k.l.failure.Load() != nil {
		return
	}
	if err := k.l.files.remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.l.o.Log.Warn("journal: deleting an unused segment", zap.String("file", file), zap.Error(err))
	}
}

// noRoom reports whether an error is one that space or descriptors given back can
// end.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// diskFull notes, and says once, that there is no room, or that there is again.
func (l *Log) diskFull(full bool, err error) {
	if l.stats.DiskFull.Swap(full) == full {
		return
	}
	if full {
		l.stats.DiskFulls.Add(1)
		l.o.Log.Error("journal: no room for another segment; tried again", zap.Duration("every", retryEvery), zap.Error(err))
		return
	}
	l.o.Log.Info("journal: room again")
}

func logFields(l *Log, err error) []zap.Field {
	return []zap.Field{zap.String("log", l.o.Name), zap.Uint64("committed", l.Committed()),
		zap.Uint64("durable", l.Durable()), zap.Error(err)}
}
