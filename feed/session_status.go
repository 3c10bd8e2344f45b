package feed

import (
	"sync"

	"qcat/core"
)

// LinkStatus is what a health page wants to know of one address of the venue.
type LinkStatus struct {
	// Address is the URL, without what is subscribed to.
	Address string
	// Connected tells whether a connection is up, Since when that changed last.
	Connected bool
	Since     core.Nanos
	// LastFrame is when the last data frame was received, 0 for never.
	LastFrame core.Nanos
	// Connects counts connections after a break, the first included, Breaks how
	// often none was left, and Replaced those that took over without a break.
	Connects, Breaks, Replaced uint64
	// LastError is why the last connection ended, or could not be made; "" for none.
	LastError string
}

// SessionStatus is what a health page wants to know of a session.
type SessionStatus struct {
	Name string
	// LinkStatus is that of the main connection, on which the books depend.
	LinkStatus
	// Auxiliary are the other addresses, in the Venue's order.
	Auxiliary []LinkStatus
	// Instruments and Stale count the lane's instruments and those that wait for
	// a snapshot.
	Instruments, Stale uint64
	// SnapshotFailures counts snapshots that could not be had. No snapshot is
	// asked for before SnapshotsBlockedUntil: the venue said so.
	SnapshotFailures      uint64
	SnapshotsBlockedUntil core.Nanos
}

// Status returns the session's state. It may be called from any goroutine.
func (s *Session) Status() SessionStatus {
	lane := s.lane.Stats()
	out := SessionStatus{
		Name:                  s.lane.Name(),
		LinkStatus:            s.main.tell(),
		Instruments:           lane.Instruments,
		Stale:                 lane.Stale,
		SnapshotFailures:      s.resync.failures(),
		SnapshotsBlockedUntil: s.cfg.Limiter.Blocked(),
	}
	for _, l := range s.aux {
		out.Auxiliary = append(out.Auxiliary, l.tell())
	}
	return out
}

// tell returns the link's state. It may be called from any goroutine.
func (l *link) tell() LinkStatus {
	l.status.mu.Lock()
	defer l.status.mu.Unlock()
	out := l.status.told
	out.Address = l.address
	l.status.current.tellLastFrame(&out)
	return out
}

// linkState is what a link's Status reports, written on cold paths.
type linkState struct {
	mu      sync.Mutex
	told    LinkStatus // LastFrame is that of connections gone
	current *connection
}

func (st *linkState) connected(now core.Nanos, c *connection) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.told.Connected, st.told.Since = true, now
	st.told.Connects++
	st.current = c
}

func (st *linkState) replaced(c *connection) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.told.Replaced++
	st.current = c
}

func (st *linkState) disconnected(now core.Nanos) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.told.Connected, st.told.Since = false, now
	st.told.Breaks++
	st.current.tellLastFrame(&st.told)
	st.current = nil
}

func (st *linkState) failed(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if err != nil {
		st.told.LastError = err.Error()
	}
}

// tellLastFrame says when c, which may be nil, received its last data frame.
func (c *connection) tellLastFrame(out *LinkStatus) {
	if c != nil && c.firstData.Load() != 0 {
		out.LastFrame = core.Nanos(c.lastData.Load())
	}
}
