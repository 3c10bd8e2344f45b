package feed

import (
	"sync"

	"qcat/core"
)

// SessionStatus is what a health page wants to know of a session.
type SessionStatus struct {
	Name string
	// Connected tells whether a connection is up, Since when that changed last.
	Connected bool
	Since     core.Nanos
	// LastFrame is when the last data frame was received, 0 for never.
	LastFrame core.Nanos
	// Connects counts connections after a break, the first included; Replaced
	// those that took over without one.
	Connects, Replaced uint64
	// Instruments and Stale count the lane's instruments and those that wait for
	// a snapshot.
	Instruments, Stale uint64
	// SnapshotFailures counts snapshots that could not be had. No snapshot is
	// asked for before SnapshotsBlockedUntil: the venue said so.
	SnapshotFailures      uint64
	SnapshotsBlockedUntil core.Nanos
	// LastError is why the last connection ended, or could not be made; "" for none.
	LastError string
}

// Status returns the session's state. It may be called from any goroutine.
func (s *Session) Status() SessionStatus {
	lane := s.lane.Stats()
	out := SessionStatus{
		Name:                  s.lane.Name(),
		Instruments:           lane.Instruments,
		Stale:                 lane.Stale,
		SnapshotFailures:      s.resync.failures(),
		SnapshotsBlockedUntil: s.cfg.Limiter.Blocked(),
	}
	s.status.mu.Lock()
	defer s.status.mu.Unlock()
	out.Connected, out.Since = s.status.up, s.status.since
	out.Connects, out.Replaced = s.status.connects, s.status.replaces
	out.LastError = s.status.lastErr
	out.LastFrame = s.status.last
	if c := s.status.current; c != nil && c.firstData.Load() != 0 {
		out.LastFrame = core.Nanos(c.lastData.Load())
	}
	return out
}

// sessionStatus is what Status reports, written on cold paths.
type sessionStatus struct {
	mu       sync.Mutex
	up       bool
	since    core.Nanos
	connects uint64
	replaces uint64
	lastErr  string
	last     core.Nanos // last data frame of connections gone
	current  *connection
}

func (st *sessionStatus) connected(now core.Nanos, c *connection) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.up, st.since = true, now
	st.connects++
	st.current = c
}

func (st *sessionStatus) replaced(c *connection) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.replaces++
	st.current = c
}

func (st *sessionStatus) disconnected(now core.Nanos) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.up, st.since = false, now
	if c := st.current; c != nil && c.firstData.Load() != 0 {
		st.last = core.Nanos(c.lastData.Load())
	}
	st.current = nil
}

func (st *sessionStatus) failed(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if err != nil {
		st.lastErr = err.Error()
	}
}
