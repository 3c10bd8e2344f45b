package ringbuf

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// BenchmarkBroadcast publishes 64-byte events to three readers that read batches
// of 64 from a ring of 4096: overrun-detecting ones, and gating ones that hold the
// producer back. One operation is one event published. Each reader checks order,
// and that delivered and lost make the whole.
func BenchmarkBroadcast(b *testing.B) {
	b.Run("readers=0", func(b *testing.B) { benchBroadcast(b, 0, false, 1) })
	b.Run("readers=3", func(b *testing.B) { benchBroadcast(b, 3, false, 1) })
	b.Run("readers=3/batch=16", func(b *testing.B) { benchBroadcast(b, 3, false, 16) })
	b.Run("gating=3", func(b *testing.B) { benchBroadcast(b, 3, true, 1) })
	b.Run("gating=3/batch=16", func(b *testing.B) { benchBroadcast(b, 3, true, 16) })
}

func benchBroadcast(b *testing.B, readers int, gating bool, batch int) {
	ring := NewBroadcast[event](benchCapacity)
	done := make(chan uint64, readers)
	for range readers {
		r := ring.NewReader()
		if gating {
			r = ring.NewGatingReader()
		}
		go func() { done <- follow(b, r) }()
	}
	src := make([]event, batch)
	for i := 0; i < b.N; {
		src = src[:min(batch, b.N-i)]
		for k := range src {
			src[k].Seq = uint64(i + k)
		}
		if batch == 1 {
			ring.Publish(&src[0])
		} else {
			ring.PublishBatch(src)
		}
		i += len(src)
	}
	var lost uint64
	for range readers {
		lost += <-done
	}
	if ring.Published() != uint64(b.N) || gating && lost != 0 {
		b.Fatalf("%d published, %d lost", ring.Published(), lost)
	}
	if readers > 0 {
		b.ReportMetric(100*float64(lost)/float64(b.N*readers), "%lost")
	}
}

// follow reads b.N events less the lost ones and returns how many were lost.
func follow(b *testing.B, r *Reader[event]) (lost uint64) {
	dst := make([]event, 64)
	for at := uint64(0); at < uint64(b.N); {
		n, l := r.Read(dst)
		if n == 0 && l == 0 {
			runtime.Gosched()
		}
		at, lost = at+l, lost+l
		for i := range n {
			if dst[i].Seq != at {
				b.Errorf("got %d, want %d", dst[i].Seq, at)
				return lost
			}
			at++
		}
	}
	r.Close()
	return lost
}

// BenchmarkCell stores and loads a 96-byte value without contention, and stores
// it while another goroutine loads without pause.
func BenchmarkCell(b *testing.B) {
	var c Cell[[12]uint64]
	v := [12]uint64{0: 1}
	c.Store(&v)
	b.Run("store", func(b *testing.B) {
		for b.Loop() {
			c.Store(&v)
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if !c.Load(&v) || v[0] != 1 {
				b.Fatal("wrong value")
			}
		}
	})
	b.Run("store-while-loaded", func(b *testing.B) {
		var stop atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			var v [12]uint64
			for !stop.Load() {
				c.Load(&v)
			}
		}()
		for b.Loop() {
			c.Store(&v)
		}
		stop.Store(true)
		<-done
	})
}

// BenchmarkWake calls Wake when nobody is parked: what each publication pays for
// an attached Waiter besides its barrier.
func BenchmarkWake(b *testing.B) {
	w := NewWaiter(Adaptive)
	for b.Loop() {
		w.Wake()
	}
	if w.parked.Load() != 0 {
		b.Fatal("parked")
	}
}
