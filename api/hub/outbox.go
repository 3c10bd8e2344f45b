package hub

import "slices"

// outbox is what one duty cycle of the market goroutine has for the subscribers.
//
//	bytes    the cycle's frames, end to end, in the order in which they were made
//	entries  one a frame: where it lies, and for whom it is
//	topic    the numbers of its entries
//
// Events only add to it. At the end of the cycle each connection is served once
// (flush): it is locked once, what it is due is one copy or a few, and of a connection
// that nothing is pending for not even that: its frames are written from here. The
// order of frames is that of the events, over all channels of a connection.
type outbox struct {
	bytes   []byte
	entries []entry
	topics  []*topic // that have entries
	conns   []*Conn  // that are due something

	order  []int32 // the entries for one connection on several topics
	runs   []span  // what of bytes one connection is sent
	gather []byte  // runs put together for one write

	delivered, books uint64
	missed           [publicKinds]uint64
	small            int // cycles in a row that used little of a large buffer
}

// span is a part of bytes.
type span struct{ from, to int }

// entry is one thing that happened on a topic.
type entry struct {
	span
	topic *topic
	kind  entryKind
}

type entryKind uint8

const (
	// frameEntry is for who is live.
	frameEntry entryKind = iota
	// renewEntry has no frame: who is live waits for a book from here on.
	renewEntry
	// bookEntry is the whole book, for who waits, and is live from here on.
	bookEntry
)

// outboxKeep is how large a buffer is kept whatever is used of it.
const outboxKeep = 1 << 20

// add puts a frame of t into the outbox.
func (o *outbox) add(t *topic, kind entryKind, frame []byte) {
	from := len(o.bytes)
	o.bytes = append(o.bytes, frame...)
	if len(t.log) == 0 {
		o.topics = append(o.topics, t)
		t.whole = true
	} else if last := &o.entries[t.log[len(t.log)-1]]; last.to != from {
		t.whole = false
	}
	if kind != frameEntry {
		t.whole = false
	}
	t.log = append(t.log, int32(len(o.entries)))
	o.entries = append(o.entries, entry{span{from, len(o.bytes)}, t, kind})
}

// renew makes every live subscription of t wait for a book.
func (o *outbox) renew(t *topic) {
	o.add(t, renewEntry, nil)
	t.waiting = true
}

// publish has one frame sent to every live subscriber of t.
func (m *feedHandler) publish(t *topic, frame []byte) { m.out.add(t, frameEntry, frame) }

// flush ends the cycle: every connection is sent what it is due.
func (m *feedHandler) flush() {
	o := &m.out
	if len(o.topics) == 1 {
		m.serveTopic(o.topics[0])
	} else if len(o.topics) > 1 {
		m.serveTopics()
	}
	for i, c := range m.wakes {
		c.kick()
		m.wakes[i] = nil
	}
	m.wakes = m.wakes[:0]
	if len(o.entries) > 0 {
		o.account(m.stats)
		o.clear()
	}
}

// serveTopic serves the subscribers of the only topic that something happened on.
func (m *feedHandler) serveTopic(t *topic) {
	for i := range t.subs {
		t.turn = i
		m.serve(t.subs[i].conn, t, t.log)
	}
}

// serveTopics serves who is subscribed to any of several topics.
func (m *feedHandler) serveTopics() {
	o := &m.out
	for _, t := range o.topics {
		for i := range t.subs {
			c := t.subs[i].conn
			if len(c.due) == 0 {
				o.conns = append(o.conns, c)
			}
			c.due = append(c.due, t.subs[i].ref)
		}
	}
	for i, c := range o.conns {
		only, order := (*topic)(nil), o.order[:0]
		for _, ref := range c.due {
			r := c.market[ref]
			r.topic.turn = r.slot
			only, order = r.topic, append(order, r.topic.log...)
		}
		if len(c.due) > 1 {
			only = nil
			slices.Sort(order)
		}
		m.serve(c, only, order)
		c.due, o.order, o.conns[i] = c.due[:0], order, nil
	}
	o.conns = o.conns[:0]
}

// serve sends c what of the entries it is due; only is their topic if it is one.
func (m *feedHandler) serve(c *Conn, only *topic, entries []int32) {
	o := &m.out
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	total, lags := o.pick(only, entries, m.cfg.SoftBound-len(c.pending))
	c.lagged = c.lagged || lags
	if total == 0 {
		c.mu.Unlock()
		return
	}
	wasIdle := c.idle
	c.idle = false
	if wasIdle && total <= directMax && c.direct.can() {
		c.mu.Unlock()
		c.send(o.together())
		return
	}
	for _, r := range o.runs {
		c.pending = append(c.pending, o.bytes[r.from:r.to]...)
	}
	c.mu.Unlock()
	if wasIdle {
		go c.loop()
	}
}

// together returns the runs as one.
func (o *outbox) together() []byte {
	if len(o.runs) == 1 {
		return o.bytes[o.runs[0].from:o.runs[0].to]
	}
	o.gather = o.gather[:0]
	for _, r := range o.runs {
		o.gather = append(o.gather, o.bytes[r.from:r.to]...)
	}
	return o.gather
}

// pick finds what of the entries is for the connection whose turn it is, as runs, and
// brings its subscriptions up to date. room is how many bytes it may have pending
// before it lags: a frame is taken as long as there is any.
func (o *outbox) pick(only *topic, entries []int32, room int) (total int, lags bool) {
	o.runs = o.runs[:0]
	if only != nil && only.whole && only.subs[only.turn].state == subLive {
		all := span{o.entries[entries[0]].from, o.entries[entries[len(entries)-1]].to}
		if all.to-all.from <= room {
			o.runs = append(o.runs, all)
			o.delivered += uint64(len(entries))
			return all.to - all.from, false
		}
	}
	for _, i := range entries {
		e := &o.entries[i]
		s := &e.topic.subs[e.topic.turn]
		switch {
		case e.kind == renewEntry:
			if s.state == subLive {
				s.state = subWaiting
			}
			continue
		case e.kind == bookEntry && s.state != subWaiting:
			continue
		case e.kind == frameEntry && s.state != subLive:
			o.missed[e.topic.kind]++
			continue
		case total >= room:
			s.state, lags = subLagging, true
			if e.kind == frameEntry {
				o.missed[e.topic.kind]++
			}
			continue
		case e.kind == bookEntry:
			s.state = subLive
			o.books++
		default:
			o.delivered++
		}
		total += e.to - e.from
		o.append(e.span)
	}
	return total, lags
}

// append adds a span to the runs, to the last one if it goes on there.
func (o *outbox) append(s span) {
	if n := len(o.runs); n > 0 && o.runs[n-1].to == s.from {
		o.runs[n-1].to = s.to
		return
	}
	o.runs = append(o.runs, s)
}

// account adds the cycle's counts to the hub's.
func (o *outbox) account(s *Stats) {
	s.delivered.Add(o.delivered)
	s.snapshots.Add(o.books)
	for k, n := range o.missed {
		if n > 0 {
			s.missed(Kind(k), n)
		}
	}
	o.delivered, o.books, o.missed = 0, 0, [publicKinds]uint64{}
}

// clear empties the outbox. A buffer that was large once is given back.
func (o *outbox) clear() {
	for i, t := range o.topics {
		t.log = t.log[:0]
		o.topics[i] = nil
	}
	o.topics, o.entries = o.topics[:0], o.entries[:0]
	if cap(o.bytes) > outboxKeep && len(o.bytes) < cap(o.bytes)/8 {
		o.small++
	} else {
		o.small = 0
	}
	if o.bytes = o.bytes[:0]; o.small > shrinkAfter {
		o.bytes, o.gather, o.small = nil, nil, 0
	}
}
