package hub

import (
	"net"
	"sync"
	"sync/atomic"

	"qcat/api/wire"
)

// Conn is one connection as the hub sees it: what is pending for it, and who writes
// it.
//
// At any time at most one goroutine is a connection's writer. Whoever finds it idle
// and gives it something becomes that, and writes: at once and without waiting, if
// the socket takes it (send, kick), else by a goroutine that lives until everything
// is written (writeLoop). What comes meanwhile is appended to the pending buffer,
// which holds whole frames only, and which the writer takes as a whole: the busier a
// connection is the more a system call carries.
type Conn struct {
	hub    *Hub
	nc     net.Conn
	direct direct
	loop   func() // writeLoop, bound once: starting it allocates nothing

	mu      sync.Mutex
	pending []byte // whole frames that the writer has not taken
	spare   []byte // the writer's other buffer, between writes
	rest    []byte // what the socket did not take at once; it comes before pending
	grace   int    // bytes of private beginnings in pending, beyond the hard bound
	begun   int    // private channels whose beginning is in pending
	idle    bool   // nobody writes, and nothing is pending
	closing bool   // nothing more is taken; the last of pending is the closing frame
	lagged  bool   // public data was refused since the writer last looked
	reason  Disconnect
	source  Source
	onEnd   func(Disconnect)
	small   int    // writes in a row that used little of a large buffer
	writes  uint32 // the writer's count, for the sample of them

	// replies says that the source has something to append. It is set before wake
	// and not under mu: a pusher holds mu while pending grows by megabytes, and the
	// order lane, which announces, waits for nobody.
	replies atomic.Bool

	wake chan struct{} // capacity 1; of a connection with a source only
	done chan struct{} // closed when nothing more will be written

	// seen, writing and closed are readings of the hub's coarse clock: when a frame
	// last came, when the write that is going on began (0: none), when the
	// connection was told to end (0: it was not).
	seen    atomic.Int64
	writing atomic.Int64
	closed  atomic.Int64
	pinged  int64 // keeper only

	viewer   atomic.Pointer[Viewer] // nil: nobody, or nothing was said of that
	expected atomic.Int64           // when it must belong to somebody, by the coarse clock; 0: it need not
	sight    *sight                 // private goroutine only
	slot     int                    // index in the hub's list, under its mutex

	channels map[Channel]struct{} // what is subscribed; reader goroutine only

	market []subRef // market goroutine only
	due    []int    // indices in market of what the cycle has for it; market goroutine only
}

// Source gives the writer what is not in the pending buffer as bytes yet: the
// answers of the engine are kept as values and encoded by the connection's own
// writer, not by the engine.
type Source interface {
	// AppendPending appends whole frames and forgets them. Writer goroutine.
	AppendPending(dst []byte) []byte
}

// pushResult is what became of a frame.
type pushResult uint8

const (
	pushed     pushResult = iota
	pushedIdle            // the connection was idle: the caller is its writer now, and kicks
	pushLagged            // refused: beyond the soft bound
	pushFull              // refused: beyond the hard bound
	pushClosed            // refused: the connection is ending
)

// pushPublic adds a frame unless the soft bound is reached: then the connection
// is marked and the hub is told when the writer has caught up.
func (c *Conn) pushPublic(frame []byte) pushResult {
	c.mu.Lock()
	switch {
	case c.closing:
		c.mu.Unlock()
		return pushClosed
	case len(c.pending) >= c.hub.cfg.SoftBound:
		c.lagged = true
		c.mu.Unlock()
		return pushLagged
	}
	return c.add(frame)
}

// pushPrivate adds a frame unless the hard bound would be passed.
func (c *Conn) pushPrivate(frame []byte) pushResult {
	c.mu.Lock()
	switch {
	case c.closing:
		c.mu.Unlock()
		return pushClosed
	case len(c.pending)+len(frame) > c.hub.cfg.HardBound+c.grace:
		c.mu.Unlock()
		return pushFull
	}
	return c.add(frame)
}

// pushSpare adds a frame that may be left out, unless half of the hard bound would be
// passed: the other half is for what may not.
func (c *Conn) pushSpare(frame []byte) pushResult {
	c.mu.Lock()
	switch {
	case c.closing:
		c.mu.Unlock()
		return pushClosed
	case len(c.pending)+len(frame) > c.hub.cfg.HardBound/2:
		c.mu.Unlock()
		return pushLagged
	}
	return c.add(frame)
}

// backlog is how many bytes the writer has not taken.
func (c *Conn) backlog() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}

// maxBegun is how many private channels may begin before the writer has taken what
// the first began with: what a client can make the server keep for it is bounded,
// however often it asks and however little it reads.
const maxBegun = 2 * int(wire.PrivateCount)

// pushPreamble adds the frames that a subscription to so many private channels
// starts with. They may pass the hard bound: how many they are is not the client's
// fault.
func (c *Conn) pushPreamble(frames []byte, channels int) pushResult {
	c.mu.Lock()
	switch {
	case c.closing:
		c.mu.Unlock()
		return pushClosed
	case c.begun+channels > maxBegun:
		c.mu.Unlock()
		return pushFull
	}
	c.begun += channels
	c.grace += len(frames)
	return c.add(frames)
}

// pushReplay adds a frame of the history after a preamble. It may pass the hard
// bound too, for the same reason; the history is bounded.
func (c *Conn) pushReplay(frame []byte) pushResult {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return pushClosed
	}
	c.grace += len(frame)
	return c.add(frame)
}

// add is the end of every push: c.mu is held, and released.
func (c *Conn) add(frame []byte) pushResult {
	c.pending = append(c.pending, frame...)
	wasIdle := c.idle
	c.idle = false
	c.mu.Unlock()
	if wasIdle {
		return pushedIdle
	}
	return pushed
}

// Send queues whole frames: answers, pongs. Beyond the hard bound the connection
// is closed instead. Any goroutine. It reports whether they were queued.
func (c *Conn) Send(frames []byte) bool {
	switch c.pushPrivate(frames) {
	case pushedIdle:
		c.kick()
		return true
	case pushed:
		return true
	case pushFull:
		c.Disconnect(SlowConsumer)
	}
	return false
}

// SetSource names where answers come from. Once, before the first Announce.
func (c *Conn) SetSource(s Source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.source = s
	if !c.closing {
		c.wake = make(chan struct{}, 1)
		go c.answerLoop(c.wake)
	}
}

// OnEnd names who is told, once, that the connection has been ended, and why, before
// its reader sees it: by Disconnect's caller, whom it must not hold up. It does nothing
// for a connection that is ending already.
func (c *Conn) OnEnd(f func(Disconnect)) {
	c.mu.Lock()
	c.onEnd = f
	c.mu.Unlock()
}

// Announce has the source asked. Any goroutine; it takes no lock.
func (c *Conn) Announce() {
	c.replies.Store(true)
	signal(c.wake)
}

// signal wakes who waits on wake; nil has nobody.
func signal(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// Seen tells that the client is alive. Reader goroutine.
func (c *Conn) Seen() { c.seen.Store(c.hub.coarse.Load()) }

// Disconnect ends the connection with a closing frame after what is pending, or
// in its place when the client is too slow to ever read it, or may not any more. The
// first call
// decides. Any goroutine; does not block.
func (c *Conn) Disconnect(d Disconnect) {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	c.closing = true
	c.reason = d
	if d == SlowConsumer || d == EventsLost || d == SessionEnded {
		c.pending = c.pending[:0]
	}
	c.pending = AppendClose(c.pending, d)
	told, wake, wasIdle := c.onEnd, c.wake, c.idle
	c.idle = false
	c.mu.Unlock()
	if told != nil {
		told(d)
	}
	c.closed.Store(c.hub.coarse.Load())
	if wasIdle {
		go c.loop()
	}
	signal(wake) // whoever waits for answers ends
	c.hub.stats.disconnect(d)
}

// cut ends the connection at once, without a closing frame.
func (c *Conn) cut(d Disconnect) {
	c.Disconnect(d)
	c.nc.Close()
}

// Reason returns why the connection ended, once it does.
func (c *Conn) Reason() Disconnect {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}

// Close ends the connection, waits until its last byte is written and forgets it.
// The reader's goroutine calls it when it is done.
func (c *Conn) Close() {
	c.Disconnect(NormalClosure)
	// A peer that closed its side is still owed what is pending, unless it does
	// not take it: the keeper cuts a write that hangs.
	<-c.done
	c.nc.Close()
	c.hub.forget(c)
}

// trim gives back the buffers of a connection that has nothing to say. Keeper.
func (c *Conn) trim() {
	c.mu.Lock()
	if c.idle {
		c.pending, c.spare = nil, nil
	}
	c.mu.Unlock()
}
