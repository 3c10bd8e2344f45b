//go:build !race

package ringbuf

import (
	"testing"
	"time"
)

// TestNoAllocations asserts that nothing on the hot path allocates, Wait with a
// park and a time-out included.
func TestNoAllocations(t *testing.T) {
	type value = [8]uint64
	var (
		v     value
		dst   = make([]value, 8)
		s     = NewSPSC[value](8)
		m     = NewMPSC[value](8)
		b     = NewBroadcast[value](8)
		r     = b.NewReader()
		gate  = b.NewGatingReader()
		c     Cell[value]
		park  = NewWaiter(Park)
		adapt = NewWaiter(Adaptive)
		never = func() bool { return false }
	)
	b.Notify(park)
	s.Notify(park)
	m.Notify(park)
	for _, f := range []struct {
		name string
		run  func()
	}{
		{"SPSC", func() { s.Push(&v); s.Pop(&v); s.PushBatch(dst); s.PopBatch(dst); s.Ready() }},
		{"MPSC", func() { m.Push(&v); m.Pop(&v); m.Push(&v); m.PopBatch(dst); m.Ready() }},
		{"Broadcast", func() {
			b.Publish(&v)
			b.TryPublish(&v)
			b.PublishBatch(dst[:3])
			r.Read(dst)
			gate.Read(dst)
		}},
		{"Cell", func() { c.Store(&v); c.Load(&v) }},
		{"Waiter", func() { park.Wait(never, time.Microsecond); adapt.Wait(never, time.Microsecond); park.Wake() }},
	} {
		if n := testing.AllocsPerRun(100, f.run); n != 0 {
			t.Errorf("%s: %v allocations", f.name, n)
		}
	}
}
