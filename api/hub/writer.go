package hub

import "time"

const (
	// keepBuffer is how large a buffer an idle connection may keep.
	keepBuffer = 4 << 10
	// A buffer above shrinkBuffer of which less than an eighth was used for
	// shrinkAfter writes in a row is given back.
	shrinkBuffer = 32 << 10
	shrinkAfter  = 64
	// writeSample is how many writes go by for one that is timed.
	writeSample = 16
)

// writeLoop is the writer's goroutine.
func (c *Conn) writeLoop() {
	defer close(c.done)
	for n := 0; ; n++ {
		buf, last := c.take()
		if len(buf) > 0 && !c.write(buf, n%writeSample == 0) {
			return
		}
		if last {
			c.finish()
			return
		}
		if c.recycle(buf) {
			c.hub.market.inbox.post(command{op: opCatchUp, conn: c})
		}
	}
}

// take waits until there is something to write and returns all of it, and
// whether it ends with the closing frame.
func (c *Conn) take() (buf []byte, last bool) {
	c.mu.Lock()
	for len(c.pending) == 0 && !c.closing && !c.replies.Load() {
		c.idle = true
		c.mu.Unlock()
		<-c.wake
		c.mu.Lock()
	}
	c.idle = false
	buf, c.pending, c.spare = c.pending, c.spare[:0], nil
	c.grace, c.begun = 0, 0
	last = c.closing
	source := c.source
	c.mu.Unlock()
	// Cleared before the source is asked: what it is given later is announced again.
	if c.replies.Swap(false) && !last {
		buf = source.AppendPending(buf)
	}
	return buf, last
}

// write writes all of buf. The deadline is the keeper's, which sees how long a
// write has been going on: a timer a write would cost more than the copy.
func (c *Conn) write(buf []byte, sample bool) bool {
	c.writing.Store(c.hub.coarse.Load())
	var start time.Time
	if sample {
		start = time.Now()
	}
	_, err := c.nc.Write(buf)
	c.writing.Store(0)
	if err != nil {
		c.cut(NormalClosure) // the peer is gone; a reason given before stands
		return false
	}
	c.hub.stats.wrote(len(buf))
	if sample {
		c.hub.stats.writeTime(time.Since(start))
	}
	return true
}

// finish half-closes: the peer reads the closing frame before it sees the end,
// which a full close with unread input in the other direction would turn into a
// reset. The reader ends when the peer closes, or the keeper does it.
func (c *Conn) finish() {
	if h, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = h.CloseWrite() // the peer may be gone already: nothing else to do
		return
	}
	c.nc.Close()
}

// recycle keeps buf for the next swap and reports whether public data was
// refused meanwhile.
func (c *Conn) recycle(buf []byte) (lagged bool) {
	c.mu.Lock()
	if cap(buf) > shrinkBuffer && len(buf) < cap(buf)/8 {
		c.small++
	} else {
		c.small = 0
	}
	if c.small > shrinkAfter {
		c.small, buf = 0, nil
	}
	c.spare = buf[:0]
	lagged, c.lagged = c.lagged, false
	c.mu.Unlock()
	return lagged
}
