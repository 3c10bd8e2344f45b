package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/persist/vfs"
	"qcat/ringbuf"
)

// Open opens the log of a directory for appending, or begins one. It reads and
// checks every record, takes a torn end off and syncs what is left. The caller sees
// to it that no other process has the log open.
//
// Errors: ErrOptions; a DamageError when something that had been synced is broken
// or missing: nothing is changed then; the file system's.
func Open(o Options) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	start := o.Clock.Now()
	l := &Log{o: o, ring: newRing(o.BufferBytes), files: files{o.FS, o.Dir, o.Name}}
	l.maxRecord = min(maxRecord, l.ring.largest(), int(o.SegmentBytes)-segmentHeader-batchHeader-roomEnd-frameHeader)
	tail, err := l.recoverOrCreate()
	if err != nil {
		return nil, err
	}
	l.opened.Took = time.Duration(o.Clock.Now() - start)
	l.start(tail)
	return l, nil
}

func (l *Log) recoverOrCreate() (*tail, error) {
	if err := l.files.fs.MkdirAll(l.files.dir, 0o750); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := l.files.fs.SyncDir(filepath.Dir(l.files.dir)); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := l.files.fs.Remove(l.files.path(spareName(l.o.Name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	indexes, err := l.files.segments()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var t *tail
	if len(indexes) == 0 {
		t, err = l.create()
	} else {
		t, err = l.recover(indexes)
	}
	if err != nil && !errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("journal: opening %s: %w", l.files.dir, err)
	}
	return t, err
}

// tail is where a log goes on.
type tail struct {
	file   vfs.File
	seg    *segment
	seq    uint64
	time   core.Nanos
	marked bool
}

// create begins a log: its first segment gets its name when it is whole.
func (l *Log) create() (*tail, error) {
	rand.Read(l.id[:])
	size := min(l.o.SegmentBytes, firstSegmentBytes)
	f, err := l.files.create(spareName(l.o.Name))
	if err != nil {
		return nil, err
	}
	h := header{id: l.id, index: 1, first: l.o.Start, created: l.o.Clock.Now()}
	if err := l.writeFirst(f, &h, size); err != nil {
		f.Close()
		return nil, err
	}
	seg := &segment{index: 1, name: fileName(l.o.Name, 1), first: h.first, size: size}
	seg.last.Store(h.first - 1)
	seg.end.Store(segmentHeader)
	l.table = &table{list: []*segment{seg}}
	l.opened = Opened{First: h.first, Last: h.first - 1, Segments: 1, Bytes: segmentHeader, Created: true}
	return &tail{file: f, seg: seg, seq: h.first - 1}, nil
}

func (l *Log) writeFirst(f vfs.File, h *header, size int64) error {
	var b [segmentHeader]byte
	h.put(b[:])
	filled := min(size, fillBytes)
	if err := f.Allocate(size); errors.Is(err, errors.ErrUnsupported) {
		filled = size
	} else if err != nil {
		return err
	}
	if err := writeZeros(f, 0, filled); err != nil {
		return err
	}
	if _, err := f.WriteAt(b[:], 0); err != nil {
		return err
	}
	if err := f.Datasync(); err != nil {
		return err
	}
	return l.files.rename(spareName(l.o.Name), fileName(l.o.Name, h.index))
}

// start begins the goroutines.
func (l *Log) start(t *tail) {
	l.ring.seq, l.ring.time = t.seq, t.time
	l.committed.Store(t.seq)
	l.durable.Store(t.seq)
	l.lastTime.Store(int64(t.time))
	c := &committer{l: l, waiter: ringbuf.NewWaiter(l.o.Idle), seed: l.id.seed(), done: make(chan struct{}),
		file: t.file, seg: t.seg, seq: t.seq, time: t.time, marked: t.marked}
	c.ready = c.isReady
	l.writer = c
	l.keeper = &keeper{l: l, next: t.seg.index + 1, kick: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{})}
	c.grant()
	for _, cut := range l.opened.Cuts {
		l.o.Log.Warn("journal: torn end cut", zap.String("file", cut.File), zap.Int64("offset", cut.Offset),
			zap.Int64("bytes", cut.Bytes), zap.Uint64("after", cut.After), zap.String("why", cut.Why))
	}
	go c.run()
	go l.keeper.run()
}
