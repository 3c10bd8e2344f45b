package storetest

import (
	"encoding/binary"
	"slices"
	"sync"

	"qcat/persist/store"
	"qcat/ringbuf"
)

// Log is a log in memory that tests write, cut and delete from.
type Log struct {
	mu       sync.Mutex
	id       store.LogID
	first    uint64
	records  [][]byte
	watchers []*ringbuf.Waiter
	holds    map[string]uint64
}

// NewLog returns a log of that name that holds records, the first of which is
// record 1.
func NewLog(id store.LogID, records ...[]byte) *Log {
	return &Log{id: id, first: 1, records: slices.Clone(records), holds: map[string]uint64{}}
}

// Append adds records.
func (l *Log) Append(records ...[]byte) {
	l.mu.Lock()
	l.records = append(l.records, records...)
	watchers := slices.Clone(l.watchers)
	l.mu.Unlock()
	for _, w := range watchers {
		w.Wake()
	}
}

// Delete deletes the records before seq, which readers may not have read.
func (l *Log) Delete(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(seq-l.first, uint64(len(l.records)))
	l.records = l.records[n:]
	l.first += n
}

// Cut takes the records after seq away, as a power cut does.
func (l *Log) Cut(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = l.records[:seq+1-l.first]
}

// Held is the record up to which the hold of that name was advanced.
func (l *Log) Held(name string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holds[name]
}

// ID implements store.Log.
func (l *Log) ID() store.LogID { return l.id }

// First implements store.Log.
func (l *Log) First() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first
}

// Last implements store.Log.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first + uint64(len(l.records)) - 1
}

// NewReader implements store.Log.
func (l *Log) NewReader(from uint64) (store.Reader, error) { return &logReader{l, from}, nil }

// Watch implements store.Log.
func (l *Log) Watch(w *ringbuf.Waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers = append(l.watchers, w)
}

// Unwatch implements store.Log.
func (l *Log) Unwatch(w *ringbuf.Waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers = slices.DeleteFunc(l.watchers, func(x *ringbuf.Waiter) bool { return x == w })
}

// Hold implements store.Log.
func (l *Log) Hold(name string) store.Hold { return logHold{l, name} }

type logHold struct {
	l    *Log
	name string
}

// Advance implements store.Hold.
func (h logHold) Advance(seq uint64) {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	h.l.holds[h.name] = seq
}

type logReader struct {
	l    *Log
	next uint64
}

// Next implements store.Reader.
func (r *logReader) Next() ([]byte, bool, error) {
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	switch at := r.next - r.l.first; {
	case r.next < r.l.first:
		return nil, false, store.ErrGone
	case at >= uint64(len(r.l.records)):
		return nil, false, nil
	default:
		r.next++
		return r.l.records[at], true, nil
	}
}

// Close implements store.Reader.
func (r *logReader) Close() error { return nil }

// Renumber returns records with sequences from first on.
func Renumber(records [][]byte, first uint64) [][]byte {
	out := make([][]byte, len(records))
	for i, rec := range records {
		out[i] = slices.Clone(rec)
		binary.LittleEndian.PutUint64(out[i][4:], first+uint64(i))
	}
	return out
}
