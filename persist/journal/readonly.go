package journal

import (
	"errors"
	"io/fs"
	"iter"
	"sync/atomic"

	"qcat/core"
	"qcat/persist/vfs"
)

// ReadOnly is a log as it stood when it was opened, for tools and backups: it
// changes nothing, and a server may go on writing meanwhile. Any goroutine.
type ReadOnly struct {
	files files
	id    ID
	table table
	last  atomic.Uint64
}

// openTries is how often retention may delete the oldest segment while a log is
// being looked at: each time there is less to look at.
const openTries = 100

// OpenReadOnly reads the headers and the last segment of a log. Batches that are
// not whole are taken for ones that are being written.
//
// Errors: ErrNone; a DamageError for a segment that is missing or has no header;
// the file system's.
func OpenReadOnly(dir, name string, fsys vfs.FS) (*ReadOnly, error) {
	r := &ReadOnly{files: files{fsys, dir, name}}
	var err error
	for range openTries {
		if err = r.load(); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (r *ReadOnly) load() error {
	indexes, err := r.files.someSegments()
	if err != nil {
		return err
	}
	v, err := take(&r.files, indexes)
	if err != nil {
		return err
	}
	r.id, r.table.list = v.id, nil
	newest := len(v.headers) - 1
	for i := range v.headers[:newest] {
		h := &v.headers[i]
		seg := &segment{index: h.index, name: fileName(r.files.name, h.index), first: h.first}
		if seg.size, err = r.files.fs.Stat(r.files.path(seg.name)); err != nil {
			return err
		}
		seg.last.Store(v.headers[i+1].first - 1)
		seg.end.Store(seg.size)
		seg.time.Store(int64(v.headers[i+1].floor))
		r.table.add(seg)
	}
	s := scanner{seq: v.headers[newest].first - 1, time: v.headers[newest].floor}
	seg, err := v.scan(&s, newest, func() {})
	if err != nil {
		return err
	}
	r.table.add(seg)
	r.last.Store(s.seq)
	return nil
}

// ID is the log's name.
func (r *ReadOnly) ID() [16]byte { return r.id }

// First is the oldest sequence there was, or the first there will be.
func (r *ReadOnly) First() uint64 { return r.table.oldest().first }

// Last is the last sequence there was; First-1 when there was none.
func (r *ReadOnly) Last() uint64 { return r.last.Load() }

// LastTime is the time of that record, 0 when there was none.
func (r *ReadOnly) LastTime() core.Nanos { return core.Nanos(r.table.newest().time.Load()) }

// NewReader returns a reader that begins at record from and ends at Last.
//
// Errors: GoneError, ErrAhead.
func (r *ReadOnly) NewReader(from uint64) (*Reader, error) {
	return newReader(&r.files, &r.table, r.id, from, &r.last)
}

// Records yields the records from to to, both included; to 0 means all. A record
// is valid until the next one. An error ends it.
func (r *ReadOnly) Records(from, to uint64) iter.Seq2[[]byte, error] {
	return records(from, to, r.Last(), r.NewReader)
}

// Verify reads the log once more and checks all of it.
//
// Errors: those of the function Verify.
func (r *ReadOnly) Verify() (Report, error) { return Verify(r.files.fs, r.files.dir, r.files.name) }
