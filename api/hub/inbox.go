package hub

import (
	"sync"
	"sync/atomic"

	"qcat/ringbuf"
)

// inbox brings commands to the goroutine that owns topics and subscriptions.
// Commands are rare beside events: a mutex and two slices do, and the owner looks
// at one flag a duty cycle.
type inbox struct {
	mu     sync.Mutex
	queue  []command
	closed bool

	some   atomic.Bool
	waiter *ringbuf.Waiter
}

type op uint8

const (
	opSubscribe op = iota + 1
	opUnsubscribe
	opDrop    // the connection is gone
	opCatchUp // the connection's writer has caught up
	opRun     // run is called: a query
)

// command is one request to an owner.
type command struct {
	op       op
	conn     *Conn
	channels []Channel
	answer   []byte // whole frames to send when it is done
	run      func()
	resume   *resume // private subscriptions only
	sight    *sight  // the same; nil: as it was
}

// maxInbox bounds subscriptions and queries that wait. Dropping and catching up
// are bounded by the number of connections and are always taken.
const maxInbox = 1 << 16

// post queues c and wakes the owner. It returns false when the owner has ended
// or too much is waiting. Any goroutine.
func (b *inbox) post(c command) bool {
	b.mu.Lock()
	if b.closed || len(b.queue) >= maxInbox && c.op != opDrop && c.op != opCatchUp {
		b.mu.Unlock()
		return false
	}
	b.queue = append(b.queue, c)
	b.mu.Unlock()
	b.some.Store(true)
	b.waiter.Wake()
	return true
}

// take returns what is queued, using into as the next queue. Owner only.
func (b *inbox) take(into []command) []command {
	if !b.some.Load() {
		return into[:0]
	}
	b.mu.Lock()
	b.some.Store(false)
	q := b.queue
	b.queue = into[:0]
	b.mu.Unlock()
	return q
}

// close refuses further commands and returns the last ones.
func (b *inbox) close() []command {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	q := b.queue
	b.queue = nil
	return q
}
