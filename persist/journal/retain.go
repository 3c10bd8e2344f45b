package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"qcat/core"
)

// holds are those who still need records.
type holds struct {
	mu       sync.Mutex
	list     []*Hold
	retainMu sync.Mutex // one pass at a time
	on       atomic.Bool
}

// Hold keeps the records that its owner has not passed. Any goroutine.
type Hold struct {
	l    *Log
	name string
	seq  atomic.Uint64
}

// Hold returns the hold of that name, and makes it when there is none: it then
// keeps everything until the first Advance.
func (l *Log) Hold(name string) *Hold {
	l.holds.mu.Lock()
	defer l.holds.mu.Unlock()
	for _, h := range l.holds.list {
		if h.name == name {
			return h
		}
	}
	h := &Hold{l: l, name: name}
	l.holds.list = append(l.holds.list, h)
	return h
}

// Advance says that the owner needs nothing up to seq any more. It never goes back.
func (h *Hold) Advance(seq uint64) {
	old := h.seq.Load()
	for seq > old && !h.seq.CompareAndSwap(old, seq) {
		old = h.seq.Load()
	}
	if next := h.l.table.second(); next != nil && old < next.first-1 && seq >= next.first-1 {
		h.l.keeper.wake()
	}
}

// Seq is how far the owner has come.
func (h *Hold) Seq() uint64 { return h.seq.Load() }

// Release takes the hold back.
func (h *Hold) Release() {
	h.l.holds.mu.Lock()
	defer h.l.holds.mu.Unlock()
	if i := slices.Index(h.l.holds.list, h); i >= 0 {
		h.l.holds.list = slices.Delete(h.l.holds.list, i, i+1)
	}
}

// held is the sequence that every hold has passed.
func (l *Log) held() uint64 {
	l.holds.mu.Lock()
	defer l.holds.mu.Unlock()
	passed := ^uint64(0)
	for _, h := range l.holds.list {
		passed = min(passed, h.seq.Load())
	}
	return passed
}

// Retain applies the retention now, and from then on in the background: call it
// once every hold is made. A segment is deleted, oldest first and never the newest,
// when every Hold has passed its last record and it is older than Options.MaxAge or
// all files together are larger than Options.MaxBytes. With Options.Lossy the size
// alone does. Without age and size everything is kept.
//
// Errors: the file system's. What it concerns is tried again by the next pass.
func (l *Log) Retain() error {
	l.holds.on.Store(true)
	return l.retainNow()
}

// keepRetaining is the pass in the background.
func (l *Log) keepRetaining() {
	if !l.holds.on.Load() {
		return
	}
	if err := l.retainNow(); err != nil {
		l.o.Log.Warn("journal: retention", zap.Error(err))
	}
}

func (l *Log) retainNow() error {
	l.holds.retainMu.Lock()
	defer l.holds.retainMu.Unlock()
	for l.table.second() != nil {
		s, held := l.table.oldest(), l.held()
		if !l.expendable(s, held) {
			return nil
		}
		// One by one, each for good: a later one must not be gone while an earlier one is
		// there.
		if err := l.files.remove(s.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("journal: deleting %s: %w", s.name, err)
		}
		l.table.dropOldest()
		l.stats.Deleted.Add(1)
		last := s.last.Load()
		if held < last {
			l.stats.Lost.Add(last - max(held, s.first-1))
		}
		l.o.Log.Info("journal: segment deleted", zap.String("file", s.name), zap.Uint64("last", last))
	}
	return nil
}

// expendable reports whether the oldest segment may go.
func (l *Log) expendable(s *segment, held uint64) bool {
	_, bytes := l.table.size()
	large := l.o.MaxBytes > 0 && bytes+l.o.SegmentBytes > l.o.MaxBytes // with the spare one
	if s.last.Load() > held {
		return large && l.o.Lossy
	}
	old := l.o.MaxAge > 0 && l.o.Clock.Now()-core.Nanos(s.time.Load()) >= core.Nanos(l.o.MaxAge)
	return large || old
}
