package ringbuf

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// drain reads everything there is for r and checks that values count up from the
// position the reader stands at; it returns how many were delivered and lost.
func drain(t *testing.T, r *Reader[wide], at *uint64, dst []wide) (delivered, lost uint64) {
	t.Helper()
	for r.Ready() {
		n, l := r.Read(dst)
		*at += l
		lost += l
		for i := range n {
			if dst[i][0] != *at || !dst[i].whole() {
				t.Errorf("read %v, want value %d", dst[i], *at)
				return
			}
			*at++
		}
		delivered += uint64(n)
	}
	return delivered, lost
}

// wantLost is what a reader that is behind by so many values loses: nothing up to
// a lap, beyond it all but half a lap.
func wantLost(behind uint64, capacity int) uint64 {
	if behind <= uint64(capacity) {
		return 0
	}
	return behind - max(uint64(capacity)/2, 1)
}

func TestBroadcastOverrun(t *testing.T) {
	b := NewBroadcast[uint64](4)
	r := b.NewReader()
	dst := make([]uint64, 8)
	if n, lost := r.Read(dst); n != 0 || lost != 0 || r.Ready() {
		t.Fatalf("Read of an empty ring = %d, %d", n, lost)
	}
	for v := range uint64(10) {
		b.Publish(&v)
	}
	if r.Lag() != 10 || b.Published() != 10 || b.Cap() != 4 {
		t.Fatalf("Lag %d Published %d Cap %d", r.Lag(), b.Published(), b.Cap())
	}
	if n, lost := r.Read(dst[:1]); n != 1 || lost != 8 || dst[0] != 8 {
		t.Fatalf("Read = %d, %d %v, want value 8, half a lap behind, and 8 lost", n, lost, dst[:n])
	}
	if n, lost := r.Read(dst); n != 1 || lost != 0 || dst[0] != 9 {
		t.Fatalf("Read = %d, %d %v, want value 9", n, lost, dst[:n])
	}
	late := b.NewReader()
	v := uint64(10)
	b.Publish(&v)
	if n, lost := late.Read(dst); n != 1 || lost != 0 || dst[0] != 10 {
		t.Fatalf("a late reader got %d, %d %v, want value 10 only", n, lost, dst[:n])
	}
}

// TestBroadcastTornPrefix stops the producer inside a batch, when it has claimed
// slots and not yet filled them: exactly the claimed slots are lost.
func TestBroadcastTornPrefix(t *testing.T) {
	b := NewBroadcast[uint64](8)
	r := b.NewReader()
	for v := range uint64(8) {
		b.Publish(&v)
	}
	b.claimed.publish(11) // values 8, 9 and 10 are on their way over 0, 1 and 2
	dst := make([]uint64, 8)
	if n, lost := r.Read(dst[:2]); n != 0 || lost != 3 {
		t.Fatalf("Read of torn values only = %d, %d, want 0, 3", n, lost)
	}
	if n, lost := r.Read(dst); n != 5 || lost != 0 || dst[0] != 3 || dst[4] != 7 {
		t.Fatalf("Read = %d, %d %v, want values 3 to 7", n, lost, dst[:n])
	}
	other := b.NewReader()
	other.position.publish(0)
	if n, lost := other.Read(dst); n != 5 || lost != 3 || dst[0] != 3 || dst[4] != 7 {
		t.Fatalf("Read = %d, %d %v, want 3 lost and values 3 to 7", n, lost, dst[:n])
	}
}

func TestBroadcastGating(t *testing.T) {
	for _, capacity := range []int{1, 2, 8} {
		b := NewBroadcast[uint64](capacity)
		g := b.NewGatingReader()
		free := b.NewReader()
		for v := range uint64(capacity) {
			if !b.TryPublish(&v) {
				t.Fatalf("capacity %d: TryPublish(%d) = false", capacity, v)
			}
		}
		v := uint64(capacity)
		if b.TryPublish(&v) {
			t.Fatalf("capacity %d: TryPublish succeeded over a gating reader", capacity)
		}
		dst := make([]uint64, 1)
		if n, lost := g.Read(dst); n != 1 || lost != 0 || dst[0] != 0 {
			t.Fatalf("capacity %d: Read = %d, %d %v", capacity, n, lost, dst)
		}
		if !b.TryPublish(&v) || b.TryPublish(&v) {
			t.Fatalf("capacity %d: one read did not make room for exactly one value", capacity)
		}
		g.Close()
		g.Close()
		for range 3 * capacity {
			if !b.TryPublish(&v) {
				t.Fatalf("capacity %d: TryPublish = false after the reader left", capacity)
			}
		}
		if n, lost := g.Read(dst); n != 0 || lost != 0 || g.Ready() {
			t.Fatalf("capacity %d: a closed reader read %d, %d", capacity, n, lost)
		}
		total := uint64(4*capacity + 1)
		if _, lost := free.Read(dst); lost != wantLost(total, b.Cap()) {
			t.Fatalf("capacity %d: the other reader lost %d, want %d", capacity, lost, wantLost(total, b.Cap()))
		}
	}
}

// TestBroadcastCloseFreesProducer closes a gating reader while the producer waits
// for it.
func TestBroadcastCloseFreesProducer(t *testing.T) {
	b := NewBroadcast[uint64](2)
	g := b.NewGatingReader()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.PublishBatch(make([]uint64, 100))
	}()
	for b.Published() < 2 {
		runtime.Gosched()
	}
	select {
	case <-done:
		t.Fatal("the producer passed a gating reader")
	default:
	}
	g.Close()
	<-done
	if b.Published() != 100 {
		t.Fatalf("%d published, want 100", b.Published())
	}
}

// TestBroadcastAgainstNaive compares random publications and reads, alone and in
// batches, with a naive history of everything published.
func TestBroadcastAgainstNaive(t *testing.T) {
	rng := seed(t)
	for _, capacity := range []int{1, 2, 4, 16} {
		b := NewBroadcast[uint64](capacity)
		type naive struct {
			r      *Reader[uint64]
			at     uint64
			gating bool
		}
		var readers []*naive
		published := uint64(0)
		room := func() uint64 {
			most := uint64(1 << 62)
			for _, n := range readers {
				if n.gating {
					most = min(most, n.at+uint64(capacity)-published)
				}
			}
			return most
		}
		batch := make([]uint64, 3*capacity)
		dst := make([]uint64, 2*capacity)
		for step := range 20_000 {
			switch op := rng.IntN(10); {
			case op == 0 && len(readers) < 5:
				n := &naive{at: published, gating: rng.IntN(3) == 0}
				if n.gating {
					n.r = b.NewGatingReader()
				} else {
					n.r = b.NewReader()
				}
				readers = append(readers, n)
			case op == 1 && len(readers) > 0 && rng.IntN(4) == 0:
				i := rng.IntN(len(readers))
				readers[i].r.Close()
				readers = append(readers[:i], readers[i+1:]...)
			case op < 5:
				if got, want := b.TryPublish(&published), room() > 0; got != want {
					t.Fatalf("capacity %d step %d: TryPublish = %v, want %v", capacity, step, got, want)
				} else if want {
					published++
				}
			case op == 5:
				n := int(min(room(), uint64(rng.IntN(len(batch)+1))))
				for i := range n {
					batch[i] = published + uint64(i)
				}
				b.PublishBatch(batch[:n])
				published += uint64(n)
			case len(readers) > 0:
				n := readers[rng.IntN(len(readers))]
				want := dst[:rng.IntN(len(dst)+1)]
				gone := wantLost(published-n.at, capacity)
				got, lost := n.r.Read(want)
				if wantGot := int(min(uint64(len(want)), published-n.at-gone)); got != wantGot || lost != gone {
					t.Fatalf("capacity %d step %d: Read = %d, %d, want %d, %d", capacity, step, got, lost, wantGot, gone)
				}
				n.at += lost
				for i := range got {
					if want[i] != n.at {
						t.Fatalf("capacity %d step %d: value %d, want %d", capacity, step, want[i], n.at)
					}
					n.at++
				}
				if n.r.Lag() != published-n.at || n.r.Ready() != (published != n.at) {
					t.Fatalf("capacity %d step %d: Lag %d, want %d", capacity, step, n.r.Lag(), published-n.at)
				}
			}
		}
	}
}

// TestBroadcastConcurrent publishes as fast as it can to readers of every kind of
// slowness. What each delivers is whole and in order, and delivered + lost is what
// was published; gating readers lose nothing.
func TestBroadcastConcurrent(t *testing.T) {
	total := uint64(testCount(150_000))
	for _, capacity := range []int{1, 2, 8, 256} {
		b := NewBroadcast[wide](capacity)
		var stop atomic.Bool
		var wg sync.WaitGroup
		var overruns atomic.Uint64
		follow := func(r *Reader[wide], stall int, gating bool) {
			defer wg.Done()
			dst := make([]wide, 7)
			var at, delivered, lost uint64
			for i := 0; ; i++ {
				ended := stop.Load()
				d, l := drain(t, r, &at, dst)
				delivered, lost = delivered+d, lost+l
				if ended {
					break
				}
				if stall > 0 && i%stall == 0 {
					time.Sleep(20 * time.Microsecond)
				} else {
					runtime.Gosched()
				}
			}
			overruns.Add(lost)
			if delivered+lost != total || gating && lost != 0 {
				t.Errorf("capacity %d gating %v: %d delivered + %d lost, want %d in all", capacity, gating, delivered, lost, total)
			}
		}
		wg.Add(4)
		go follow(b.NewReader(), 0, false)
		go follow(b.NewReader(), 1, false)
		go follow(b.NewReader(), 5, false)
		if capacity > 2 {
			go follow(b.NewGatingReader(), 0, true)
		} else {
			go follow(b.NewReader(), 0, false)
		}
		batch := make([]wide, 5)
		for v := uint64(0); v < total; {
			if v%3 == 0 && total-v >= 5 {
				for i := range batch {
					batch[i] = wideOf(v + uint64(i))
				}
				b.PublishBatch(batch)
				v += 5
				continue
			}
			w := wideOf(v)
			b.Publish(&w)
			v++
		}
		stop.Store(true)
		wg.Wait()
		if capacity <= 2 && overruns.Load() == 0 {
			t.Errorf("capacity %d: no reader was overrun, the test shows nothing", capacity)
		}
	}
}

// TestBroadcastJoinWhileRunning has gating readers join and leave while the
// producer laps: none of them ever misses a value between joining and leaving.
// They stay for a moment only, so that most of the time nobody gates and the
// producer is at full speed when the next one joins.
func TestBroadcastJoinWhileRunning(t *testing.T) {
	for _, capacity := range []int{1, 4} {
		b := NewBroadcast[wide](capacity)
		var stop atomic.Bool
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for !stop.Load() {
					joinAndLeave(t, b)
				}
			})
		}
		n := uint64(testCount(500_000))
		for v := range n {
			w := wideOf(v)
			b.Publish(&w)
		}
		stop.Store(true)
		wg.Wait()
		if b.gates.Load() != nil {
			t.Errorf("capacity %d: readers are left behind", capacity)
		}
	}
}

// TestBroadcastHalfJoined holds a gating reader at the point where the producer
// can see it and it has not taken its final position, which is laps back.
func TestBroadcastHalfJoined(t *testing.T) {
	b := NewBroadcast[uint64](4)
	v := uint64(0)
	for range 12 {
		b.Publish(&v)
	}
	r := &Reader[uint64]{ring: b, gating: true}
	b.gates.Store(&[]*Reader[uint64]{r})
	if b.TryPublish(&v) {
		t.Fatal("TryPublish succeeded while a reader was joining")
	}
	r.position.publish(b.published.load())
	for i := range 5 {
		if got := b.TryPublish(&v); got != (i < 4) {
			t.Fatalf("TryPublish %d = %v after the reader joined", i, got)
		}
	}
}

// joinAndLeave reads a few values through a gating reader and checks that they
// follow each other from the position at which it joined.
func joinAndLeave(t *testing.T, b *Broadcast[wide]) {
	r := b.NewGatingReader()
	defer r.Close()
	at := r.position.load()
	dst := make([]wide, 3)
	for range 4 {
		n, lost := r.Read(dst)
		if lost != 0 {
			t.Errorf("a gating reader lost %d", lost)
		}
		for i := range n {
			if dst[i][0] != at || !dst[i].whole() {
				t.Errorf("read %v, want value %d", dst[i], at)
			}
			at++
		}
	}
}

func TestBroadcastNotify(t *testing.T) {
	b := NewBroadcast[uint64](4)
	w1, w2 := NewWaiter(Park), NewWaiter(Park)
	b.Notify(w1)
	b.Notify(w2)
	b.Notify(w2)
	for _, w := range []*Waiter{w1, w2} {
		w.parked.Store(1)
	}
	v := uint64(1)
	b.Publish(&v)
	if len(w1.signal) != 1 || len(w2.signal) != 1 {
		t.Fatal("a publication did not wake both waiters")
	}
	<-w1.signal
	<-w2.signal
	b.Unnotify(w1)
	b.Unnotify(w2)
	w1.parked.Store(1)
	w2.parked.Store(1)
	b.PublishBatch([]uint64{2, 3})
	if len(w1.signal) != 0 || len(w2.signal) != 1 {
		t.Fatal("Unnotify does not undo exactly one Notify")
	}
	b.Unnotify(w2)
	b.Unnotify(w2)
	if b.waiters.Load() != nil {
		t.Fatal("an empty list of waiters is not nil")
	}
}
