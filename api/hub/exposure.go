package hub

import (
	"context"
	"sync/atomic"
	"time"

	"qcat/api/wire"
	"qcat/risk"
)

// LimitTree lets somebody read the limit tree between two records. *engine.Engine is
// one.
type LimitTree interface {
	Query(f func(tree *risk.Tree, seq uint64))
}

// Bounds of one look at the limit tree: the order lane does nothing else meanwhile.
const (
	// exposureNodes is how many nodes are copied at most.
	exposureNodes = 1024
	// exposureTime is after how long no further ones are.
	exposureTime = 500 * time.Microsecond
	// exposureStep is how many are copied between two looks at the clock.
	exposureStep = 16
	// exposureFrame is how many stand in one frame.
	exposureFrame = 100
)

// exposures tells the subscribers of the risk channel what the nodes of the limit tree
// have used. Once a tick it copies, in one look at the tree and so as of one journal
// sequence, the nodes that have changed since they were told, the longest waiting
// first; who has just subscribed, or was too slow, is given all of them beside these.
// What does not fit within the bounds of one look waits for the next tick: the frame
// then says that it is not complete. Everything is encoded once for all.
type exposures struct {
	hub    *Hub
	levels wire.Levels
	at     risk.ScopeCursor
	walk   bool // the tree is being walked for those who wait

	// wanted counts the subscribers, waits says that one of them has to be told
	// everything. The private goroutine writes both.
	wanted atomic.Int64
	waits  atomic.Bool

	frames [][]byte // data of the frames of a tick
}

// run ticks until ctx ends.
func (x *exposures) run(ctx context.Context) {
	ticker := time.NewTicker(x.hub.cfg.ExposureEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if x.wanted.Load() > 0 {
				x.tick()
			}
		}
	}
}

// tick tells what has changed.
func (x *exposures) tick() {
	begins := !x.walk && x.waits.Swap(false)
	if begins {
		x.walk, x.at = true, risk.ScopeCursor{}
	}
	complete := false
	x.hub.cfg.Exposure.Query(func(t *risk.Tree, seq uint64) { complete = x.look(t, seq) })
	if x.levels.Len() > 0 || begins {
		x.tell(begins, complete)
	}
}

// look copies nodes within the bounds and reports whether nothing is left. It is where
// the tree may be read.
func (x *exposures) look(t *risk.Tree, seq uint64) (complete bool) {
	x.levels.Reset(seq)
	now := x.hub.cfg.Clock.Now()
	add := func(s risk.Scope) { x.levels.Add(t, s, now) }
	began := time.Now()
	left := 1
	for left > 0 {
		if left = t.NextChanged(exposureStep, add); x.full(began) {
			return left == 0 && !x.walk
		}
	}
	for x.walk {
		x.walk = t.NextScopes(&x.at, exposureStep, add)
		if x.full(began) {
			break
		}
	}
	return !x.walk
}

// full reports whether a look has cost what it may.
func (x *exposures) full(began time.Time) bool {
	return x.levels.Len() >= exposureNodes || time.Since(began) > exposureTime
}

// tell encodes what was copied and has the private goroutine send it.
func (x *exposures) tell(begins, complete bool) {
	n := 0
	for i := 0; i < x.levels.Len() || i == 0; i += exposureFrame {
		if n == len(x.frames) {
			x.frames = append(x.frames, nil)
		}
		j := min(i+exposureFrame, x.levels.Len())
		x.frames[n] = x.levels.AppendExposures(x.frames[n][:0], x.hub.cfg.Directory, i, j, complete && j == x.levels.Len())
		n++
	}
	done := make(chan struct{})
	p := &x.hub.private
	if p.inbox.post(command{op: opRun, run: func() {
		p.publishExposures(x.frames[:n], begins)
		close(done)
	}}) {
		select {
		case <-done:
		case <-p.ended:
		}
	}
}

// publishExposures sends the frames of a tick to the subscribers of the risk channel.
// Their seq is that of the last event before them, so that who resumes from one of
// them misses no event. A subscriber that lags is left out, and is told everything
// once it has caught up.
func (p *eventHandler) publishExposures(frames [][]byte, begins bool) {
	subs := p.subs[wire.Risk]
	x := &p.hub.exposures
	for i := range subs {
		subs[i].waits = subs[i].waits && !begins
	}
	for _, data := range frames {
		at := p.last
		idx := at.idx
		if idx == wholeRecord {
			idx = 0
		}
		b := wire.AppendPrivateHead(BeginFrame(p.scratch), p.prefix[wire.Risk], at.seq, idx, p.cfg.Clock.Now())
		p.scratch = wire.AppendTail(append(b, data...))
		frame := EndFrame(p.scratch, OpText)
		for i := range subs {
			if s := &subs[i]; !s.waits {
				s.waits = !p.pushExposure(s.conn, frame)
			}
		}
	}
	for i := range subs {
		if subs[i].waits {
			x.waits.Store(true)
		}
	}
}

// pushExposure sends one frame and reports whether the connection took it.
func (p *eventHandler) pushExposure(c *Conn, frame []byte) bool {
	switch c.pushPublic(frame) {
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
