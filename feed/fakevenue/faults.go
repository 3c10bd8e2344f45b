package fakevenue

import (
	"slices"
	"strings"
	"time"
)

// faults are the ways in which the fake misbehaves now. Guarded by Server.mu.
type faults struct {
	skip   map[string]int    // depth updates still to lose, by symbol
	repeat map[string]int    // depth updates still to send twice
	swap   map[string]bool   // the next depth update is held back
	held   map[string]*Frame // held back until the next one was sent
	silent bool
	dead   bool
	refuse int // connections still to refuse

	status     int // REST calls are answered so
	retryAfter time.Duration
	statusFor  int // calls still to answer so

	delay time.Duration
	hold  chan struct{} // closed to let snapshots go; nil when none are held
}

// deliver returns the frames to send for f, in order.
func (x *faults) deliver(f *Frame) []*Frame {
	if f.Depth == nil {
		return []*Frame{f}
	}
	switch {
	case x.skip[f.Symbol] > 0:
		x.skip[f.Symbol]--
		return nil
	case x.held[f.Symbol] != nil:
		late := x.held[f.Symbol]
		delete(x.held, f.Symbol)
		return []*Frame{f, late}
	case x.swap[f.Symbol]:
		delete(x.swap, f.Symbol)
		put(&x.held, f.Symbol, f)
		return nil
	case x.repeat[f.Symbol] > 0:
		x.repeat[f.Symbol]--
		return []*Frame{f, f}
	}
	return []*Frame{f}
}

func put[V any](m *map[string]V, k string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[k] = v
}

func (x *faults) release() {
	if x.hold != nil {
		close(x.hold)
		x.hold = nil
	}
}

// SkipDepth loses the next n depth updates of the symbol.
func (s *Server) SkipDepth(symbol string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	put(&s.faults.skip, symbol, n)
}

// RepeatDepth sends the next n depth updates of the symbol twice.
func (s *Server) RepeatDepth(symbol string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	put(&s.faults.repeat, symbol, n)
}

// SwapDepth sends the next two depth updates of the symbol in the wrong order.
func (s *Server) SwapDepth(symbol string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	put(&s.faults.swap, symbol, true)
}

// SendGarbage sends a text message that is in no script to all clients.
func (s *Server) SendGarbage(msg string) {
	s.mu.Lock()
	clients := s.listening()
	s.mu.Unlock()
	for _, c := range clients {
		c.text([]byte(msg))
	}
}

// GoSilent stops (or resumes) all frames. Connections stay, pings are answered:
// the venue has forgotten the subscription. What is played meanwhile is lost.
func (s *Server) GoSilent(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.silent = on
}

// HalfOpen makes connections look dead (or live) without closing them: nothing
// is sent, no ping answered. New connections are still accepted.
func (s *Server) HalfOpen(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.dead = on
}

func (s *Server) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.dead
}

// DropConnections cuts all WebSocket connections without a goodbye.
func (s *Server) DropConnections() { s.drop(func(*client) bool { return true }) }

// RefuseConnections answers the next n WebSocket connections with 503.
func (s *Server) RefuseConnections(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.refuse = n
}

// RespondStatus answers the next n REST calls with the status and, above 0, a
// Retry-After in seconds.
func (s *Server) RespondStatus(status int, retryAfter time.Duration, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.status, s.faults.retryAfter, s.faults.statusFor = status, retryAfter, n
}

// DelaySnapshots holds each snapshot back for d after it was taken.
func (s *Server) DelaySnapshots(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.delay = d
}

// HoldSnapshots holds all snapshots back, as of when they were asked for, until
// release is called.
func (s *Server) HoldSnapshots() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.release()
	s.faults.hold = make(chan struct{})
	mine := s.faults.hold
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.faults.hold == mine {
			s.faults.release()
		}
	}
}

// DepthStream returns the name of the depth stream that the script has of the
// symbol, "" if none.
func (s *Server) DepthStream(symbol string) string {
	i := slices.IndexFunc(s.src.Frames, func(f Frame) bool { return f.Depth != nil && f.Symbol == symbol })
	if i < 0 {
		return ""
	}
	return strings.TrimPrefix(s.src.Frames[i].Stream, strings.ToLower(symbol)+"@")
}
