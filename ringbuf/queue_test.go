package ringbuf

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// queue is what SPSC and MPSC have in common, so that one set of tests holds
// both against the naive queue.
type queue interface {
	Push(v *uint64) bool
	Pop(v *uint64) bool
	PopBatch(dst []uint64) int
	Ready() bool
	Len() int
	Cap() int
	Notify(w *Waiter)
}

var queues = []struct {
	name string
	make func(capacity int) queue
}{
	{"SPSC", func(n int) queue { return NewSPSC[uint64](n) }},
	{"MPSC", func(n int) queue { return NewMPSC[uint64](n) }},
}

// naiveQueue is the obviously correct bounded queue.
type naiveQueue struct {
	values   []uint64
	capacity int
}

func (q *naiveQueue) push(v uint64) bool {
	if len(q.values) == q.capacity {
		return false
	}
	q.values = append(q.values, v)
	return true
}

func (q *naiveQueue) pop(n int) []uint64 {
	n = min(n, len(q.values))
	out := q.values[:n:n]
	q.values = q.values[n:]
	return out
}

// seed returns a random generator whose seed is printed if the test fails.
func seed(t testing.TB) *rand.Rand {
	s := uint64(time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", s)
		}
	})
	return rand.New(rand.NewPCG(s, 0))
}

func TestQueueCapacity(t *testing.T) {
	for _, impl := range queues {
		for _, c := range []struct{ ask, want int }{{1, 1}, {2, 2}, {3, 4}, {4, 4}, {5, 8}, {1000, 1024}} {
			if got := impl.make(c.ask).Cap(); got != c.want {
				t.Errorf("%s: capacity %d gives %d, want %d", impl.name, c.ask, got, c.want)
			}
		}
		for _, bad := range []int{0, -1, maxCapacity + 1} {
			if !panics(func() { impl.make(bad) }) {
				t.Errorf("%s: capacity %d does not panic", impl.name, bad)
			}
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// TestQueueAgainstNaive drives each queue and the naive one with the same random
// operations over many laps, at every small capacity.
func TestQueueAgainstNaive(t *testing.T) {
	rng := seed(t)
	for _, impl := range queues {
		for _, capacity := range []int{1, 2, 4, 8, 64} {
			q, naive := impl.make(capacity), &naiveQueue{capacity: capacity}
			dst := make([]uint64, 2*capacity+1)
			next := uint64(0)
			for step := range 20_000 {
				switch rng.IntN(4) {
				case 0, 1:
					if got, want := q.Push(&next), naive.push(next); got != want {
						t.Fatalf("%s/%d step %d: Push = %v, want %v", impl.name, capacity, step, got, want)
					}
					next++
				case 2:
					var v uint64
					got, want := q.Pop(&v), naive.pop(1)
					if got != (len(want) == 1) || got && v != want[0] {
						t.Fatalf("%s/%d step %d: Pop = %d, %v, want %v", impl.name, capacity, step, v, got, want)
					}
				case 3:
					n := rng.IntN(len(dst) + 1)
					got, want := q.PopBatch(dst[:n]), naive.pop(n)
					if got != len(want) {
						t.Fatalf("%s/%d step %d: PopBatch = %d, want %d", impl.name, capacity, step, got, len(want))
					}
					for i, v := range want {
						if dst[i] != v {
							t.Fatalf("%s/%d step %d: value %d is %d, want %d", impl.name, capacity, step, i, dst[i], v)
						}
					}
				}
				if q.Len() != len(naive.values) || q.Ready() != (len(naive.values) > 0) {
					t.Fatalf("%s/%d step %d: Len %d Ready %v, want %d", impl.name, capacity, step, q.Len(), q.Ready(), len(naive.values))
				}
			}
		}
	}
}

func TestSPSCPushBatchAgainstNaive(t *testing.T) {
	rng := seed(t)
	for _, capacity := range []int{1, 2, 8, 32} {
		q, naive := NewSPSC[uint64](capacity), &naiveQueue{capacity: capacity}
		src := make([]uint64, 2*capacity+1)
		dst := make([]uint64, 2*capacity+1)
		next := uint64(0)
		for step := range 10_000 {
			n := rng.IntN(len(src) + 1)
			for i := range n {
				src[i] = next + uint64(i)
			}
			want := 0
			for want < n && naive.push(src[want]) {
				want++
			}
			if got := q.PushBatch(src[:n]); got != want {
				t.Fatalf("capacity %d step %d: PushBatch(%d) = %d, want %d", capacity, step, n, got, want)
			}
			next += uint64(want)
			out := naive.pop(rng.IntN(len(dst) + 1))
			if got := q.PopBatch(dst[:len(out)]); got != len(out) {
				t.Fatalf("capacity %d step %d: PopBatch = %d, want %d", capacity, step, got, len(out))
			}
			for i, v := range out {
				if dst[i] != v {
					t.Fatalf("capacity %d step %d: value %d is %d, want %d", capacity, step, i, dst[i], v)
				}
			}
		}
	}
}

// wide is a value of several cache lines: a queue that showed a slot too early
// would show it torn.
type wide [24]uint64

func wideOf(v uint64) (w wide) {
	for i := range w {
		w[i] = v + uint64(i)
	}
	return w
}

func (w *wide) whole() bool {
	for i := range w {
		if w[i] != w[0]+uint64(i) {
			return false
		}
	}
	return true
}

// testCount scales the number of values down under the race detector.
func testCount(n int) int {
	if raceEnabled {
		return n / 10
	}
	return n
}

func TestSPSCConcurrent(t *testing.T) {
	for _, capacity := range []int{1, 2, 64} {
		n := uint64(testCount(200_000))
		q := NewSPSC[wide](capacity)
		go func() {
			for i := range n {
				w := wideOf(i)
				for !q.Push(&w) {
					runtime.Gosched()
				}
			}
		}()
		batch := make([]wide, 5)
		for want := uint64(0); want < n; {
			got := q.PopBatch(batch[:1+want%5])
			if got == 0 {
				runtime.Gosched()
			}
			for i := range got {
				if batch[i][0] != want || !batch[i].whole() {
					t.Fatalf("capacity %d: got %v, want %d…", capacity, batch[i], want)
				}
				want++
			}
		}
	}
}

// TestMPSCConcurrent has more producers than cores and checks that each one's
// values arrive once, whole, and in its order.
func TestMPSCConcurrent(t *testing.T) {
	const producers = 8
	for _, capacity := range []int{1, 2, 16, 1024} {
		n := uint64(testCount(40_000))
		q := NewMPSC[wide](capacity)
		for p := range uint64(producers) {
			go func() {
				for i := range n {
					w := wideOf(p<<32 | i)
					for !q.Push(&w) {
						runtime.Gosched()
					}
				}
			}()
		}
		var next [producers]uint64
		var w wide
		for range n * producers {
			for !q.Pop(&w) {
				runtime.Gosched()
			}
			p, i := w[0]>>32, w[0]&0xffffffff
			if p >= producers || next[p] != i || !w.whole() {
				t.Fatalf("capacity %d: got %v, want value %d of producer %d", capacity, w, next[p%producers], p)
			}
			next[p]++
		}
		if q.Ready() || q.Len() != 0 {
			t.Fatalf("capacity %d: %d values left", capacity, q.Len())
		}
	}
}

// TestMPSCRefusesWithoutLosing has producers that give up when the queue is full:
// what was accepted, and nothing else, comes out.
func TestMPSCRefusesWithoutLosing(t *testing.T) {
	const producers = 4
	q := NewMPSC[uint64](8)
	accepted := make(chan uint64, producers)
	for p := range uint64(producers) {
		go func() {
			var sum uint64
			for i := range uint64(testCount(50_000)) {
				v := p<<32 + i
				if q.Push(&v) {
					sum += v
				} else if i%16 == 0 {
					runtime.Gosched()
				}
			}
			accepted <- sum
		}()
	}
	var got, want, v uint64
	for done := 0; done < producers; {
		select {
		case s := <-accepted:
			want += s
			done++
		default:
			if q.Pop(&v) {
				got += v
			} else {
				runtime.Gosched()
			}
		}
	}
	for q.Pop(&v) {
		got += v
	}
	if got != want {
		t.Fatalf("sum of values popped is %d, of values accepted %d", got, want)
	}
}

// TestMPSCUnfinishedProducer stops a producer between claim and completion, as
// the scheduler may: others go on, the consumer waits without error, and nothing
// is delivered out of order.
func TestMPSCUnfinishedProducer(t *testing.T) {
	q := NewMPSC[uint64](4)
	at, ok := q.claim()
	if !ok || at != 0 {
		t.Fatalf("claim = %d, %v", at, ok)
	}
	for v := uint64(1); v <= 3; v++ {
		if !q.Push(&v) {
			t.Fatalf("Push(%d) refused behind an unfinished producer", v)
		}
	}
	var v uint64
	if full := uint64(9); q.Push(&full) {
		t.Fatal("Push accepted beyond the capacity")
	}
	if q.Pop(&v) || q.PopBatch(make([]uint64, 4)) != 0 || !q.Ready() {
		t.Fatal("an incomplete slot was delivered, or the claim does not show")
	}
	q.slots[0].value = 0
	q.slots[0].seq.publish(1)
	dst := make([]uint64, 4)
	if n := q.PopBatch(dst); n != 4 || dst[0] != 0 || dst[3] != 3 {
		t.Fatalf("PopBatch = %d %v", n, dst)
	}
}
