package queue

import (
	"runtime"

	"qcat/ringbuf"
)

type spsc[P any] struct{ q *ringbuf.SPSC[value[P]] }

func newSPSC[P any]() transport { return spsc[P]{ringbuf.NewSPSC[value[P]](capacity)} }

func (t spsc[P]) produce(first uint64, n, batch int) {
	if batch == 1 {
		v := value[P]{seq: first}
		for end := first + uint64(n); v.seq < end; {
			if t.q.Push(&v) {
				v.seq++
			} else {
				runtime.Gosched()
			}
		}
		return
	}
	var src [block]value[P]
	for ; n > 0; n -= len(src) {
		number(&src, &first)
		for at := 0; at < len(src); {
			k := t.q.PushBatch(src[at:])
			if k == 0 {
				runtime.Gosched()
			}
			at += k
		}
	}
}

func (t spsc[P]) consume(c *checker, n, batch int) {
	if batch == 1 {
		var v value[P]
		for n > 0 {
			if t.q.Pop(&v) {
				c.take(v.seq)
				n--
			} else {
				runtime.Gosched()
			}
		}
		return
	}
	var dst [block]value[P]
	for n > 0 {
		k := t.q.PopBatch(dst[:])
		if k == 0 {
			runtime.Gosched()
		}
		showAll(c, dst[:k])
		n -= k
	}
}

type mpsc[P any] struct{ q *ringbuf.MPSC[value[P]] }

func newMPSC[P any]() transport { return mpsc[P]{ringbuf.NewMPSC[value[P]](capacity)} }

// produce pushes one value at a time: what many push has no batches.
func (t mpsc[P]) produce(first uint64, n, _ int) {
	v := value[P]{seq: first}
	for end := first + uint64(n); v.seq < end; {
		if t.q.Push(&v) {
			v.seq++
		} else {
			runtime.Gosched()
		}
	}
}

func (t mpsc[P]) consume(c *checker, n, batch int) {
	var dst [block]value[P]
	for n > 0 {
		k := t.q.PopBatch(dst[:batch])
		if k == 0 {
			runtime.Gosched()
		}
		showAll(c, dst[:k])
		n -= k
	}
}

// broadcast has one reader, which its producer waits for: the work of a queue.
type broadcast[P any] struct {
	b *ringbuf.Broadcast[value[P]]
	r *ringbuf.Reader[value[P]]
}

func newBroadcast[P any]() transport {
	b := ringbuf.NewBroadcast[value[P]](capacity)
	return broadcast[P]{b, b.NewGatingReader()}
}

func (t broadcast[P]) produce(first uint64, n, batch int) {
	if batch == 1 {
		v := value[P]{seq: first}
		for end := first + uint64(n); v.seq < end; {
			if t.b.TryPublish(&v) {
				v.seq++
			} else {
				runtime.Gosched()
			}
		}
		return
	}
	var src [block]value[P]
	for ; n > 0; n -= len(src) {
		number(&src, &first)
		t.b.PublishBatch(src[:])
	}
}

func (t broadcast[P]) consume(c *checker, n, batch int) {
	defer t.r.Close()
	var dst [block]value[P]
	for n > 0 {
		k, _ := t.r.Read(dst[:batch]) // what is lost shows in the numbers
		if k == 0 {
			runtime.Gosched()
		}
		showAll(c, dst[:k])
		n -= k
	}
}

// number gives vs the next numbers.
func number[P any](vs *[block]value[P], next *uint64) {
	for i := range vs {
		vs[i].seq = *next
		*next++
	}
}

func showAll[P any](c *checker, vs []value[P]) {
	for i := range vs {
		c.take(vs[i].seq)
	}
}
