package engine

// fifo is a queue of values in one goroutine. It grows by doubling and keeps its room
// for fifoKeeps values, so it stops allocating at its high-water mark below that; the
// room for more, as a start with many accounts needs it, goes when the last is taken.
// Whoever fills it bounds it.
type fifo[T any] struct {
	buf        []T
	head, tail uint64
}

// fifoKeeps is the room that an empty queue may keep, in values.
const fifoKeeps = 1 << 16

func (q *fifo[T]) len() int { return int(q.tail - q.head) }

// push returns the next place, to be overwritten whole by the caller.
func (q *fifo[T]) push() *T {
	if q.len() == len(q.buf) {
		q.grow()
	}
	v := &q.buf[q.tail&uint64(len(q.buf)-1)]
	q.tail++
	return v
}

// front returns the oldest value; the queue must not be empty.
func (q *fifo[T]) front() *T { return &q.buf[q.head&uint64(len(q.buf)-1)] }

// pop takes the oldest value away.
func (q *fifo[T]) pop() {
	q.head++
	if q.head == q.tail && len(q.buf) > fifoKeeps {
		q.buf = nil
	}
}

func (q *fifo[T]) grow() {
	next := make([]T, max(2*len(q.buf), 64))
	n := 0
	for ; q.head != q.tail; q.head++ {
		next[n] = *q.front()
		n++
	}
	q.buf, q.head, q.tail = next, 0, uint64(n)
}

// back returns the newest value; the queue must not be empty.
func (q *fifo[T]) back() *T { return &q.buf[(q.tail-1)&uint64(len(q.buf)-1)] }

func (q *fifo[T]) clear() { q.head = q.tail }

// dropBack takes the newest value away; the queue must not be empty.
func (q *fifo[T]) dropBack() { q.tail-- }

// at returns the i-th oldest value.
func (q *fifo[T]) at(i int) *T { return &q.buf[(q.head+uint64(i))&uint64(len(q.buf)-1)] }
