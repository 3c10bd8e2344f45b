package fanout

import (
	"testing"
	"time"
)

// TestEveryServerDeliversEverything to a few clients, each of whose bytes are checked.
func TestEveryServerDeliversEverything(t *testing.T) {
	for _, k := range makers {
		for _, clients := range []int{1, 20} {
			m, err := newMessages()
			if err != nil {
				t.Fatal(err)
			}
			s, err := k.start(m, clients)
			if err != nil {
				t.Fatal(err)
			}
			rate, err := measure(s, m, clients, 5*time.Millisecond)
			if err != nil {
				t.Errorf("%s: %v", k.name, err)
			}
			if rate <= 0 {
				t.Errorf("%s: %v deliveries a second", k.name, rate)
			}
		}
	}
}

// swapping sends two messages in the wrong order once.
type swapping struct{ server }

func (s swapping) publish(i int) error {
	switch i {
	case 500:
		i = 501
	case 501:
		i = 500
	}
	return s.server.publish(i)
}

// TestWrongBytesAreNoticed although they are as many as there should be.
func TestWrongBytesAreNoticed(t *testing.T) {
	m, err := newMessages()
	if err != nil {
		t.Fatal(err)
	}
	s, err := startLoop(1)(m, 2)
	if err != nil {
		t.Fatal(err)
	}
	if rate, err := measure(swapping{s}, m, 2, time.Millisecond); err == nil {
		t.Errorf("two messages changed places and %.0f deliveries a second were believed", rate)
	}
}

// TestSizes: the length of a frame is known without making it.
func TestSizes(t *testing.T) {
	m, err := newMessages()
	if err != nil {
		t.Fatal(err)
	}
	var buf []byte
	for _, i := range []int{0, 8, 9, 98, 99, 9_998, 9_999, 12_345_678} {
		if n := uint64(len(m.frame(&buf, i))); n != m.size(i) {
			t.Errorf("message %d has %d bytes, want %d", i, m.size(i), n)
		}
	}
}
