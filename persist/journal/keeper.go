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
	fillBytes = 1 << 20
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

// provide makes a spare segment unless there is one, and returns when to look
// again.
func (k *keeper) provide() time.Duration {
	l := k.l
	if l.writer.spare.Load() != nil {
		return retainEvery
	}
	err := k.make()
	switch {
	case err == nil:
		l.diskFull(false, nil)
		return retainEvery
	case errors.Is(err, ErrClosed):
		return retainEvery
	case noRoom(err):
		l.diskFull(true, err)
		return retryEvery
	default:
		k.broken = true
		l.writer.failSoon(fmt.Errorf("%w: making a segment: %w", ErrFailed, err))
		return retainEvery
	}
}

// make goes on with the spare segment where it stopped, and hands it over.
func (k *keeper) make() (err error) {
	l := k.l
	if k.file == nil {
		if k.file, err = l.files.create(spareName(l.o.Name)); err != nil {
			return err
		}
		k.filled = 0
	}
	size := l.o.SegmentBytes
	if l.o.Sync == SyncOS {
		err = k.file.Truncate(size)
	} else {
		err = k.fill(size)
	}
	if err != nil {
		return err
	}
	if err := l.files.rename(spareName(l.o.Name), fileName(l.o.Name, k.next)); err != nil {
		return err
	}
	l.writer.spare.Store(&spare{index: k.next, size: size, file: k.file})
	l.writer.waiter.Wake()
	k.file = nil
	k.next++
	return nil
}

// fill keeps the segment's room on the disk and really writes zeros there, so that
// a later sync has nothing to write but the data. It stops with the room alone when
// the segment in use is half full: syncs that also write metadata are better than
// none.
func (k *keeper) fill(size int64) error {
	if k.filled == 0 {
		err := k.file.Allocate(size)
		if k.kept = !errors.Is(err, errors.ErrUnsupported); k.kept && err != nil {
			return err
		}
		if err := k.file.Datasync(); err != nil {
			return err
		}
	}
	for k.filled < size && !(k.kept && k.hurried()) {
		start := k.l.o.Clock.Now()
		n := min(size-k.filled, fillBytes)
		if err := writeZeros(k.file, k.filled, n); err != nil {
			return err
		}
		if err := k.file.Datasync(); err != nil {
			return err
		}
		k.filled += n
		if k.filled < size && !k.pause(time.Duration(k.l.o.Clock.Now()-start)) {
			return ErrClosed
		}
	}
	return nil
}

// hurried reports whether the segment in use is half full.
func (k *keeper) hurried() bool {
	s := k.l.table.newest()
	return s.end.Load() > s.size/2
}

// pause leaves the disk to the committer for as long as it was taken, unless
// somebody wakes the keeper. It returns false when it is to stop.
func (k *keeper) pause(took time.Duration) bool {
	select {
	case <-k.quit:
		return false
	case <-k.kick:
		return true
	case <-time.After(min(took, maxFillPause)):
		return true
	}
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
