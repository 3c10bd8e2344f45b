package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestJournals lets every contestant write a little, which is read back and counted,
// and wants a row for each batch with a figure of each.
func TestJournals(t *testing.T) {
	var out bytes.Buffer
	c := contest{dir: t.TempDir(), each: 10 * time.Millisecond, rounds: 1}
	if err := c.journals(&out); err != nil {
		t.Fatal(err)
	}
	for _, n := range batches {
		prefix := fmt.Sprintf("| %d |", n)
		found := false
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, prefix) && strings.Count(line, "|") == len(walPeers)+3 && !strings.Contains(line, " 0 |") {
				found = true
			}
		}
		if !found {
			t.Errorf("no row for batches of %d:\n%s", n, out.String())
		}
	}
}

// TestLostRecordsAreNoticed: a contestant that commits and does not keep is not
// measured.
func TestLostRecordsAreNoticed(t *testing.T) {
	for _, p := range walPeers {
		forgetful := walPeer{name: p.name, open: func(dir string) (wal, error) {
			w, err := p.open(dir)
			return &dropping{wal: w}, err
		}, count: p.count}
		c := contest{dir: t.TempDir(), each: 5 * time.Millisecond, rounds: 1}
		if rate, err := c.journal(forgetful, 4, "x"); err == nil {
			t.Errorf("%s: %.0f records/s were believed", p.name, rate)
		}
	}
}

// dropping is a wal that forgets the records of its last commits.
type dropping struct {
	wal
	n int
}

func (d *dropping) commit(seq uint64, recs [][]byte) error {
	if d.n++; d.n > 3 {
		return nil
	}
	return d.wal.commit(seq, recs)
}

// TestRecordsAreReadBack: what a count comes from is the records themselves, each
// with its bytes.
func TestRecordsAreReadBack(t *testing.T) {
	for _, p := range walPeers {
		dir := filepath.Join(t.TempDir(), "log")
		w, err := p.open(dir)
		if err != nil {
			t.Fatal(err)
		}
		recs := [][]byte{newRecord(), newRecord()}
		setSeq(recs[0], 1)
		setSeq(recs[1], 2)
		recs[1][recordLen-1] ^= 1
		if err := errors.Join(w.commit(1, recs), w.close()); err != nil {
			t.Fatal(err)
		}
		if n, err := p.count(dir); err == nil {
			t.Errorf("%s: %d records were counted, one of them changed", p.name, n)
		}
	}
}

func TestRate(t *testing.T) {
	for v, want := range map[float64]string{12: "12", 8100: "8.1 k", 1_110_000: "1.11 M"} {
		if got := rate(v); got != want {
			t.Errorf("rate(%v) = %q, want %q", v, got, want)
		}
	}
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("median is %v", m)
	}
}
