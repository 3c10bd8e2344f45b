package ringbuf

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
)

// event has the size of a market-data event: one cache line.
type event struct {
	Seq  uint64
	Rest struct{ A, B, C, D, E, F, G uint64 }
}

const benchCapacity = 4096

// consume pops b.N events in order and checks their sequence.
func consume(b *testing.B, pop func(dst []event) int, batch int) {
	dst := make([]event, batch)
	for want := uint64(0); want < uint64(b.N); {
		n := pop(dst[:min(batch, b.N-int(want))])
		if n == 0 {
			runtime.Gosched()
		}
		for i := range n {
			if dst[i].Seq != want {
				b.Errorf("got %d, want %d", dst[i].Seq, want)
				return
			}
			want++
		}
	}
}

// BenchmarkOneToOne moves 64-byte events from one goroutine to another through a
// Go channel and an SPSC of the same capacity (4096), one at a time and in
// batches of 64; both sides yield when they cannot go on. The sequence is checked.
func BenchmarkOneToOne(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		ch := make(chan event, benchCapacity)
		go func() {
			for i := range uint64(b.N) {
				ch <- event{Seq: i}
			}
		}()
		consume(b, func(dst []event) int { dst[0] = <-ch; return 1 }, 1)
	})
	for _, batch := range []struct{ push, pop int }{{1, 1}, {1, 64}, {64, 64}} {
		b.Run(fmt.Sprintf("SPSC/push=%d/pop=%d", batch.push, batch.pop), func(b *testing.B) {
			q := NewSPSC[event](benchCapacity)
			go produce(q, b.N, batch.push)
			if batch.pop == 1 {
				consume(b, func(dst []event) int {
					if q.Pop(&dst[0]) {
						return 1
					}
					return 0
				}, 1)
				return
			}
			consume(b, q.PopBatch, batch.pop)
		})
	}
}

// produce pushes n numbered events, batch at a time.
func produce(q *SPSC[event], n, batch int) {
	src := make([]event, batch)
	for i := 0; i < n; {
		src = src[:min(batch, n-i)]
		for k := range src {
			src[k].Seq = uint64(i + k)
		}
		for at := 0; at < len(src); {
			pushed := 0
			if batch > 1 {
				pushed = q.PushBatch(src[at:])
			} else if q.Push(&src[0]) {
				pushed = 1
			}
			if pushed == 0 {
				runtime.Gosched()
			}
			at += pushed
		}
		i += len(src)
	}
}

// BenchmarkRoundTrip passes a number back and forth between two spinning
// goroutines: over two bare words a cache line pair apart (what the machine can
// do), over two SPSC, and over two channels. One operation is a round trip. Only
// their ratio within one run means something.
func BenchmarkRoundTrip(b *testing.B) {
	b.Run("words", func(b *testing.B) {
		var w struct {
			_    [linePad]byte
			ping atomic.Uint64
			_    [linePad]byte
			pong atomic.Uint64
			_    [linePad]byte
		}
		go func() {
			for i := range uint64(b.N) {
				spinUntil(func() bool { return w.ping.Load() == i+1 })
				w.pong.Store(i + 1)
			}
		}()
		for i := range uint64(b.N) {
			w.ping.Store(i + 1)
			spinUntil(func() bool { return w.pong.Load() == i+1 })
		}
	})
	b.Run("SPSC", func(b *testing.B) {
		ping, pong := NewSPSC[uint64](64), NewSPSC[uint64](64)
		go func() {
			var v uint64
			for range b.N {
				spinUntil(func() bool { return ping.Pop(&v) })
				pong.Push(&v)
			}
		}()
		for i := range uint64(b.N) {
			var v uint64
			ping.Push(&i)
			spinUntil(func() bool { return pong.Pop(&v) })
			if v != i {
				b.Fatalf("got %d, want %d", v, i)
			}
		}
	})
	b.Run("channel", func(b *testing.B) {
		ping, pong := make(chan uint64, 1), make(chan uint64, 1)
		go func() {
			for range b.N {
				pong <- <-ping
			}
		}()
		for i := range uint64(b.N) {
			ping <- i
			if v := <-pong; v != i {
				b.Fatalf("got %d, want %d", v, i)
			}
		}
	})
}

// spinUntil looks until ok; every 4096 looks it yields, in case the other side
// has been descheduled.
func spinUntil(ok func() bool) {
	for i := 1; !ok(); i++ {
		if i%4096 == 0 {
			runtime.Gosched()
		}
	}
}

// BenchmarkManyToOne moves 64-byte events from 1, 2, 4 and 8 goroutines to one,
// which pops batches of 64, through an MPSC and a channel of capacity 4096. A
// refused producer yields. One operation is one event; the sum is checked.
func BenchmarkManyToOne(b *testing.B) {
	for _, producers := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprintf("MPSC/producers=%d", producers), func(b *testing.B) {
			q := NewMPSC[event](benchCapacity)
			benchManyToOne(b, producers, func(e *event) {
				for !q.Push(e) {
					runtime.Gosched()
				}
			}, q.PopBatch)
		})
		b.Run(fmt.Sprintf("channel/producers=%d", producers), func(b *testing.B) {
			ch := make(chan event, benchCapacity)
			benchManyToOne(b, producers, func(e *event) { ch <- *e },
				func(dst []event) int { dst[0] = <-ch; return 1 })
		})
	}
}

func benchManyToOne(b *testing.B, producers int, push func(e *event), pop func(dst []event) int) {
	var want uint64
	for p := range producers {
		n := uint64(b.N / producers)
		if p == 0 {
			n += uint64(b.N % producers)
		}
		want += n * (n + 1) / 2
		go func() {
			var e event
			for i := range n {
				e.Seq = i + 1
				push(&e)
			}
		}()
	}
	var got uint64
	dst := make([]event, 64)
	for left := b.N; left > 0; {
		n := pop(dst[:min(len(dst), left)])
		if n == 0 {
			runtime.Gosched()
		}
		for i := range n {
			got += dst[i].Seq
		}
		left -= n
	}
	if got != want {
		b.Fatalf("sum is %d, want %d", got, want)
	}
}
