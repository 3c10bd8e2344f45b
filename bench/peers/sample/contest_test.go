package sample

import (
	"testing"
	"time"

	"qcat/bench/peers/contest"
)

// TestContest lets everyone count a little; a wrong count is an error.
func TestContest(t *testing.T) {
	results, err := Contest().Run(contest.Settings{Each: time.Millisecond, Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if len(r.Figures) != len(makers) {
			t.Errorf("%s: %d contestants", r.Case, len(r.Figures))
		}
	}
}

// TestWalk: every latency comes once in a walk, whatever it begins with, or the
// counts would not be known.
func TestWalk(t *testing.T) {
	for _, v := range []int64{400, 401, 0} {
		seen := map[int64]bool{}
		for range period {
			seen[v] = true
			v = step(v)
		}
		if len(seen) != period {
			t.Errorf("%d latencies in a walk, want %d", len(seen), period)
		}
	}
}

// forgetful counts all samples but the first.
type forgetful struct{ histogram }

func (f forgetful) counted() (all, atMost uint64, err error) {
	all, atMost, err = f.histogram.counted()
	return all - 1, atMost, err
}

// TestLostSamplesAreNoticed: what has not counted them all has no figure.
func TestLostSamplesAreNoticed(t *testing.T) {
	for _, m := range makers {
		if _, err := run(forgetful{m.make()}, 100, 1); err == nil {
			t.Errorf("%s: a lost sample was not missed", m.name)
		}
	}
}
