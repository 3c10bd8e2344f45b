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
	// exposureNodes is how many nodes are copied at most, and exposureShare the part of
	// the hard bound that they may fill once they are encoded: a connection that has
	// read what came before can take all of them.
	exposureNodes = 1024
	exposureShare = 4
	// exposureBytes is how long a node is taken to be before any was encoded.
	exposureBytes = 1024
	// exposureTime is after how long no further ones are.
	exposureTime = 500 * time.Microsecond
	// exposureStep is how many are copied between two looks at the clock.
	exposureStep = 16
	// exposureFrame is how many stand in one frame.
	exposureFrame = 100
	// exposurePatience is how long a walk waits for a subscriber that it is made for and
	// that has not read what it was sent.
	exposurePatience = 10 * time.Second
)

// exposures tells the subscribers of the risk channel what the nodes of the limit tree
// have used. Once a tick it copies, in one look at the tree and so as of one journal
// sequence, the nodes that have changed since they were told, the longest waiting
// first; who has just subscribed, or was too slow, is given all of them beside these.
// What does not fit within the bounds of one look waits for the next tick: the frame
// then says that it is not complete. Each node is encoded once for all, and who may not
// see every node is sent frames of their own.
type exposures struct {
	hub    *Hub
	levels wire.Levels
	at     risk.ScopeCursor
	walk   bool      // the tree is being walked for those who wait
	paused time.Time // since when the walk waits for one who reads slowly; zero: it does not

	// wanted counts the subscribers, waits says that one of them has to be told
	// everything. The private goroutine writes both.
	wanted atomic.Int64
	waits  atomic.Bool

	nodes   []byte // the nodes of a tick, encoded
	ends    []int  // where each of them ends, behind a 0
	perNode int    // bytes a node had in the last tick
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
	walks := x.walk && (begins || x.pace())
	complete := false
	x.hub.cfg.Exposure.Query(func(t *risk.Tree, seq uint64) { complete = x.look(t, seq, walks) })
	if x.levels.Len() > 0 || begins {
		x.tell(begins, complete)
	}
}

// pace reports whether the walk may go on: not while one of those it is made for has
// much to read, unless that has lasted for too long; who reads slowly is then left out
// once it can take no more, and the others are told.
func (x *exposures) pace() bool {
	behind := false
	x.onPrivate(func() { behind = x.hub.private.readsSlowly() })
	switch {
	case !behind:
		x.paused = time.Time{}
	case x.paused.IsZero():
		x.paused = time.Now()
	}
	return !behind || time.Since(x.paused) > exposurePatience
}

// onPrivate runs f on the private goroutine and waits for it; not at all when that has
// ended.
func (x *exposures) onPrivate(f func()) {
	done := make(chan struct{})
	p := &x.hub.private
	if !p.inbox.post(command{op: opRun, run: func() { f(); close(done) }}) {
		return
	}
	select {
	case <-done:
	case <-p.ended:
	}
}

// look copies nodes within the bounds and reports whether nothing is left. It is where
// the tree may be read.
func (x *exposures) look(t *risk.Tree, seq uint64, walks bool) (complete bool) {
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
	for x.walk && walks {
		x.walk = t.NextScopes(&x.at, exposureStep, add)
		if x.full(began) {
			break
		}
	}
	return !x.walk
}

// full reports whether a look has cost what it may.
func (x *exposures) full(began time.Time) bool {
	fit := x.hub.cfg.HardBound / exposureShare / max(x.perNode, exposureBytes)
	return x.levels.Len() >= min(exposureNodes, fit) || time.Since(began) > exposureTime
}

// tell encodes what was copied and has the private goroutine send it.
func (x *exposures) tell(begins, complete bool) {
	x.nodes, x.ends = x.nodes[:0], append(x.ends[:0], 0)
	for i := range x.levels.Len() {
		x.nodes = x.levels.Append(x.nodes, x.hub.cfg.Directory, i)
		x.ends = append(x.ends, len(x.nodes))
	}
	x.perNode = len(x.nodes) / max(x.levels.Len(), 1)
	x.onPrivate(func() { x.hub.private.publishExposures(begins, complete) })
}

// appendSome appends the data of a frame with some of the nodes; more says that another
// frame follows.
func (x *exposures) appendSome(dst []byte, some []int, complete, more bool) []byte {
	dst = x.levels.AppendExposuresHead(dst, complete && !more, more)
	for k, i := range some {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, x.nodes[x.ends[i]:x.ends[i+1]]...)
	}
	return append(dst, wire.ExposuresTail...)
}

// readsSlowly reports whether a subscriber that the limit tree is walked for has an
// eighth of the hard bound still to read.
func (p *eventHandler) readsSlowly() bool {
	for _, s := range p.subs[wire.Risk] {
		if s.walked && s.conn.backlog() > p.cfg.HardBound/8 {
			return true
		}
	}
	return false
}
