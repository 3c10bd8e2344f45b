package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"qcat/bench/peers/contest"
)

// recordLen is the length of a record in bytes, its header included.
const recordLen = 128

// batches are the numbers of records that share one sync.
var batches = []int{1, 64, 1024}

// wal is a log that can be waited for.
type wal interface {
	// commit appends the records, which are consecutive from seq on, and returns
	// when they would survive a power cut.
	commit(seq uint64, recs [][]byte) error
	close() error
}

// peer makes a wal in a directory that is not there yet, and reads one there: how many
// records it holds, each as it was written.
type peer struct {
	name  string
	role  contest.Role
	open  func(dir string) (wal, error)
	count func(dir string) (int, error)
}

var peers = []peer{
	{"qcat", contest.Own, openQCAT, countQCAT},
	{"etcd WAL", contest.Peer, openEtcd, countEtcd},
	{"tidwall/wal", contest.Peer, openTidwall, countTidwall},
	{"pebble", contest.Peer, openPebble, countPebble},
}

// Contest returns the contest; its logs are written to directories in dir.
func Contest(dir string) *contest.Contest {
	c := &contest.Contest{Name: "journal", Times: 5, Title: "Journal",
		Workload: fmt.Sprintf("records of %d bytes, each batch appended and synced by one goroutine; what was written is read back, counted and compared.", recordLen)}
	for _, n := range batches {
		k := contest.Case{Name: Batch(n), Unit: "records/s", Higher: true}
		for _, p := range peers {
			k.Entrants = append(k.Entrants, contest.Entrant{Name: p.name, Role: p.role, Run: func(d time.Duration) (float64, error) {
				return measure(p, n, dir, d)
			}})
		}
		c.Cases = append(c.Cases, k)
	}
	return c
}

// Batch is the name of a case.
func Batch(n int) string { return fmt.Sprintf("%d a sync", n) }

// measure measures one peer once, in a directory of its own in base, and checks that
// everything is there.
func measure(p peer, batch int, base string, each time.Duration) (float64, error) {
	dir, err := os.MkdirTemp(base, "wal-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the next one finds as much room
	dir = filepath.Join(dir, "log")
	l, err := p.open(dir)
	if err != nil {
		return 0, err
	}
	seq := uint64(1)
	rate, err := fill(l, batch, &seq, each)
	if err := errors.Join(err, l.close()); err != nil {
		return 0, err
	}
	n, err := p.count(dir)
	if err != nil {
		return 0, err
	}
	if n != int(seq-1) {
		return 0, fmt.Errorf("%d records were written and %d are there", seq-1, n)
	}
	return rate, nil
}

// fill commits batches from *seq on for as long as each says, and returns records a
// second.
func fill(l wal, batch int, seq *uint64, each time.Duration) (float64, error) {
	recs := make([][]byte, batch)
	for i := range recs {
		recs[i] = newRecord()
	}
	next := func() error {
		for i := range recs {
			setSeq(recs[i], *seq+uint64(i))
		}
		err := l.commit(*seq, recs)
		*seq += uint64(batch)
		return err
	}
	for range 20 { // warm: files made, buffers grown
		if err := next(); err != nil {
			return 0, err
		}
	}
	first, began := *seq, time.Now()
	for time.Since(began) < each {
		if err := next(); err != nil {
			return 0, err
		}
	}
	return float64(*seq-first) / time.Since(began).Seconds(), nil
}

// newRecord returns a clock record with a payload behind it: the header that QCAT's
// journal wants, and bytes that do not compress.
func newRecord() []byte {
	b := make([]byte, recordLen)
	b[0], b[1] = 1, 11
	x := uint64(0x9E3779B97F4A7C15)
	for i := 20; i+8 <= len(b); i += 8 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		binary.LittleEndian.PutUint64(b[i:], x)
	}
	return b
}

// verify wants rec to be record seq as it was written.
func verify(seq uint64, rec []byte) error {
	want := newRecord()
	setSeq(want, seq)
	if !bytes.Equal(rec, want) {
		return fmt.Errorf("record %d reads %x", seq, rec)
	}
	return nil
}

func setSeq(b []byte, seq uint64) {
	binary.LittleEndian.PutUint64(b[4:], seq)
	binary.LittleEndian.PutUint64(b[12:], seq)
}
