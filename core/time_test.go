package core

import (
	"testing"
	"time"
)

func TestManualClock(t *testing.T) {
	c := NewManualClock(5)
	c.Advance(time.Microsecond)
	if c.Now() != 1_005 {
		t.Errorf("1 µs after 5 it is %d", c.Now())
	}
	c.Set(3)
	if c.Now() != 3 {
		t.Errorf("set to 3 it is %d", c.Now())
	}
}

func TestSystemClock(t *testing.T) {
	c := SystemClock()
	before := time.Now()
	last := c.Now()
	for range 1_000 {
		now := c.Now()
		if now < last {
			t.Fatalf("the clock went from %d to %d", last, now)
		}
		last = now
	}
	if off := last.Time().Sub(before); off < -time.Minute || off > time.Minute {
		t.Errorf("the clock is %v off the machine's", off)
	}
}

func TestNanosTime(t *testing.T) {
	const n = 1_723_161_253_937_085_768
	if got := Nanos(n).Time(); got.UnixNano() != n || got.Location() != time.UTC {
		t.Errorf("%v", got)
	}
}
