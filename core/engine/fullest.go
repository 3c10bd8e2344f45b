package engine

import (
	"context"
	"sync"
	"time"

	"qcat/core"
	"qcat/risk"
)

// Fullest finds, for those who watch the server, how much is used of each limit at the
// node of each level where that is most. Nobody else waits for it: Run walks the limit
// tree in small steps on the engine's goroutine, far apart from each other, and what it
// tells is that of its last whole walk.
type Fullest struct {
	engine *Engine
	clock  core.Clock

	at     risk.ScopeCursor // Run's: where the walk under way is
	found  fullestUses
	scopes []risk.Scope
	uses   []risk.Use

	mu   sync.Mutex
	told fullestUses
}

// fullestUses are the highest uses, by level and limit, in PPM and one more; 0: no node
// of that level has the limit.
type fullestUses [risk.LevelInstrument + 1][risk.NumLimits]int64

// How a walk is paced: a step looks at that many places of the tree at most, and ends
// when it has taken fullestStep; there are fullestPause between two of them, so that the
// walk takes no more than a fiftieth of the order lane, and fullestEvery between two
// walks.
const (
	fullestPlaces = 16
	fullestStep   = 20 * time.Microsecond
	fullestPause  = time.Millisecond
	fullestEvery  = time.Second
)

// NewFullest returns a Fullest of e; Run fills it.
func NewFullest(e *Engine) *Fullest { return &Fullest{engine: e, clock: e.cfg.Clock} }

// Run walks until ctx is done.
func (f *Fullest) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if f.step() {
			timer.Reset(fullestPause)
		} else {
			timer.Reset(fullestEvery)
		}
	}
}

// step walks on, and reports whether the walk goes on after it. The last step of a walk
// publishes what was found.
func (f *Fullest) step() (more bool) {
	f.engine.Query(func(t *risk.Tree, _ uint64) {
		began := f.clock.Now()
		for now := began; ; {
			f.scopes = f.scopes[:0]
			more = t.NextScopes(&f.at, fullestPlaces, func(s risk.Scope) { f.scopes = append(f.scopes, s) })
			for _, s := range f.scopes {
				f.look(t, s, now)
			}
			if now = f.clock.Now(); !more || time.Duration(now-began) >= fullestStep {
				return
			}
		}
	})
	if !more {
		f.mu.Lock()
		f.told = f.found
		f.mu.Unlock()
		f.found, f.at = fullestUses{}, risk.ScopeCursor{}
	}
	return more
}

// look takes one node into account. A limit of nothing of which nothing is used keeps
// something from being traded at all, which is nobody's alarm.
func (f *Fullest) look(t *risk.Tree, s risk.Scope, now core.Nanos) {
	f.uses = t.Uses(s, now, f.uses[:0])
	for i := range f.uses {
		if u := &f.uses[i]; u.Max != 0 || u.Value != 0 {
			most := &f.found[s.Level][u.Limit]
			*most = max(*most, u.PPM+1)
		}
	}
}

// Each calls yield with the highest use of each limit that some node of a level has, in
// parts per million of the limit; more than a thousandfold is a thousandfold. Any
// goroutine.
func (f *Fullest) Each(yield func(level risk.Level, l risk.Limit, ppm int64)) {
	f.mu.Lock()
	told := f.told
	f.mu.Unlock()
	for level := range told {
		for l, ppm := range told[level] {
			if ppm > 0 {
				yield(risk.Level(level), risk.Limit(l), ppm-1)
			}
		}
	}
}
