package journal

import (
	"iter"
	"qcat/persist/vfs"
	"qcat/ringbuf"
)

type Log struct{}

func Open(o Options) (*Log, error)                       { panic(0) }
func (l *Log) Append(rec []byte) (seq uint64, err error) { panic(0) }
func (l *Log) Flush() error                              { panic(0) }

// Committed is the last sequence committed as Options.Sync says.
func (l *Log) Committed() uint64 { panic(0) }

// Durable is the last sequence that was synced: it survives a power cut.
func (l *Log) Durable() uint64                        { panic(0) }
func (l *Log) Err() error                             { panic(0) }
func (l *Log) Notify(w *ringbuf.Waiter)               {}
func (l *Log) Close() error                           { panic(0) }
func (l *Log) ID() [16]byte                           { panic(0) }
func (l *Log) First() uint64                          { panic(0) }
func (l *Log) Opened() Opened                         { panic(0) }
func (l *Log) Stats() *Stats                          { panic(0) }
func (l *Log) Watch(w *ringbuf.Waiter)                {}
func (l *Log) Unwatch(w *ringbuf.Waiter)              {}
func (l *Log) NewReader(from uint64) (*Reader, error) { panic(0) }

// NewDurableReader reads synced records only: what a follower that survives power cuts must not run ahead of.
func (l *Log) NewDurableReader(from uint64) (*Reader, error)    { panic(0) }
func (l *Log) Records(from, to uint64) iter.Seq2[[]byte, error] { panic(0) }
func (l *Log) Hold(name string) *Hold                           { panic(0) }

// Retain applies the retention now and from then on in the background: call it once all holds are made.
func (l *Log) Retain() error { panic(0) }

type Hold struct{}

func (h *Hold) Advance(seq uint64) {}
func (h *Hold) Release()           {}

type Reader struct{}

func (r *Reader) Next() (rec []byte, ok bool, err error) { panic(0) }
func (r *Reader) Close() error                           { panic(0) }

type Stats struct{}

type ReadOnly struct{}

func OpenReadOnly(dir, name string, fs vfs.FS) (*ReadOnly, error)    { panic(0) }
func (r *ReadOnly) Records(from, to uint64) iter.Seq2[[]byte, error] { panic(0) }
func (r *ReadOnly) First() uint64                                    { panic(0) }
func (r *ReadOnly) Last() uint64                                     { panic(0) }
func (r *ReadOnly) ID() [16]byte                                     { panic(0) }
func (r *ReadOnly) Verify() (Report, error)                          { panic(0) }
func (r *ReadOnly) Close() error                                     { panic(0) }

type Report struct{}

func Verify(fs vfs.FS, dir, name string) (Report, error) { panic(0) }
