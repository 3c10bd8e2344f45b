package store

import (
	"encoding/binary"
	"errors"

	"qcat/core"
	"qcat/persist/journal"
	"qcat/ringbuf"
)

// ErrGone is wrapped when a log no longer has the record that comes next.
var ErrGone = errors.New("store: the log no longer has the records that come next")

// Log is what a follower reads.
type Log interface {
	// ID names the log.
	ID() LogID
	// First is the oldest record there is, or the first there will be.
	First() uint64
	// Last is the last record that may be stored.
	Last() uint64
	// NewReader reads from a record that is not beyond the one after Last.
	NewReader(from uint64) (Reader, error)
	// Watch has w woken when Last advances, until Unwatch.
	Watch(w *ringbuf.Waiter)
	Unwatch(w *ringbuf.Waiter)
	// Hold keeps the records after those that Advance names from being deleted, as
	// far as the log can.
	Hold(name string) Hold
}

// Reader reads records in order. One goroutine.
type Reader interface {
	// Next returns the next record, valid until the next call, and false when there
	// is none yet. An error is for good; ErrGone when the record was deleted.
	Next() (rec []byte, ok bool, err error)
	Close() error
}

// Hold is a reader's claim on what it has not read yet.
type Hold interface{ Advance(seq uint64) }

// DurableLog is a journal as far as it is synced: a store must not know of records
// that a power cut takes from the journal.
func DurableLog(l *journal.Log) Log { return journalLog{l, true} }

// CommittedLog is a journal as far as it is written, for one that is never synced.
func CommittedLog(l *journal.Log) Log { return journalLog{l, false} }

type journalLog struct {
	l       *journal.Log
	durable bool
}

func (j journalLog) ID() LogID { return j.l.ID() }

func (j journalLog) First() uint64 { return j.l.First() }

func (j journalLog) Last() uint64 {
	if j.durable {
		return j.l.Durable()
	}
	return j.l.Committed()
}

func (j journalLog) NewReader(from uint64) (Reader, error) {
	open := j.l.NewReader
	if j.durable {
		open = j.l.NewDurableReader
	}
	r, err := open(from)
	if err != nil {
		return nil, gone(err)
	}
	return journalReader{r}, nil
}

func (j journalLog) Watch(w *ringbuf.Waiter)   { j.l.Watch(w) }
func (j journalLog) Unwatch(w *ringbuf.Waiter) { j.l.Unwatch(w) }
func (j journalLog) Hold(name string) Hold     { return j.l.Hold(name) }

type journalReader struct{ *journal.Reader }

func (r journalReader) Next() ([]byte, bool, error) {
	rec, ok, err := r.Reader.Next()
	if err != nil {
		err = gone(err)
	}
	return rec, ok, err
}

// gone makes a journal's word for records that were deleted ours as well.
func gone(err error) error {
	if errors.Is(err, journal.ErrGone) {
		return errors.Join(ErrGone, err)
	}
	return err
}

// Both logs' records begin with the same header, of 20 bytes.

func recordSeq(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec[4:]) }

func recordTime(rec []byte) core.Nanos { return core.Nanos(binary.LittleEndian.Uint64(rec[12:])) }
