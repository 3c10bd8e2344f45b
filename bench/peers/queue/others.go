package queue

import (
	"runtime"
	"sync"

	"github.com/puzpuzpuz/xsync/v3"
)

// channel carries values one at a time.
type channel[P any] chan value[P]

// blocks is a channel that carries batches by value.
type blocks[P any] chan [block]value[P]

func channelOf[P any](batch int) func() transport {
	if batch == 1 {
		return func() transport { return make(channel[P], capacity) }
	}
	return func() transport { return make(blocks[P], capacity/block) }
}

func (t channel[P]) produce(first uint64, n, _ int) {
	v := value[P]{seq: first}
	for range n {
		t <- v
		v.seq++
	}
}

func (t channel[P]) consume(c *checker, n, _ int) {
	for range n {
		v := <-t
		c.take(v.seq)
	}
}

func (t blocks[P]) produce(first uint64, n, _ int) {
	var src [block]value[P]
	for ; n > 0; n -= block {
		number(&src, &first)
		t <- src
	}
}

func (t blocks[P]) consume(c *checker, n, _ int) {
	for ; n > 0; n -= block {
		vs := <-t
		showAll(c, vs[:])
	}
}

type xsyncSPSC[P any] struct {
	q *xsync.SPSCQueueOf[value[P]]
}

func newXsyncSPSC[P any]() transport {
	return xsyncSPSC[P]{xsync.NewSPSCQueueOf[value[P]](capacity)}
}

func (t xsyncSPSC[P]) produce(first uint64, n, _ int) {
	v := value[P]{seq: first}
	for end := first + uint64(n); v.seq < end; {
		if t.q.TryEnqueue(v) {
			v.seq++
		} else {
			runtime.Gosched()
		}
	}
}

func (t xsyncSPSC[P]) consume(c *checker, n, _ int) {
	for n > 0 {
		if v, ok := t.q.TryDequeue(); ok {
			c.take(v.seq)
			n--
		} else {
			runtime.Gosched()
		}
	}
}

type xsyncMPMC[P any] struct {
	q *xsync.MPMCQueueOf[value[P]]
}

func newXsyncMPMC[P any]() transport {
	return xsyncMPMC[P]{xsync.NewMPMCQueueOf[value[P]](capacity)}
}

func (t xsyncMPMC[P]) produce(first uint64, n, _ int) {
	v := value[P]{seq: first}
	for end := first + uint64(n); v.seq < end; {
		if t.q.TryEnqueue(v) {
			v.seq++
		} else {
			runtime.Gosched()
		}
	}
}

func (t xsyncMPMC[P]) consume(c *checker, n, _ int) {
	for n > 0 {
		if v, ok := t.q.TryDequeue(); ok {
			c.take(v.seq)
			n--
		} else {
			runtime.Gosched()
		}
	}
}

// locked is the ring that anyone would write first: a slice under a mutex.
type locked[P any] struct {
	mu         sync.Mutex
	slots      [capacity]value[P]
	head, tail uint64
}

func newLocked[P any]() transport { return new(locked[P]) }

func (t *locked[P]) push(vs []value[P]) (n int) {
	t.mu.Lock()
	for ; n < len(vs) && t.tail-t.head < capacity; n++ {
		t.slots[t.tail%capacity] = vs[n]
		t.tail++
	}
	t.mu.Unlock()
	return n
}

func (t *locked[P]) pop(dst []value[P]) (n int) {
	t.mu.Lock()
	for ; n < len(dst) && t.head < t.tail; n++ {
		dst[n] = t.slots[t.head%capacity]
		t.head++
	}
	t.mu.Unlock()
	return n
}

func (t *locked[P]) produce(first uint64, n, batch int) {
	var src [block]value[P]
	for ; n > 0; n -= batch {
		for i := range src[:batch] {
			src[i].seq = first
			first++
		}
		for at := 0; at < batch; {
			k := t.push(src[at:batch])
			if k == 0 {
				runtime.Gosched()
			}
			at += k
		}
	}
}

func (t *locked[P]) consume(c *checker, n, batch int) {
	var dst [block]value[P]
	for n > 0 {
		k := t.pop(dst[:batch])
		if k == 0 {
			runtime.Gosched()
		}
		showAll(c, dst[:k])
		n -= k
	}
}
