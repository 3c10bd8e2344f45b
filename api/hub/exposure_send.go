package hub

import "qcat/api/wire"

// publishExposures sends what a tick told to the subscribers of the risk channel: each
// node to those that may see it. The frames' seq is that of the last event before them,
// so that who resumes from one of them misses no event. A subscriber that lags is left
// out, and is told everything once it has caught up.
func (p *eventHandler) publishExposures(begins, complete bool) {
	subs := p.subs[wire.Risk]
	x := &p.hub.exposures
	for i := range subs {
		if begins && subs[i].waits {
			subs[i].waits, subs[i].walked = false, true
		}
	}
	p.publishAll(subs, complete)
	for i := range subs {
		if s := &subs[i]; !s.conn.sight.all && !s.waits && s.conn.owned() {
			p.publishSome(s, complete)
		}
	}
	for i := range subs {
		if complete || subs[i].waits {
			subs[i].walked = false
		}
		if subs[i].waits {
			x.waits.Store(true)
		}
	}
}

// publishAll sends every node to those that may see everything, in frames that are put
// together once.
func (p *eventHandler) publishAll(subs []privateSub, complete bool) {
	some := p.nodesFor(everything)
	for first := true; first || len(some) > 0; first = false {
		n := min(len(some), exposureFrame)
		var frame []byte // for the first who is sent it
		for i := range subs {
			s := &subs[i]
			if !s.conn.sight.all || s.waits || !s.conn.owned() {
				continue
			}
			if frame == nil {
				frame = p.exposureFrame(some[:n], complete, n < len(some))
			}
			s.waits = !p.pushExposure(s.conn, frame)
		}
		some = some[n:]
	}
}

// publishSome sends the nodes that one subscriber may see. Where there are none it is sent
// a frame only if it waits for the end of what it is being told.
func (p *eventHandler) publishSome(s *privateSub, complete bool) {
	some := p.nodesFor(s.conn.sight)
	if len(some) == 0 && !s.walked && !(s.partial && complete) {
		return
	}
	s.partial = !complete
	for first := true; !s.waits && (first || len(some) > 0); first = false {
		n := min(len(some), exposureFrame)
		s.waits = !p.pushExposure(s.conn, p.exposureFrame(some[:n], complete, n < len(some)))
		some = some[n:]
	}
}

// nodesFor returns the numbers of the tick's nodes that may be seen. It is good until the
// next call.
func (p *eventHandler) nodesFor(sees *sight) []int {
	levels := &p.hub.exposures.levels
	p.some = p.some[:0]
	for i := range levels.Len() {
		if sees.node(levels.Scope(i)) {
			p.some = append(p.some, i)
		}
	}
	return p.some
}

// exposureFrame builds a frame of some nodes in scratch.
func (p *eventHandler) exposureFrame(some []int, complete, more bool) []byte {
	at := p.last
	idx := at.idx
	if idx == wholeRecord {
		idx = 0
	}
	b := wire.AppendPrivateHead(BeginFrame(p.scratch), p.prefix[wire.Risk], at.seq, idx, p.cfg.Clock.Now())
	p.scratch = wire.AppendTail(p.hub.exposures.appendSome(b, some, complete, more))
	return EndFrame(p.scratch, OpText)
}

// pushExposure sends one frame and reports whether the connection took it.
func (p *eventHandler) pushExposure(c *Conn, frame []byte) bool {
	switch c.pushSpare(frame) {
	case pushedIdle:
		p.wakes = append(p.wakes, c)
		p.stats.private.Add(1)
	case pushed:
		p.stats.private.Add(1)
	case pushLagged:
		p.stats.conflated.Add(1)
		return false
	}
	return true
}
