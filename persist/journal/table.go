package journal

import (
	"sync"
	"sync/atomic"
)

// segment is one file of a log that is in use. The committer writes last, end and
// time of the newest one; what is sealed does not change.
type segment struct {
	index uint64
	name  string // of the file, without its directory
	first uint64
	size  int64 // of the file

	last atomic.Uint64 // first-1 while it is empty
	end  atomic.Int64  // behind the last batch
	time atomic.Int64  // of the last record
}

// table lists the segments of a log, oldest first. There is always one. Any
// goroutine.
type table struct {
	mu   sync.Mutex
	list []*segment
}

// add appends a segment.
func (t *table) add(s *segment) {
	t.mu.Lock()
	t.list = append(t.list, s)
	t.mu.Unlock()
}

// oldest is the first segment.
func (t *table) oldest() *segment {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.list[0]
}

// newest is the segment that is written.
func (t *table) newest() *segment {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.list[len(t.list)-1]
}

// second is the segment after the oldest, or nil.
func (t *table) second() *segment {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.list) < 2 {
		return nil
	}
	return t.list[1]
}

// dropOldest forgets the oldest segment.
func (t *table) dropOldest() {
	t.mu.Lock()
	t.list = append([]*segment(nil), t.list[1:]...)
	t.mu.Unlock()
}

// find returns the segment of a record that is committed, or the newest one for
// the record after that; and the first sequence there is when it is gone.
func (t *table) find(seq uint64) (s *segment, first uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first = t.list[0].first
	for i := len(t.list) - 1; i >= 0; i-- {
		if t.list[i].first <= seq {
			return t.list[i], first
		}
	}
	return nil, first
}

// size counts the segments and the bytes of their files.
func (t *table) size() (segments int, bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.list {
		bytes += s.size
	}
	return len(t.list), bytes
}
