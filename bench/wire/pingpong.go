package main

import (
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// pong is what a word takes from one core to another and back.
type pong struct{ median, best time.Duration }

// pingPong bounces a word between two threads for length, each on a cache line of its
// own: no hand-over between two goroutines can be faster.
func pingPong(length time.Duration) pong {
	const batch = 100 // bounces that are timed together
	var there, back word
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for v := uint64(1); there.await(v); v++ {
			back.Store(v)
		}
	}()
	var samples []time.Duration
	v := uint64(0)
	for end := time.Now().Add(length); len(samples) == 0 || time.Now().Before(end); {
		start := time.Now()
		for range batch {
			v++
			there.Store(v)
			back.await(v)
		}
		samples = append(samples, time.Since(start)/batch)
	}
	there.Store(pongOver)
	<-done
	slices.Sort(samples)
	return pong{samples[len(samples)/2], samples[0]}
}

// word is a number with a cache line of its own.
type word struct {
	atomic.Uint64
	_ [120]byte
}

// pongOver ends the game.
const pongOver = ^uint64(0)

// await spins until w is v, and returns false when it is pongOver. On one processor
// two threads that spin would wait for the scheduler: they give way now and then.
func (w *word) await(v uint64) bool {
	for spins := 1; ; spins++ {
		switch w.Load() {
		case v:
			return true
		case pongOver:
			return false
		}
		if spins%(1<<14) == 0 {
			runtime.Gosched()
		}
	}
}
