package queue

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v3"

	"qcat/bench/peers/contest"
	"qcat/ringbuf"
)

// RoundTrip is the name of the case.
const RoundTrip = "round trip, 8 B there and back"

// roundTrip is the case in which a number goes to another goroutine and comes back
// before the next one leaves. The floor is two bare words, each on cache lines of its
// own: what the machine takes to move a line to the other core and back. That drifts
// from second to second, and so the turns are short and many.
func roundTrip() contest.Case {
	c := contest.Case{Name: RoundTrip, Unit: "ns/round trip", Split: slices}
	for _, e := range []struct {
		name string
		role contest.Role
		run  func(n int) error
	}{
		{"SPSC", contest.Own, pingSPSC},
		{"MPSC", contest.Own, pingMPSC},
		{"cache line", contest.Floor, pingWords},
		{"xsync SPSC", contest.Peer, pingXsync},
		{"channel", contest.Peer, pingChannel},
	} {
		c.Entrants = append(c.Entrants, contest.Entrant{Name: e.name, Role: e.role, Run: func(d time.Duration) (float64, error) {
			return contest.Timed(d, func(n int) (time.Duration, error) {
				began := time.Now()
				err := e.run(n)
				return time.Since(began), err
			})
		}})
	}
	return c
}

// patience is how many looks a spinning goroutine takes before it yields, in case
// the other one has been taken off its core.
const patience = 4096

// linePad keeps two words apart that two cores write: two lines, since processors
// fetch the neighbour too.
const linePad = 128

func pingWords(n int) error {
	var w struct {
		_    [linePad]byte
		ping atomic.Uint64
		_    [linePad]byte
		pong atomic.Uint64
		_    [linePad]byte
	}
	go func() {
		for i := range uint64(n) {
			for k := 1; w.ping.Load() != i+1; k++ {
				if k%patience == 0 {
					runtime.Gosched()
				}
			}
			w.pong.Store(i + 1)
		}
	}()
	for i := range uint64(n) {
		w.ping.Store(i + 1)
		for k := 1; w.pong.Load() != i+1; k++ {
			if k%patience == 0 {
				runtime.Gosched()
			}
		}
	}
	return nil
}

func pingSPSC(n int) error {
	there, back := ringbuf.NewSPSC[uint64](block), ringbuf.NewSPSC[uint64](block)
	go func() {
		var v uint64
		for range n {
			for k := 1; !there.Pop(&v); k++ {
				if k%patience == 0 {
					runtime.Gosched()
				}
			}
			back.Push(&v)
		}
	}()
	for i := range uint64(n) {
		there.Push(&i)
		v := ^i
		for k := 1; !back.Pop(&v); k++ {
			if k%patience == 0 {
				runtime.Gosched()
			}
		}
		if v != i {
			return fmt.Errorf("%d came back, want %d", v, i)
		}
	}
	return nil
}

// pingMPSC is pingSPSC with the other ring, written out: through a type parameter its
// methods would be called and not inlined, as they are where the ring is used.
func pingMPSC(n int) error {
	there, back := ringbuf.NewMPSC[uint64](block), ringbuf.NewMPSC[uint64](block)
	go func() {
		var v uint64
		for range n {
			for k := 1; !there.Pop(&v); k++ {
				if k%patience == 0 {
					runtime.Gosched()
				}
			}
			back.Push(&v)
		}
	}()
	for i := range uint64(n) {
		there.Push(&i)
		v := ^i
		for k := 1; !back.Pop(&v); k++ {
			if k%patience == 0 {
				runtime.Gosched()
			}
		}
		if v != i {
			return fmt.Errorf("%d came back, want %d", v, i)
		}
	}
	return nil
}

func pingXsync(n int) error {
	there, back := xsync.NewSPSCQueueOf[uint64](block), xsync.NewSPSCQueueOf[uint64](block)
	receive := func(q *xsync.SPSCQueueOf[uint64]) uint64 {
		for k := 1; ; k++ {
			if v, ok := q.TryDequeue(); ok {
				return v
			}
			if k%patience == 0 {
				runtime.Gosched()
			}
		}
	}
	go func() {
		for range n {
			back.TryEnqueue(receive(there))
		}
	}()
	for i := range uint64(n) {
		there.TryEnqueue(i)
		if v := receive(back); v != i {
			return fmt.Errorf("%d came back, want %d", v, i)
		}
	}
	return nil
}

func pingChannel(n int) error {
	there, back := make(chan uint64, 1), make(chan uint64, 1)
	go func() {
		for range n {
			back <- <-there
		}
	}()
	for i := range uint64(n) {
		there <- i
		if v := <-back; v != i {
			return fmt.Errorf("%d came back, want %d", v, i)
		}
	}
	return nil
}
