package hub

import "time"

const (
	// directMax is how many bytes are written on the goroutine that has them: up to
	// there a write costs about as much as waking somebody else for it. More is left
	// to a goroutine of the connection's own, beside which the fan-out goes on.
	directMax = 16 << 10
	// kickRounds bounds how often a goroutine that kicks finds more to write.
	kickRounds = 2
	// A buffer above shrinkBuffer of which less than an eighth was used for
	// shrinkAfter writes in a row is given back.
	shrinkBuffer = 32 << 10
	shrinkAfter  = 64
	// writeSample is how many writes go by for one that is timed.
	writeSample = 16
)

// kick writes what is pending, without waiting: what the socket does not take at once,
// and what takes encoding, is left to a goroutine. Only the caller that made the
// connection busy, any goroutine; the caller is not its writer any more afterwards.
func (c *Conn) kick() {
	for range kickRounds {
		c.mu.Lock()
		if c.settled() {
			return
		}
		if c.replies.Load() || c.closing || len(c.pending) > directMax || !c.direct.can() {
			c.mu.Unlock()
			break
		}
		buf := c.swap()
		c.mu.Unlock()
		if !c.try(buf) {
			return
		}
		if c.recycle(buf) {
			c.catchUp()
		}
	}
	go c.loop()
}

// send writes frames, which are not kept, and which no buffer has yet: of an idle
// connection of which the caller has become the writer. It does not wait.
func (c *Conn) send(frames []byte) {
	if c.try(frames) {
		c.kick() // whatever has come meanwhile
	}
}

// settled makes the connection idle, if there is nothing to write, and releases c.mu,
// which is held, if so.
func (c *Conn) settled() bool {
	if len(c.pending) > 0 || c.closing || c.replies.Load() {
		return false
	}
	c.idle = true
	lagged := c.lagged
	c.lagged = false
	c.mu.Unlock()
	if lagged {
		c.catchUp()
	}
	return true
}

// catchUp has the market goroutine restart what lags.
func (c *Conn) catchUp() { c.hub.market.inbox.post(command{op: opCatchUp, conn: c}) }

// swap takes what is pending and leaves the other buffer in its place. c.mu is held.
func (c *Conn) swap() (buf []byte) {
	buf, c.pending, c.spare = c.pending, c.spare[:0], nil
	c.grace, c.begun = 0, 0
	return buf
}

// try writes what the socket takes of buf without waiting, and reports whether that
// was all; else the connection's goroutine has the rest, or the connection has failed.
func (c *Conn) try(buf []byte) bool {
	start := c.sampled()
	n, err := c.direct.write(buf)
	if err != nil {
		go c.fail() // a socket is closed once its reader has let go of it
		return false
	}
	c.wrote(n, start)
	if n == len(buf) {
		return true
	}
	c.mu.Lock()
	c.rest = append([]byte(nil), buf[n:]...)
	c.mu.Unlock()
	go c.loop()
	return false
}

// writeLoop is a writer on a goroutine of its own: it ends when the connection is idle
// or has ended.
func (c *Conn) writeLoop() {
	for {
		buf, last, some := c.take()
		if !some {
			return
		}
		if len(buf) > 0 && !c.write(buf) {
			return
		}
		if last {
			c.finish()
			close(c.done)
			return
		}
		if c.recycle(buf) {
			c.catchUp()
		}
	}
}

// answerLoop looks after a connection with a source: the order lane wakes it and
// goes on. It ends with the connection.
func (c *Conn) answerLoop(wake <-chan struct{}) {
	for closing := false; !closing; {
		<-wake
		c.mu.Lock()
		mine := c.idle
		c.idle = false
		closing = c.closing
		c.mu.Unlock()
		if mine {
			c.writeLoop()
		}
	}
}

// take returns everything there is to write, and whether it ends with the closing
// frame; or false, and the connection is idle.
func (c *Conn) take() (buf []byte, last, some bool) {
	c.mu.Lock()
	if c.rest != nil {
		buf, c.rest = c.rest, nil
		c.mu.Unlock()
		return buf, false, true
	}
	if c.settled() {
		return nil, false, false
	}
	buf = c.swap()
	last = c.closing
	// Cleared before the source is asked: what it is given later is announced again;
	// and under the mutex: once something is announced there is a source.
	source, announced := c.source, c.replies.Swap(false)
	c.mu.Unlock()
	if announced && !last {
		buf = source.AppendPending(buf)
	}
	return buf, last, true
}

// write writes all of buf. The deadline is the keeper's, which sees how long a
// write has been going on: a timer a write would cost more than the copy.
func (c *Conn) write(buf []byte) bool {
	c.writing.Store(c.hub.coarse.Load())
	start := c.sampled()
	_, err := c.nc.Write(buf)
	c.writing.Store(0)
	if err != nil {
		c.fail()
		return false
	}
	c.wrote(len(buf), start)
	return true
}

// sampled returns when a write that is timed begins, else the zero time. Writer.
func (c *Conn) sampled() (start time.Time) {
	if c.writes++; c.writes%writeSample == 1 {
		start = time.Now()
	}
	return start
}

func (c *Conn) wrote(n int, start time.Time) {
	c.hub.stats.wrote(n)
	if !start.IsZero() {
		c.hub.stats.writeTime(time.Since(start))
	}
}

// fail ends a connection whose peer is gone; a reason given before stands. Writer.
func (c *Conn) fail() {
	c.cut(NormalClosure)
	close(c.done)
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
