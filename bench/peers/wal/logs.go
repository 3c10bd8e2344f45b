package wal

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble"
	tidwall "github.com/tidwall/wal"
	etcd "go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"

	"qcat/persist/journal"
	"qcat/ringbuf"
)

// qcatWAL is QCAT's journal as the engine uses it, waited for.
type qcatWAL struct {
	log    *journal.Log
	waiter *ringbuf.Waiter
}

func openQCAT(dir string) (wal, error) {
	log, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	w := &qcatWAL{log, ringbuf.NewWaiter(ringbuf.Adaptive)}
	log.Notify(w.waiter.Wake)
	return w, nil
}

func (w *qcatWAL) commit(_ uint64, recs [][]byte) error {
	var last uint64
	for _, r := range recs {
		seq, err := w.log.Append(r)
		for errors.Is(err, journal.ErrFull) { // the next file is not ready yet: the wait counts
			if err := w.log.Flush(); err != nil {
				return err
			}
			time.Sleep(20 * time.Microsecond)
			seq, err = w.log.Append(r)
		}
		if err != nil {
			return err
		}
		last = seq
	}
	if err := w.log.Publish(); err != nil {
		return err
	}
	w.log.Commit()
	ready := func() bool { return w.log.Committed() >= last || w.log.Err() != nil }
	for !ready() {
		w.waiter.Wait(ready, 1e9)
	}
	return w.log.Err()
}

func (w *qcatWAL) close() error { return w.log.Close() }

func countQCAT(dir string) (n int, err error) {
	log, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		return 0, err
	}
	for rec, err := range log.Records(1, log.Committed()) {
		if err == nil {
			n++
			err = verify(uint64(n), rec)
		}
		if err != nil {
			return n, errors.Join(err, log.Close())
		}
	}
	return n, log.Close()
}

// etcdWAL is etcd's write-ahead log: one Save is one sync.
type etcdWAL struct {
	log     *etcd.WAL
	entries []*raftpb.Entry // used again and again
	term    uint64
}

func openEtcd(dir string) (wal, error) {
	log, err := etcd.Create(zap.NewNop(), dir, nil)
	if err != nil {
		return nil, err
	}
	w := &etcdWAL{log: log, term: 1}
	for range slices.Max(batches) {
		w.entries = append(w.entries, &raftpb.Entry{Term: &w.term, Index: new(uint64)})
	}
	return w, nil
}

func (w *etcdWAL) commit(seq uint64, recs [][]byte) error {
	for i, r := range recs {
		*w.entries[i].Index, w.entries[i].Data = seq+uint64(i), r
	}
	return w.log.Save(&raftpb.HardState{}, w.entries[:len(recs)])
}

func (w *etcdWAL) close() error { return w.log.Close() }

func countEtcd(dir string) (int, error) {
	log, err := etcd.OpenForRead(zap.NewNop(), dir, &walpb.Snapshot{Index: new(uint64), Term: new(uint64)})
	if err != nil {
		return 0, err
	}
	_, _, entries, err := log.ReadAll()
	if err != nil {
		return 0, err
	}
	for i, e := range entries {
		if err := verify(uint64(i+1), e.Data); err != nil {
			return i, err
		}
	}
	return len(entries), nil // reading to the end has closed it
}

// tidwallWAL is github.com/tidwall/wal: one WriteBatch is one sync.
type tidwallWAL struct {
	log   *tidwall.Log
	batch tidwall.Batch
}

func openTidwall(dir string) (wal, error) {
	log, err := tidwall.Open(dir, &tidwall.Options{SegmentSize: 64 << 20, SegmentCacheSize: 2, NoCopy: true})
	if err != nil {
		return nil, err
	}
	return &tidwallWAL{log: log}, nil
}

func (w *tidwallWAL) commit(seq uint64, recs [][]byte) error {
	w.batch.Clear()
	for i, r := range recs {
		w.batch.Write(seq+uint64(i), r)
	}
	return w.log.WriteBatch(&w.batch)
}

func (w *tidwallWAL) close() error { return w.log.Close() }

func countTidwall(dir string) (int, error) {
	log, err := tidwall.Open(dir, nil)
	if err != nil {
		return 0, err
	}
	last, err := log.LastIndex()
	for seq := uint64(1); seq <= last && err == nil; seq++ {
		var rec []byte
		if rec, err = log.Read(seq); err == nil {
			err = verify(seq, rec)
		}
	}
	return int(min(last, math.MaxInt32)), errors.Join(err, log.Close())
}

// pebbleWAL is the commit pipeline of a key-value store.
type pebbleWAL struct{ db *pebble.DB }

func openPebble(dir string) (wal, error) {
	db, err := pebble.Open(dir, &pebble.Options{Logger: quiet{}, MemTableSize: 64 << 20})
	if err != nil {
		return nil, err
	}
	return &pebbleWAL{db}, nil
}

func (w *pebbleWAL) commit(seq uint64, recs [][]byte) error {
	b := w.db.NewBatch()
	var key [8]byte
	for i, r := range recs {
		binary.BigEndian.PutUint64(key[:], seq+uint64(i))
		if err := b.Set(key[:], r, nil); err != nil {
			return err
		}
	}
	if err := b.Commit(pebble.Sync); err != nil {
		return err
	}
	return b.Close()
}

func (w *pebbleWAL) close() error { return w.db.Close() }

func countPebble(dir string) (n int, err error) {
	db, err := pebble.Open(dir, &pebble.Options{Logger: quiet{}})
	if err != nil {
		return 0, err
	}
	it, err := db.NewIter(nil)
	if err != nil {
		return 0, err
	}
	for it.First(); it.Valid() && err == nil; it.Next() {
		n++
		err = verify(uint64(n), it.Value())
	}
	return n, errors.Join(err, it.Close(), db.Close())
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(f string, args ...any) {
	panic(f)
}
