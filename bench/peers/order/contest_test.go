package order

import (
	"errors"
	"testing"
	"time"
)

// TestEveryTargetAcknowledges for a blink on a few connections; what was acknowledged
// is counted where it was written.
func TestEveryTargetAcknowledges(t *testing.T) {
	for _, mode := range modes {
		for _, m := range mode.makers {
			rate, err := measure(m, t.TempDir(), 3, 20*time.Millisecond)
			if err != nil {
				t.Errorf("%s, %s: %v", mode.name, m.name, err)
			}
			if rate <= 0 {
				t.Errorf("%s, %s: %v orders a second", mode.name, m.name, rate)
			}
		}
	}
}

// optimist believes that one order more was acknowledged than was.
type optimist struct{ target }

func (o optimist) close(n int) error { return o.target.close(n + 1) }

// TestLostOrdersAreNoticed: an acknowledgement that left nothing behind has no figure.
func TestLostOrdersAreNoticed(t *testing.T) {
	for _, mode := range modes {
		for _, m := range mode.makers {
			m.start = func(start func(string) (target, error)) func(string) (target, error) {
				return func(dir string) (target, error) {
					s, err := start(dir)
					return optimist{s}, err
				}
			}(m.start)
			if rate, err := measure(m, t.TempDir(), 2, time.Millisecond); err == nil {
				t.Errorf("%s, %s: %v orders a second were believed", mode.name, m.name, rate)
			}
		}
	}
}

// TestRefusalsAreNoticed: only a 201 counts.
func TestRefusalsAreNoticed(t *testing.T) {
	s, err := startServer(0, false)(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := &load{addr: s.addr()}
	if _, err := l.run(1, time.Millisecond); err != nil {
		t.Errorf("a good order: %v", err)
	}
	good := l.acknowledged()
	again := &load{addr: s.addr()} // the same ids: the first answers, and nothing is sent
	_, err = again.run(1, time.Millisecond)
	if err := errors.Join(err, s.close(good)); err == nil {
		t.Error("orders that were sent twice were counted twice")
	}
}
