package ringbuf

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Waiter is how one consumer goroutine waits for any number of rings: an
// eventcount. Rings it is attached to (Notify) call Wake after publishing.
//
//	  0  parked  awake, or how the consumer sleeps or is about to
//	128  strategy, timer, signal   consumer
//
// No wake-up is lost. The consumer announces (parked) and then asks ready
// once more; a producer publishes and then looks at parked. Both orders are full
// barriers, so at least one of the two sees the other. Whoever turns parked
// to awake owns the sleep: a producer that does sends exactly one signal, and the
// consumer, when its own attempt fails, takes that signal before it returns. The
// channel therefore never holds a stale one.
type Waiter struct {
	parked atomic.Uint32
	_      [linePad - 4]byte

	strategy IdleStrategy
	spins    int
	signal   chan struct{}
	timer    *time.Timer
}

const (
	awake  uint32 = iota
	asleep        // Wake and Nudge end it
	dozing        // Wake ends it
)

const (
	// spinPauses is the number of PAUSE instructions between two looks: 20 to 100 ns
	// by processor.
	spinPauses = 2
	// Adaptive looks spinsPerProc times for each processor beyond its own, at most
	// maxSpins times: about half a microsecond on 2 processors, two on 8. With few
	// of them, whoever could end the spin is likely to need the one that spins.
	spinsPerProc = 8
	maxSpins     = 24
	// adaptiveYields is how often Adaptive lets others run before it parks.
	adaptiveYields = 4
	// clockEvery is how many looks Spin and Yield take between two readings of the
	// clock, which costs as much as several looks.
	clockEvery = 64
)

// NewWaiter returns a Waiter that waits as s says.
func NewWaiter(s IdleStrategy) *Waiter {
	w := &Waiter{strategy: s, signal: make(chan struct{}, 1)}
	w.spins = min(spinsPerProc*(runtime.GOMAXPROCS(0)-1), maxSpins)
	w.timer = time.NewTimer(time.Hour) // reused by every sleep
	w.timer.Stop()
	return w
}

// Wait returns when ready returns true, when Wake ends a sleep, or when max has
// elapsed; it returns at once when max is not positive. Which of them it was does
// not matter: the caller polls again. Whatever the consumer is to be woken for,
// shutting down included, must show in ready: Wake alone ends a sleep, not a spin.
//
// Consumer only. It allocates nothing, provided ready does not and is not made
// anew for each call.
func (w *Waiter) Wait(ready func() bool, max time.Duration) {
	if ready() || max <= 0 {
		return
	}
	switch w.strategy {
	case Spin:
		w.poll(ready, max, spinOnce)
	case Yield:
		w.poll(ready, max, runtime.Gosched)
	case Park:
		w.park(asleep, ready, max)
	default:
		for range w.spins {
			pause(spinPauses)
			if ready() {
				return
			}
		}
		for range adaptiveYields {
			runtime.Gosched()
			if ready() {
				return
			}
		}
		w.park(asleep, ready, max)
	}
}

// Doze sleeps for max, or until ready or Wake: what only nudges comes together
// meanwhile. A consumer that nobody waits for dozes after its work, and so costs its
// producers one wake-up for many values instead of one for each. Spin and Yield, which
// cost their producers none, return at once.
//
// Consumer only; like Wait it allocates nothing.
func (w *Waiter) Doze(ready func() bool, max time.Duration) {
	if w.strategy != Spin && w.strategy != Yield && max > 0 {
		w.park(dozing, ready, max)
	}
}

func spinOnce() { pause(spinPauses) }

// poll looks until ready or until max has elapsed. Each reading of the clock also
// yields once, so that even Spin cannot starve the only processor.
func (w *Waiter) poll(ready func() bool, max time.Duration, between func()) {
	start := time.Now()
	for {
		for range clockEvery {
			between()
			if ready() {
				return
			}
		}
		if time.Since(start) >= max {
			return
		}
		runtime.Gosched()
	}
}

// park sleeps until it is woken, or for max.
func (w *Waiter) park(how uint32, ready func() bool, max time.Duration) {
	w.parked.Store(how)
	if ready() {
		w.unpark(how)
		return
	}
	w.timer.Reset(max)
	select {
	case <-w.signal:
		w.timer.Stop()
	case <-w.timer.C:
		w.unpark(how)
	}
}

// unpark takes the announcement back; if a producer was faster, its signal is on
// the way and is taken.
func (w *Waiter) unpark(how uint32) {
	if !w.parked.CompareAndSwap(how, awake) {
		<-w.signal
	}
}

// Wake ends the consumer's sleep, if it sleeps. Any goroutine; never blocks,
// never allocates. When nobody is parked it is one load.
//
// A caller that publishes by its own means must do so with a full barrier (any
// sync/atomic store, or an unlock of a mutex that ready takes) before Wake.
func (w *Waiter) Wake() {
	if how := w.parked.Load(); how != awake {
		w.end(how)
	}
}

// Nudge is Wake for what can wait until the consumer has dozed.
func (w *Waiter) Nudge() {
	if w.parked.Load() == asleep {
		w.end(asleep)
	}
}

// end ends a sleep of that kind. One that has ended meanwhile, and become another, has
// been announced after what the caller published: its consumer looks for itself.
func (w *Waiter) end(how uint32) {
	if w.parked.CompareAndSwap(how, awake) {
		w.signal <- struct{}{}
	}
}
