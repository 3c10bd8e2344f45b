package journal

import (
	"sync"
	"time"

	"qcat/core"
)

// Lag tells how far the disk is behind the records. What a record waits for is what makes
// it worth what Options.Sync promises, and with SyncBatch the sync that follows.
//
// The order path keeps no times: Note is called every so often by whoever watches, and
// remembers which record was the last one then. Safe for concurrent use.
type Lag struct {
	log   *Log
	clock core.Clock

	mu    sync.Mutex
	notes []lagNote // oldest first, at most maxLagNotes
}

// lagNote is a record that was the last one at a time.
type lagNote struct {
	seq uint64
	at  core.Nanos
}

// maxLagNotes bounds what is remembered while the disk does not answer: the oldest notes
// are those that tell how long.
const maxLagNotes = 256

// NewLag returns a Lag of l.
func NewLag(l *Log, clock core.Clock) *Lag { return &Lag{log: l, clock: clock} }

// Note looks at the log now. How often it is called is how exact Time is.
func (g *Lag) Note() {
	last, safe := g.ends()
	now := g.clock.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(safe)
	newest := safe
	if n := len(g.notes); n > 0 {
		newest = g.notes[n-1].seq
	}
	if last > newest && len(g.notes) < maxLagNotes {
		g.notes = append(g.notes, lagNote{last, now})
	}
}

// Records is how many records wait.
func (g *Lag) Records() uint64 {
	last, safe := g.ends()
	return last - min(safe, last)
}

// Time is how long the oldest of them has been waiting, less what passed until it was
// noted; 0 while none has been waiting since a Note.
func (g *Lag) Time() time.Duration {
	_, safe := g.ends()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(safe)
	if len(g.notes) == 0 {
		return 0
	}
	return max(0, time.Duration(g.clock.Now()-g.notes[0].at))
}

// ends are the last record, and the last that waits for nothing.
func (g *Lag) ends() (last, safe uint64) {
	safe = g.log.Durable()
	if g.log.o.Sync == SyncOS {
		safe = g.log.Committed()
	}
	return max(g.log.ring.publishedSeq(), g.log.Committed()), safe
}

// forget drops the notes of records that wait no more; the lock is held.
func (g *Lag) forget(safe uint64) {
	n := 0
	for n < len(g.notes) && g.notes[n].seq <= safe {
		n++
	}
	g.notes = append(g.notes[:0], g.notes[n:]...)
}
