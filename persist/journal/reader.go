package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sync/atomic"

	"qcat/persist/vfs"
)

// Reader reads the records of a log in order, from its files, while it is
// written. It belongs to one goroutine; each has its own. It allocates when it
// comes to another segment, not for a record.
type Reader struct {
	files   *files
	table   *table
	through *atomic.Uint64 // what may be read

	next  uint64 // sequence of the record that Next returns
	limit uint64 // through, when it was last looked at
	seed  uint32
	err   error // what ended the reading for good

	seg    *segment
	file   vfs.File
	window window
	pos    int64  // of the next frame, or batch header when none is left
	end    int64  // of what may be read of the file
	left   uint32 // frames of the batch that are left
	stop   int64  // of the batch
}

func newReader(files *files, t *table, id ID, from uint64, through *atomic.Uint64) (*Reader, error) {
	if next := through.Load() + 1; from > next {
		return nil, fmt.Errorf("%w: %d, the next one is %d", ErrAhead, from, next)
	}
	if first := t.oldest().first; from < first {
		return nil, &GoneError{from, first}
	}
	return &Reader{files: files, table: t, through: through, next: from, seed: id.seed()}, nil
}

// errReaderClosed is what Next returns after Close.
var errReaderClosed = fmt.Errorf("%w: reader", ErrClosed)

// Next returns the next record, or false when there is none yet. rec is valid
// until the next call.
//
// Errors, each for good: a GoneError when retention has deleted the record; a
// DamageError when the file no longer holds what was written; the file's.
func (r *Reader) Next() (rec []byte, ok bool, err error) {
	if r.next > r.limit {
		if r.limit = r.through.Load(); r.next > r.limit || r.err != nil {
			return nil, false, r.err
		}
		r.look()
	}
	if r.err != nil {
		return nil, false, r.err
	}
	if rec, err = r.read(); err != nil {
		r.err = err
		return nil, false, err
	}
	r.next++
	return rec, true, nil
}

// Seq is the sequence of the record that Next will return.
func (r *Reader) Seq() uint64 { return r.next }

// Ready reports whether Next has a record, or an error, to return: what a
// ringbuf.Waiter asks, together with Log.Watch.
func (r *Reader) Ready() bool { return r.next <= r.limit || r.next <= r.through.Load() || r.err != nil }

// Lag is how many records there are that Next has not returned.
func (r *Reader) Lag() uint64 {
	if n := r.through.Load() + 1; n > r.next {
		return n - r.next
	}
	return 0
}

// Close lets go of the file.
func (r *Reader) Close() error {
	if errors.Is(r.err, ErrClosed) {
		return nil
	}
	r.err = errReaderClosed
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Close()
}

// look notes how far the segment's file may be read. It comes after a look at
// through: the segment's end was stored before.
func (r *Reader) look() {
	if r.seg != nil {
		r.end = r.seg.end.Load()
	}
}

// read returns record next, which is committed.
func (r *Reader) read() ([]byte, error) {
	for r.left == 0 {
		if err := r.nextBatch(); err != nil {
			return nil, err
		}
	}
	frame, why, err := r.window.frameAt(r.pos, r.stop, r.seed)
	if err != nil {
		return nil, r.explain(err)
	}
	if why == "" && recordSeq(frame[frameHeader:]) != r.next {
		why = fmt.Sprintf("record %d", recordSeq(frame[frameHeader:]))
	}
	if why != "" {
		return nil, r.damage(why)
	}
	r.pos += int64(len(frame))
	r.left--
	return frame[frameHeader:], nil
}

// nextBatch steps to the batch of record next, or one before it.
func (r *Reader) nextBatch() error {
	if r.seg == nil || r.next > r.seg.last.Load() {
		if err := r.nextSegment(); err != nil {
			return err
		}
	}
	b, err := r.window.view(r.pos, batchHeader, r.end)
	if err != nil {
		return r.explain(err)
	}
	var h batch
	if why := parseBatch(b, r.seed, &h); why != "" {
		return r.damage(why)
	}
	r.pos += batchHeader
	if h.first > r.next {
		return r.damage(fmt.Sprintf("a batch of record %d", h.first))
	}
	if h.first+uint64(h.count) <= r.next { // before where this reader began, or a mark
		r.pos += int64(h.length)
		return nil
	}
	r.left, r.stop = h.count, r.pos+int64(h.length)
	return r.skip(h.first)
}

// skip steps over the frames of a batch that lie before record next.
func (r *Reader) skip(first uint64) error {
	for ; first < r.next; first++ {
		frame, why, err := r.window.frameAt(r.pos, r.stop, r.seed)
		if err != nil {
			return r.explain(err)
		}
		if why != "" {
			return r.damage(why)
		}
		r.pos += int64(len(frame))
		r.left--
	}
	return nil
}

// nextSegment opens the segment that holds record next.
func (r *Reader) nextSegment() error {
	if r.file != nil {
		f := r.file
		r.file = nil
		if err := f.Close(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	seg, first := r.table.find(r.next)
	if seg == nil {
		return &GoneError{r.next, first}
	}
	f, err := r.files.open(seg.name)
	if errors.Is(err, fs.ErrNotExist) {
		// Deleted just now: what follows on it is there.
		return &GoneError{r.next, max(seg.last.Load()+1, r.table.oldest().first)}
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	r.seg, r.file = seg, f
	r.window.reset(f)
	r.pos, r.left = segmentHeader, 0
	r.look()
	return nil
}

// explain turns the end of a file into damage: what is committed was there.
func (r *Reader) explain(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return r.damage("the file ends before")
	}
	return fmt.Errorf("journal: reading %s: %w", r.seg.name, err)
}

func (r *Reader) damage(why string) error {
	return &DamageError{r.seg.name, r.pos, r.next - 1, why}
}

// records yields the records from to to, or to last when that is less, of readers
// that open makes.
func records(from, to, last uint64, open func(uint64) (*Reader, error)) iter.Seq2[[]byte, error] {
	if to == 0 || to > last {
		to = last
	}
	return func(yield func([]byte, error) bool) {
		r, err := open(from)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = r.Close() }() // of a file that was read
		for r.next <= to {
			rec, ok, err := r.Next()
			if err != nil {
				yield(nil, err)
				return
			}
			if !ok || !yield(rec, nil) {
				return
			}
		}
	}
}
