package queue

import (
	"testing"
	"time"

	"qcat/bench/peers/contest"
)

// TestContest lets everyone move something in every case; what goes wrong on the way
// is an error.
func TestContest(t *testing.T) {
	results, err := Contest().Run(contest.Settings{Each: 500 * time.Microsecond, Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 13 {
		t.Errorf("%d cases, want 13", len(results))
	}
	for _, r := range results {
		for _, f := range r.Figures {
			if f.Value <= 0 {
				t.Errorf("%s, %s: %v %s", r.Case, f.Name, f.Value, r.Unit)
			}
		}
	}
}

// swapping is a queue that gives two values in the wrong order.
type swapping struct{ channel[struct{}] }

func (s swapping) consume(c *checker, n, _ int) {
	for i := 0; i < n; i += 2 {
		a, b := <-s.channel, <-s.channel
		c.take(b.seq)
		c.take(a.seq)
	}
}

// losing is a queue that gives the last value twice and the first never.
type losing struct{ channel[struct{}] }

func (l losing) consume(c *checker, n, _ int) {
	<-l.channel
	var last value[struct{}]
	for range n - 1 {
		last = <-l.channel
		c.take(last.seq)
	}
	c.take(last.seq)
}

// TestWrongOrderIsNoticed and what is lost: such a queue has no figure.
func TestWrongOrderIsNoticed(t *testing.T) {
	if _, err := move(swapping{make(channel[struct{}], capacity)}, 100, 2, 1); err == nil {
		t.Error("values out of order were taken")
	}
	if _, err := move(losing{make(channel[struct{}], capacity)}, 100, 1, 1); err == nil {
		t.Error("a lost value was not missed")
	}
}
