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
	lat, n, err := echoFloor(t.Context(), newSchedule(2000, 50*time.Millisecond), frameSize)
	if err != nil || n != 100 || lat.h.TotalCount() != 100 || lat.h.Min() <= 0 {
		t.Fatalf("echo: %d, %d recorded, %v", n, lat.h.TotalCount(), err)
	}
	url, stop, err := httpFloor(make([]byte, 400))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if _, n, err = postAll(t.Context(), newSchedule(1000, 50*time.Millisecond), url, 4, orderBody); err != nil || n != 50 {
		t.Fatalf("post: %d answered, %v", n, err)
	}
}
