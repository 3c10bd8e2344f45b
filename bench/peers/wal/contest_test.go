package wal

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"qcat/bench/peers/contest"
)

// TestContest lets every contestant write a little, which is read back and counted.
func TestContest(t *testing.T) {
	results, err := Contest(t.TempDir()).Run(contest.Settings{Each: 10 * time.Millisecond, Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range batches {
		r := results[i]
		if r.Case != Batch(n) || len(r.Figures) != len(peers) {
			t.Errorf("batches of %d: %+v", n, r)
		}
		for _, f := range r.Figures {
			if f.Value <= 0 {
				t.Errorf("%s at %s: %v", f.Name, r.Case, f.Value)
			}
		}
	}
}

// TestLostRecordsAreNoticed: a contestant that commits and does not keep is not
// measured.
func TestLostRecordsAreNoticed(t *testing.T) {
	for _, p := range peers {
		forgetful := peer{name: p.name, open: func(dir string) (wal, error) {
			w, err := p.open(dir)
			return &dropping{wal: w}, err
		}, count: p.count}
		if rate, err := measure(forgetful, 4, t.TempDir(), 5*time.Millisecond); err == nil {
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
	for _, p := range peers {
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
