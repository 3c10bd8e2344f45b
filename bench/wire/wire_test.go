package main

import (
	"testing"
	"time"
)

func TestScheduleKeepsItsTimes(t *testing.T) {
	s := newSchedule(1000, 50*time.Millisecond)
	if s.n != 50 || s.due(10).Sub(s.start) != 10*time.Millisecond {
		t.Fatalf("%d events, the tenth after %v", s.n, s.due(10).Sub(s.start))
	}
	calls := 0
	if err := s.run(t.Context(), func(i int) error {
		if early := time.Until(s.due(i)); early > 0 {
			t.Errorf("event %d came %v early", i, early)
		}
		if i != calls {
			t.Errorf("event %d after %d", i, calls-1)
		}
		calls++
		return nil
	}); err != nil || calls != 50 {
		t.Fatalf("%d calls, %v", calls, err)
	}
}

func TestFloors(t *testing.T) {
	lat, err := echoFloor(t.Context(), newSchedule(2000, 50*time.Millisecond), frameSize)
	if err != nil || lat.count() != 100 || lat.phases[0].h.Min() <= 0 {
		t.Fatalf("echo: %v, %v", lat, err)
	}
	url, stop, err := httpFloor(make([]byte, 400))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if lat, err = postAll(t.Context(), newSchedule(1000, 50*time.Millisecond), url, 4, orderBody); err != nil || lat.count() != 50 {
		t.Fatalf("post: %v, %v", lat, err)
	}
	if lat, err = syncFloor(t.Context(), newSchedule(1000, 50*time.Millisecond), t.TempDir(), 256); err != nil || lat.count() != 50 || lat.phases[0].h.Min() <= 0 {
		t.Fatalf("sync: %v, %v", lat, err)
	}
}

// TestPhases: an event counts in the phase it was due in, whenever it is answered.
func TestPhases(t *testing.T) {
	s := newSchedule(100, 100*time.Millisecond, 200*time.Millisecond, 50*time.Millisecond)
	if s.n != 35 || s.phaseEnd(0).Sub(s.start) != 100*time.Millisecond || s.phaseEnd(2).Sub(s.start) != 350*time.Millisecond {
		t.Fatalf("%+v", s)
	}
	m, other := s.measured(), s.measured()
	for i := range s.n {
		m.record(i, time.Millisecond)
	}
	other.record(34, time.Second)
	m.merge(other)
	if a, b, c := m.phases[0].count(), m.phases[1].count(), m.phases[2].count(); a != 10 || b != 20 || c != 6 || m.count() != 36 {
		t.Errorf("%d, %d, %d of %d", a, b, c, m.count())
	}
}
