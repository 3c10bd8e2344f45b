package contest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// given returns an entrant whose rounds reach those figures.
func given(name string, role Role, order *[]string, figures ...float64) Entrant {
	turn := 0
	return Entrant{Name: name, Role: role, Run: func(time.Duration) (float64, error) {
		*order = append(*order, name)
		turn++
		return figures[(turn-1)%len(figures)], nil
	}}
}

// TestTurns: nobody is always first, and the figures are those of the rounds.
func TestTurns(t *testing.T) {
	var order []string
	c := Contest{Name: "x", Title: "X", Workload: "w;", Best: true, Cases: []Case{{Name: "a", Unit: "ns", Entrants: []Entrant{
		given("qcat", Own, &order, 10, 20), given("slow", Peer, &order, 30, 80), given("fast", Peer, &order, 15, 40)}}}}
	s := Settings{Each: time.Millisecond, Rounds: 2}
	results, err := c.Run(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "qcat slow fast fast slow qcat" {
		t.Errorf("the order was %s", got)
	}
	r := &results[0]
	own, peer := r.Leading(Own), r.Leading(Peer)
	if own.Value != 10 || peer.Name != "fast" || peer.Value != 15 || r.Leading(Floor) != nil {
		t.Errorf("own %+v, peer %+v", own, peer)
	}
	if a := r.Advantage(own, peer); a != 1.75 { // of 1.5 and 2
		t.Errorf("ours is %v times the peer", a)
	}
	var out bytes.Buffer
	c.Print(&out, s, results)
	if !strings.Contains(out.String(), "| a | ns | 10 | 30 | 15 | ×1.75 |") {
		t.Errorf("printed:\n%s", out.String())
	}
}

// TestHigherIsBetter: of rates the largest leads, and the median counts when that is
// asked for.
func TestHigherIsBetter(t *testing.T) {
	var order []string
	c := Contest{Cases: []Case{{Higher: true, Split: 3, Entrants: []Entrant{
		given("qcat", Own, &order, 6, 2, 4), given("a", Peer, &order, 2, 1, 1), given("b", Peer, &order, 1, 1, 1)}}}}
	results, err := c.Run(Settings{Each: time.Millisecond, Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := &results[0]
	if own := r.Leading(Own); own.Value != 4 || r.Advantage(own, &r.Figures[1]) != 3 {
		t.Errorf("own %+v is %v times a", own, r.Advantage(own, &r.Figures[1]))
	}
	if len(order) != 9 {
		t.Errorf("%d turns, want 9", len(order))
	}
}

// TestErrorsStop: a wrong result is no figure.
func TestErrorsStop(t *testing.T) {
	wrong := errors.New("wrong sum")
	c := Contest{Name: "x", Cases: []Case{{Name: "a", Entrants: []Entrant{{Name: "liar", Run: func(time.Duration) (float64, error) { return 1, wrong }}}}}}
	if _, err := c.Run(Settings{Each: 1, Rounds: 1}); !errors.Is(err, wrong) || !strings.Contains(err.Error(), "liar") {
		t.Errorf("err is %v", err)
	}
	if _, err := c.Run(Settings{Each: 1}); err == nil {
		t.Error("no rounds are taken")
	}
}

// TestTimed grows until the time is there and counts the last attempt only.
func TestTimed(t *testing.T) {
	calls := 0
	ns, err := Timed(time.Millisecond, func(n int) (time.Duration, error) {
		calls++
		return time.Duration(n) * 50, nil
	})
	if err != nil || ns != 50 || calls < 4 {
		t.Errorf("%v ns after %d calls: %v", ns, calls, err)
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 3.456: "3.46", 99.6: "99.6", 123.4: "123", 9999: "9999", 54321: "54.3 k", 1_234_567: "1.23 M"} {
		if got := Short(v); got != want {
			t.Errorf("Short(%v) = %q, want %q", v, got, want)
		}
	}
}
