package level

import (
	"testing"
	"time"

	"qcat/bench/peers/contest"
	"qcat/bench/peers/tape"
	"qcat/core"
)

// TestContest runs all books side by side over the whole tape, and measures each for
// a moment.
func TestContest(t *testing.T) {
	tapes, err := tape.Load()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Contest(tapes)
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Run(contest.Settings{Each: time.Millisecond, Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(tapes) || len(results[0].Figures) != len(makers) {
		t.Errorf("results are %+v", results)
	}
}

// clumsy is a book that forgets one level in a thousand.
type clumsy struct {
	levels
	n int
}

func (c *clumsy) Set(side core.Side, price core.Price, qty core.Qty) bool {
	if c.n++; c.n%1000 == 0 {
		qty = 0
	}
	return c.levels.Set(side, price, qty)
}

// TestWrongBooksAreNoticed both when they are held side by side and when they are
// measured.
func TestWrongBooksAreNoticed(t *testing.T) {
	tapes, err := tape.Load()
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFlow(tapes[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range makers {
		if err := f.sideBySide(&clumsy{levels: m.make()}); err == nil {
			t.Errorf("%s: side by side, a level too few was not missed", m.name)
		}
		if _, err := f.measure(&clumsy{levels: m.make()}, time.Millisecond); err == nil {
			t.Errorf("%s: a level too few was measured", m.name)
		}
	}
}
