package feed_test

import (
	"testing"
	"time"

	"qcat/core"
	"qcat/feed"
)

// startWithMarks starts a session whose venue serves marks at a second address.
func startWithMarks(t *testing.T, change func(*feed.SessionConfig)) (*runningSession, *toyServer) {
	server := newToyServer(t, feed.ContinuityFirst, 1)
	server.marks = true
	cfg := quick(server, 1)
	if change != nil {
		change(&cfg)
	}
	return start(t, server, cfg), server
}

func onMarks(c *toyConn) bool  { return c.marks }
func offMarks(c *toyConn) bool { return !c.marks }
func (r *runningSession) mark() core.Quote {
	var q core.Quote
	r.quotes.Load(1, &q)
	return q
}

// marksGoOn waits for a mark newer than the one that is.
func (r *runningSession) marksGoOn() {
	r.t.Helper()
	was := r.mark().MarkPrice
	r.until("marks go on", func() bool { return r.mark().MarkPrice > was })
}

// TestAuxiliaryLoss: marks arrive by an address of their own, whose loss leaves
// the books live; it is connected again and its break is told of.
func TestAuxiliaryLoss(t *testing.T) {
	r, server := startWithMarks(t, nil)
	quiet := server.talk()
	r.settle()
	for i := range uint64(3) {
		r.marksGoOn()
		server.cutIf(onMarks)
		r.until("the break is noticed", func() bool { return r.Status().Auxiliary[0].Breaks == i+1 })
	}
	r.marksGoOn()
	st := r.Status()
	if aux := st.Auxiliary[0]; len(st.Auxiliary) != 1 || !aux.Connected || aux.Connects != 4 || aux.LastError == "" ||
		aux.LastFrame == 0 || aux.Address != server.StreamURL()+"/marks" {
		t.Errorf("auxiliary %+v", st.Auxiliary)
	}
	if s := r.Stats(); s.Disconnects != 0 || st.Breaks != 0 || st.Connects != 1 || s.Stale != 0 {
		t.Errorf("the books noticed: %+v, %+v", st, s)
	}
	quiet()
	r.agree()
	if err := r.stop(); err == nil || r.Status().Auxiliary[0].Connected {
		t.Errorf("after the end: %v, %+v", err, r.Status())
	}
}

// TestAuxiliaryOutlivesMain: the loss of the main connection makes the books
// stale, as without an auxiliary one, which goes on by itself.
func TestAuxiliaryOutlivesMain(t *testing.T) {
	r, server := startWithMarks(t, nil)
	server.talk()
	r.settle()
	r.marksGoOn()
	server.cutIf(offMarks)
	r.until("the books are stale", func() bool { return r.Stats().Disconnects == 1 })
	r.until("all books are live", r.live)
	r.marksGoOn()
	if st := r.Status(); st.Breaks != 1 || st.Auxiliary[0].Breaks != 0 || st.Auxiliary[0].Connects != 1 {
		t.Errorf("status %+v", st)
	}
}

// TestAuxiliaryIsKept: an auxiliary connection is pinged, given up when nothing
// comes, and replaced before its time is up, as the main one is.
func TestAuxiliaryIsKept(t *testing.T) {
	t.Parallel()
	r, server := startWithMarks(t, func(c *feed.SessionConfig) {
		// One that is spoken to is never as silent, however busy the machine.
		c.Policy = feed.ConnPolicy{MaxAge: 150 * time.Millisecond, IdleTimeout: 1500 * time.Millisecond}
	})
	server.talk()
	r.until("it was replaced", func() bool { return r.Status().Auxiliary[0].Replaced >= 2 })
	if st := r.Status(); st.Auxiliary[0].Breaks != 0 || server.count(&server.pings) == 0 {
		t.Errorf("status %+v", st)
	}
	server.setMute(true)
	server.cutIf(onMarks)
	breaks := r.Status().Auxiliary[0].Breaks
	r.until("the silent connection is given up", func() bool { return r.Status().Auxiliary[0].Breaks >= breaks+2 })
	server.setMute(false)
	r.marksGoOn()
}
