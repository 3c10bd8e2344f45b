package ringbuf

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var strategies = []IdleStrategy{Adaptive, Spin, Yield, Park}

func TestIdleStrategyText(t *testing.T) {
	for _, s := range strategies {
		if got, err := ParseIdleStrategy(s.String()); err != nil || got != s {
			t.Errorf("ParseIdleStrategy(%q) = %v, %v", s, got, err)
		}
		var u IdleStrategy
		if b, err := s.MarshalText(); err != nil || u.UnmarshalText(b) != nil || u != s {
			t.Errorf("text of %v reads back as %v", s, u)
		}
	}
	if _, err := ParseIdleStrategy("nap"); !errors.Is(err, ErrIdleStrategy) {
		t.Errorf("ParseIdleStrategy(nap) = %v", err)
	}
	if got := IdleStrategy(9).String(); got != "IdleStrategy(9)" {
		t.Errorf("String of an unknown strategy = %q", got)
	}
}

func TestWaitReturns(t *testing.T) {
	for _, s := range strategies {
		w := NewWaiter(s)
		w.Wait(func() bool { return true }, time.Hour)
		w.Wait(func() bool { return false }, 0)
		w.Wait(func() bool { return false }, time.Millisecond)
		calls := 0
		w.Wait(func() bool { calls++; return calls == 2 }, time.Hour)
		if w.parked.Load() != 0 || len(w.signal) != 0 {
			t.Errorf("%v: the waiter is left announced", s)
		}
	}
}

// TestWaitLosesNothing plays ping-pong between two goroutines, each waiting far
// longer than the test may take: one lost wake-up and it never ends. The watchdog
// says so instead of the test's time-out.
func TestWaitLosesNothing(t *testing.T) {
	for _, s := range strategies {
		rounds := uint64(testCount(200_000))
		if s == Park {
			rounds = uint64(testCount(1_000_000))
		}
		t.Run(s.String(), func(t *testing.T) {
			ping, pong := NewSPSC[uint64](1), NewMPSC[uint64](1)
			wping, wpong := NewWaiter(s), NewWaiter(s)
			ping.Notify(wping)
			pong.Notify(wpong)
			var progress atomic.Uint64
			defer watch(t, &progress)()
			go func() {
				ready := ping.Ready
				for v := uint64(0); v < rounds-1; {
					for !ping.Pop(&v) {
						wping.Wait(ready, time.Hour)
					}
					pong.Push(&v)
				}
			}()
			ready := pong.Ready
			for v := range rounds {
				ping.Push(&v)
				var got uint64
				for !pong.Pop(&got) {
					wpong.Wait(ready, time.Hour)
				}
				if got != v {
					t.Fatalf("got %d, want %d", got, v)
				}
				progress.Store(v)
			}
		})
	}
}

// TestParkRacesWithPush aims at the moment that matters: the consumer parks as
// soon as it has emptied the ring, and the producer, which sees that, publishes
// one value within the same few hundred nanoseconds. Nothing follows that value
// until it is consumed, so a wake-up that is lost stays lost.
func TestParkRacesWithPush(t *testing.T) {
	rounds := uint64(testCount(20_000))
	spsc, mpsc, broadcast := NewSPSC[uint64](1), NewMPSC[uint64](1), NewBroadcast[uint64](1)
	reader := broadcast.NewGatingReader()
	one := make([]uint64, 1)
	for _, ring := range []struct {
		name   string
		push   func(v *uint64) bool
		pop    func(v *uint64) bool
		ready  func() bool
		notify func(w *Waiter)
	}{
		{"SPSC", spsc.Push, spsc.Pop, spsc.Ready, spsc.Notify},
		{"SPSC batch", func(v *uint64) bool { one[0] = *v; return spsc.PushBatch(one) == 1 }, spsc.Pop, spsc.Ready, spsc.Notify},
		{"MPSC", mpsc.Push, mpsc.Pop, mpsc.Ready, mpsc.Notify},
		{"Broadcast", broadcast.TryPublish, func(v *uint64) bool {
			var got [1]uint64
			n, _ := reader.Read(got[:])
			*v = got[0]
			return n == 1
		}, reader.Ready, broadcast.Notify},
	} {
		t.Run(ring.name, func(t *testing.T) {
			rng := seed(t)
			w := NewWaiter(Park)
			ring.notify(w)
			var progress atomic.Uint64
			defer watch(t, &progress)()
			go func() {
				for v := range rounds {
					for tries := 1; !ring.push(&v); tries++ {
						if tries%1024 == 0 {
							runtime.Gosched()
						}
					}
					pause(rng.Uint32N(6))
				}
			}()
			for want := range rounds {
				var got uint64
				for !ring.pop(&got) {
					w.Wait(ring.ready, time.Hour)
				}
				if got != want {
					t.Fatalf("got %d, want %d", got, want)
				}
				progress.Store(want)
			}
		})
	}
}

// watch panics with all stacks when progress stands still for ten seconds.
func watch(t *testing.T, progress *atomic.Uint64) (stop func()) {
	done := make(chan struct{})
	go func() {
		last := uint64(0)
		for {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Second):
				if now := progress.Load(); now == last {
					buf := make([]byte, 1<<16)
					panic(t.Name() + ": no progress, a wake-up was lost\n" + string(buf[:runtime.Stack(buf, true)]))
				} else {
					last = now
				}
			}
		}
	}()
	return func() { close(done) }
}

// TestOneWaiterManyRings has one consumer park on an SPSC, an MPSC and a broadcast
// ring at once, producers that pause at random, and stray wake-ups; time-outs of a
// few microseconds race with the wake-ups.
func TestOneWaiterManyRings(t *testing.T) {
	rng := seed(t)
	n := testCount(40_000)
	for _, max := range []time.Duration{time.Hour, 3 * time.Microsecond} {
		w := NewWaiter(Park)
		s, m, b := NewSPSC[uint64](4), NewMPSC[uint64](4), NewBroadcast[uint64](4)
		r := b.NewGatingReader()
		s.Notify(w)
		m.Notify(w)
		b.Notify(w)
		var wg sync.WaitGroup
		produce := func(push func(v *uint64) bool) {
			pauses := rng.Uint64()
			wg.Go(func() {
				for v := range uint64(n) {
					for !push(&v) {
						runtime.Gosched()
					}
					if pauses>>(v%64)&1 == 1 {
						runtime.Gosched()
					}
				}
			})
		}
		produce(s.Push)
		produce(m.Push)
		produce(m.Push)
		produce(b.TryPublish)
		var progress atomic.Uint64
		stop := watch(t, &progress)
		wg.Go(func() {
			for range n / 10 {
				w.Wake()
				runtime.Gosched()
			}
		})
		ready := func() bool { return s.Ready() || m.Ready() || r.Ready() }
		var v uint64
		one := make([]uint64, 1)
		for got := 0; got < 4*n; {
			before := got
			if s.Pop(&v) {
				got++
			}
			if m.Pop(&v) {
				got++
			}
			if k, _ := r.Read(one); k > 0 {
				got++
			}
			if got == before {
				w.Wait(ready, max)
			}
			progress.Store(uint64(got))
		}
		wg.Wait()
		stop()
		if w.parked.Load() != 0 || len(w.signal) != 0 {
			t.Errorf("max %v: the waiter is left announced", max)
		}
	}
}

// TestDozeSleepsThroughNudges and ends with a Wake, with time, and with what it looks at.
func TestDozeSleepsThroughNudges(t *testing.T) {
	w := NewWaiter(Park)
	never := func() bool { return false }
	woken := make(chan struct{})
	go func() {
		for w.parked.Load() != dozing {
			runtime.Gosched()
		}
		w.Nudge()
		select {
		case <-woken:
			t.Error("a nudge ended the doze")
		case <-time.After(20 * time.Millisecond):
		}
		w.Wake()
	}()
	w.Doze(never, time.Minute)
	close(woken)
	w.Doze(never, time.Millisecond)
	w.Doze(func() bool { return true }, time.Hour)
	for _, s := range []IdleStrategy{Spin, Yield} {
		NewWaiter(s).Doze(never, time.Hour)
	}
	if w.parked.Load() != awake || len(w.signal) != 0 {
		t.Error("the waiter is left announced")
	}
}

// TestDozeLosesNothing: a consumer that dozes after its work and then waits sees all of
// what a producer publishes that only nudges.
func TestDozeLosesNothing(t *testing.T) {
	rounds := uint64(testCount(20_000))
	ring, w := NewBroadcast[uint64](64), NewWaiter(Park)
	ring.NotifyLazily(w)
	r := ring.NewGatingReader()
	go func() {
		for i := range rounds {
			ring.Publish(&i)
			if i%97 == 0 {
				runtime.Gosched()
			}
		}
	}()
	never := func() bool { return false }
	var got [16]uint64
	for seen := uint64(0); seen < rounds; {
		n, _ := r.Read(got[:])
		for _, v := range got[:n] {
			if v != seen {
				t.Fatalf("value %d after %d", v, seen)
			}
			seen++
		}
		if n > 0 {
			w.Doze(never, time.Microsecond)
			continue
		}
		w.Wait(r.Ready, time.Minute)
	}
}
