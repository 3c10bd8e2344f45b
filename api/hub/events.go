package hub

import (
	"math"
	"sync/atomic"
	"time"

	"qcat/api/wire"
	"qcat/core/engine"
	"qcat/ringbuf"
)

// eventBatch is how many engine events are copied out of the ring at once.
const eventBatch = 32

// eventHandler is the private goroutine: it follows the engine's events, keeps
// the last of them for those who resume, and owns the private subscriptions.
//
// It reads the ring without gating the engine (I5). Should it ever be lapped,
// every private subscriber is disconnected with EventsLost: a private channel
// may end, but never has a hole.
type eventHandler struct {
	hub    *Hub
	cfg    *Config
	stats  *Stats
	reader *ringbuf.Reader[engine.Event]
	waiter *ringbuf.Waiter
	inbox  inbox
	queue  []command
	stop   atomic.Bool
	ended  chan struct{} // closed when the goroutine has ended

	subs    [wire.PrivateCount][]privateSub
	prefix  [wire.PrivateCount][]byte
	history history
	last    position // of the last event read
	hole    bool     // events were lost since

	batch   [eventBatch]engine.Event
	scratch []byte
	wakes   []*Conn
	some    []int // nodes of the limit tree
}

// privateSub is one connection's subscription to one private channel: it is sent
// what comes after at.
type privateSub struct {
	conn *Conn
	at   position
	// waits says of a subscriber of the risk channel that it does not know what every
	// node has used, and waits for the beginning of that; walked, that it is being told.
	waits, walked bool
	partial       bool // of it, that the last frame said that there is more to come
}

// resume is what the private goroutine is to do for a subscription, and, once
// done is closed, whether it could.
type resume struct {
	from position
	// newest is the sequence the view had reached: what is asked for beyond it and
	// beyond the last event is from another journal.
	newest uint64
	gone   bool // from is not in the history any more, or never was
	done   chan struct{}
}

func (p *eventHandler) init(h *Hub) {
	p.hub, p.cfg, p.stats = h, &h.cfg, &h.stats
	p.ended = make(chan struct{})
	p.waiter = ringbuf.NewWaiter(h.cfg.Idle)
	p.inbox.waiter = p.waiter
	p.history.init(h.cfg.EventHistory, position{h.cfg.StartSeq, wholeRecord})
	p.last = p.history.floor
	for i := range p.prefix {
		p.prefix[i] = wire.ChannelPrefix(wire.Private(i).String())
	}
	if h.cfg.Events == nil || h.cfg.View == nil {
		p.inbox.close()
		return
	}
	p.reader = h.cfg.Events.NewReader()
	h.cfg.Events.NotifyLazily(p.waiter)
}

func (p *eventHandler) end() {
	p.stop.Store(true)
	p.waiter.Wake()
}

// run is the private goroutine.
func (p *eventHandler) run() {
	defer close(p.ended)
	defer p.close()
	ready, pressed := p.ready, p.pressed
	for !p.stop.Load() {
		work := p.commands() + p.poll()
		p.flush()
		switch {
		case work == 0:
			p.waiter.Wait(ready, time.Second)
		case !p.subscribed():
			p.waiter.Doze(pressed, privateDoze)
		}
	}
}

// flush ends a cycle: what idle connections were given is written.
func (p *eventHandler) flush() {
	for i, c := range p.wakes {
		c.kick()
		p.wakes[i] = nil
	}
	p.wakes = p.wakes[:0]
}

// settle returns once every event that was published before the call has been
// passed on, or after at most limit.
func (p *eventHandler) settle(limit time.Duration) {
	passed := make(chan struct{})
	drain := func() {
		for n := p.reader.Lag()/eventBatch + 1; n > 0 && p.poll() > 0; n-- {
		}
		close(passed)
	}
	if p.reader == nil || !p.inbox.post(command{op: opRun, run: drain}) {
		return
	}
	select {
	case <-passed:
	case <-time.After(limit):
	}
}

func (p *eventHandler) ready() bool { return p.reader.Ready() || p.asked() }

func (p *eventHandler) asked() bool { return p.inbox.some.Load() || p.stop.Load() }

// pressed reports whether there is no time to doze: somebody asks, or another batch
// waits, and who dozes after each is lapped.
func (p *eventHandler) pressed() bool { return p.asked() || p.reader.Lag() >= eventBatch }

// privateDoze is how long events may come together that nobody is subscribed to: they
// are only kept for who comes back.
const privateDoze = time.Millisecond

func (p *eventHandler) subscribed() bool {
	for ch := range p.subs {
		if len(p.subs[ch]) > 0 {
			return true
		}
	}
	return false
}

func (p *eventHandler) close() {
	p.reader.Close()
	p.cfg.Events.Unnotify(p.waiter)
	for _, c := range p.inbox.close() {
		if c.resume != nil {
			close(c.resume.done)
		}
	}
}

// poll takes one batch of events.
func (p *eventHandler) poll() int {
	n, lost := p.reader.Read(p.batch[:])
	if lost > 0 {
		p.stats.privateLost.Add(lost)
		p.lose()
	}
	for i := range p.batch[:n] {
		ev := &p.batch[i]
		if p.hole {
			p.hole = false
			p.history.reset(before(positionOf(ev)))
		}
		p.history.add(ev)
		p.last = positionOf(ev)
		p.publish(ev)
	}
	return n
}

// lose ends every private subscription: events are missing. Until the next event
// tells where the history begins again nobody can resume.
func (p *eventHandler) lose() {
	p.hole = true
	p.history.reset(position{math.MaxUint64, wholeRecord})
	for ch := range p.subs {
		for _, s := range p.subs[ch] {
			s.conn.Disconnect(EventsLost)
		}
		clear(p.subs[ch])
		p.subs[ch] = p.subs[ch][:0]
	}
}

// publish sends an event to the subscribers of each channel that carries it, those that
// may see it.
func (p *eventHandler) publish(ev *engine.Event) {
	at := positionOf(ev)
	for ch := range wire.PrivateCount {
		subs := p.subs[ch]
		if len(subs) == 0 || !ch.Carries(ev) {
			continue
		}
		var frame []byte // encoded for the first who may see it
		for i := range subs {
			s := &subs[i]
			if !s.at.before(at) {
				continue
			}
			s.at = at
			switch {
			case !s.conn.owned():
				s.conn.Disconnect(SessionEnded)
				continue
			case !s.conn.sight.event(ch, ev):
				continue
			case frame == nil:
				frame = p.frame(ch, ev)
			}
			p.push(s.conn, frame)
		}
	}
}

// frame builds the channel's frame of an event in scratch.
func (p *eventHandler) frame(ch wire.Private, ev *engine.Event) []byte {
	b := wire.AppendPrivateHead(BeginFrame(p.scratch), p.prefix[ch], ev.Seq, ev.Index, ev.Time)
	b = wire.AppendPrivate(b, p.cfg.Directory, ch, ev)
	p.scratch = wire.AppendTail(b)
	return EndFrame(p.scratch, OpText)
}

// push sends one private frame, or ends the connection that cannot take it.
func (p *eventHandler) push(c *Conn, frame []byte) {
	switch c.pushPrivate(frame) {
	case pushedIdle:
		p.wakes = append(p.wakes, c)
		p.stats.private.Add(1)
	case pushed:
		p.stats.private.Add(1)
	case pushFull:
		c.Disconnect(SlowConsumer)
	}
}

// pushReplay sends one frame of the history. A connection that is ending is left
// to its end. held is how much a connection that was idle has been given by now, and
// what is returned how much with this frame: once it is much, it is written, by a
// goroutine of the connection's own.
func (p *eventHandler) pushReplay(c *Conn, frame []byte, held int) int {
	switch c.pushReplay(frame) {
	case pushedIdle:
		held = len(frame)
		p.stats.private.Add(1)
	case pushed:
		if held > 0 {
			held += len(frame)
		}
		p.stats.private.Add(1)
	}
	if held > directMax {
		c.kick()
		held = 0
	}
	return held
}

// commands carries out what is in the inbox.
func (p *eventHandler) commands() int {
	p.queue = p.inbox.take(p.queue)
	for i := range p.queue {
		c := &p.queue[i]
		switch c.op {
		case opSubscribe:
			p.subscribe(c)
			close(c.resume.done)
		case opUnsubscribe:
			for _, ch := range c.channels {
				if name, ok := ch.Private(); ok {
					p.remove(name, c.conn)
				}
			}
			if len(c.answer) > 0 {
				c.conn.Send(c.answer)
			}
		case opDrop:
			for ch := range wire.PrivateCount {
				p.remove(ch, c.conn)
			}
		case opRun:
			c.run()
		}
		p.queue[i] = command{}
	}
	if len(p.queue) > 0 {
		p.hub.exposures.wanted.Store(int64(len(p.subs[wire.Risk])))
	}
	return len(p.queue)
}

func (p *eventHandler) remove(ch wire.Private, c *Conn) {
	subs := p.subs[ch]
	for i := range subs {
		if subs[i].conn == c {
			last := len(subs) - 1
			subs[i] = subs[last]
			subs[last] = privateSub{}
			p.subs[ch] = subs[:last]
			return
		}
	}
}

// subscribe sends the answer and the snapshot, if there is one, then what of the
// history comes after it, and goes on with what is to come. When the history
// does not reach back far enough it does nothing but say so.
func (p *eventHandler) subscribe(c *command) {
	from := c.resume.from
	if from.before(p.history.floor) || from.seq > max(p.last.seq, c.resume.newest) {
		c.resume.gone = true
		return
	}
	if c.sight != nil {
		c.conn.sight = c.sight
	}
	switch c.conn.pushPreamble(c.answer, len(c.channels)) {
	case pushedIdle:
		c.conn.kick() // the client has the beginning while the rest is built
	case pushFull:
		c.conn.Disconnect(SlowConsumer)
		return
	case pushClosed:
		return
	}
	for _, channel := range c.channels {
		ch, _ := channel.Private()
		p.remove(ch, c.conn)
		p.subs[ch] = append(p.subs[ch], privateSub{conn: c.conn, at: from, waits: ch == wire.Risk})
		if ch == wire.Risk {
			p.hub.exposures.waits.Store(true)
		}
	}
	p.replay(c, from)
}

// replay sends what of the history comes after from.
func (p *eventHandler) replay(c *command, from position) {
	held := 0
	for ev := range p.history.after(from) {
		for _, channel := range c.channels {
			if ch, _ := channel.Private(); ch.Carries(ev) && c.conn.sight.event(ch, ev) {
				held = p.pushReplay(c.conn, p.frame(ch, ev), held)
			}
		}
	}
	if held > 0 {
		c.conn.kick()
	}
	at := p.last
	if at.before(from) {
		at = from
	}
	for _, channel := range c.channels {
		ch, _ := channel.Private()
		p.subs[ch][len(p.subs[ch])-1].at = at
	}
}
