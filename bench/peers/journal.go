package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
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

// walPeer makes a wal in an empty directory, and reads one there: how many records it
// holds, each as it was written.
type walPeer struct {
	name  string
	open  func(dir string) (wal, error)
	count func(dir string) (int, error)
}

var walPeers = []walPeer{
	{"qcat", openQCAT, countQCAT},
	{"etcd WAL", openEtcd, countEtcd},
	{"tidwall/wal", openTidwall, countTidwall},
	{"pebble", openPebble, countPebble},
}

// journals prints records a second for every peer and batch.
func (c *contest) journals(w io.Writer) error {
	fmt.Fprintf(w, "Journal: records of %d bytes, each batch appended and synced by one goroutine, %v a measurement, median of %d rounds.\n\n",
		recordLen, c.each, c.rounds)
	fmt.Fprint(w, "| records a sync |")
	for _, p := range walPeers {
		fmt.Fprintf(w, " %s |", p.name)
	}
	fmt.Fprint(w, " qcat / best peer |\n|---:|")
	for range len(walPeers) + 1 {
		fmt.Fprint(w, "---:|")
	}
	fmt.Fprintln(w)
	for _, n := range batches {
		rates := make([][]float64, len(walPeers))
		for round := range c.rounds {
			for turn := range walPeers {
				i := (turn + round) % len(walPeers) // nobody is always first
				p := walPeers[i]
				r, err := c.journal(p, n, fmt.Sprintf("%d-%d-%d", n, round, i))
				if err != nil {
					return fmt.Errorf("%s at %d a sync: %w", p.name, n, err)
				}
				rates[i] = append(rates[i], r)
			}
		}
		own, best := median(rates[0]), 0.0
		fmt.Fprintf(w, "| %d | %s |", n, rate(own))
		for _, r := range rates[1:] {
			m := median(r)
			best = max(best, m)
			fmt.Fprintf(w, " %s |", rate(m))
		}
		fmt.Fprintf(w, " %.2f |\n", own/best)
	}
	fmt.Fprintln(w)
	return nil
}

// journal measures one peer once and checks that everything is there.
func (c *contest) journal(p walPeer, batch int, name string) (float64, error) {
	dir := filepath.Join(c.dir, name)
	l, err := p.open(dir)
	if err != nil {
		return 0, err
	}
	recs := make([][]byte, batch)
	for i := range recs {
		recs[i] = newRecord()
	}
	seq := uint64(1)
	next := func() error {
		for i := range recs {
			setSeq(recs[i], seq+uint64(i))
		}
		err := l.commit(seq, recs)
		seq += uint64(batch)
		return err
	}
	for range 20 { // warm: files made, buffers grown
		if err := next(); err != nil {
			return 0, err
		}
	}
	first, began := seq, time.Now()
	for time.Since(began) < c.each {
		if err := next(); err != nil {
			return 0, err
		}
	}
	took := time.Since(began)
	if err := l.close(); err != nil {
		return 0, err
	}
	n, err := p.count(dir)
	if err != nil {
		return 0, err
	}
	if err := os.RemoveAll(dir); err != nil { // the next one finds as much room
		return 0, err
	}
	if n != int(seq-1) {
		return 0, fmt.Errorf("%d records were written and %d are there", seq-1, n)
	}
	return float64(seq-first) / took.Seconds(), nil
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
