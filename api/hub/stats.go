package hub

import (
	"sync"
	"sync/atomic"
	"time"

	"qcat/core/hist"
)

// Stats are the hub's own counters. Each is written by one goroutine or
// atomically; Snapshot may be taken by any.
type Stats struct {
	delivered, snapshots, stale, unknown atomic.Uint64
	overruns, lost                       atomic.Uint64
	conflated, dropped, resynced         atomic.Uint64
	private, privateLost                 atomic.Uint64
	accepted, refused                    atomic.Uint64
	writes, bytes                        atomic.Uint64

	backlog func() float64 // of the market goroutine

	ringWait, encode hist.Histogram // market goroutine

	mu          sync.Mutex // write and disconnects: many writers, rarely
	write       hist.Histogram
	disconnects map[uint16]uint64
}

// Snapshot is what the counters stood at.
type Snapshot struct {
	Connections, Accepted, Refused uint64

	Delivered   uint64 // public frames queued for a connection
	Private     uint64 // private frames queued for a connection
	Conflated   uint64 // quotes and candles that a lagging client was not sent
	Dropped     uint64 // trades that a lagging client was not sent
	Resynced    uint64 // book changes that a lagging client was not sent
	Books       uint64 // whole books sent
	StaleBooks  uint64 // books that turned stale
	Unknown     uint64 // events of instruments that are not in the directory
	Overruns    uint64 // times a lane lapped the hub
	Lost        uint64 // events lost by that
	PrivateLost uint64 // engine events lost by falling a lap behind

	Writes, Bytes uint64 // system calls and bytes written

	Disconnects map[uint16]uint64 // by code

	RingWait, Encode, Write hist.Snapshot // ns, sampled
}

// missed counts n events that subscriptions were not sent.
func (s *Stats) missed(k Kind, n uint64) {
	switch k {
	case Trades:
		s.dropped.Add(n)
	case Depth:
		s.resynced.Add(n)
	default:
		s.conflated.Add(n)
	}
}

func (s *Stats) wrote(n int) {
	s.writes.Add(1)
	s.bytes.Add(uint64(n))
}

// writeTime records one sampled write, unless another writer is just doing so.
func (s *Stats) writeTime(d time.Duration) {
	if s.mu.TryLock() {
		s.write.Record(int64(d))
		s.mu.Unlock()
	}
}

func (s *Stats) disconnect(d Disconnect) {
	s.mu.Lock()
	if s.disconnects == nil {
		s.disconnects = make(map[uint16]uint64)
	}
	s.disconnects[d.Code]++
	s.mu.Unlock()
}

// Backlog is how far the fan-out is behind the lane it is behind most, as a part of a lap
// of its ring, 0 to 1; at 1 it has been lapped. Any goroutine.
func (h *Hub) Backlog() float64 { return h.stats.backlog() }

// EventBacklog is the same of the engine's events. Any goroutine.
func (h *Hub) EventBacklog() float64 {
	if h.private.reader == nil {
		return 0
	}
	return min(float64(h.private.reader.Lag())/float64(h.cfg.Events.Cap()), 1)
}

// Stats returns what the counters stand at.
func (h *Hub) Stats() Snapshot {
	s := &h.stats
	out := Snapshot{
		Connections: uint64(h.Len()), Accepted: s.accepted.Load(), Refused: s.refused.Load(),
		Delivered: s.delivered.Load(), Private: s.private.Load(),
		Conflated: s.conflated.Load(), Dropped: s.dropped.Load(), Resynced: s.resynced.Load(),
		Books: s.snapshots.Load(), StaleBooks: s.stale.Load(), Unknown: s.unknown.Load(),
		Overruns: s.overruns.Load(), Lost: s.lost.Load(), PrivateLost: s.privateLost.Load(),
		Writes: s.writes.Load(), Bytes: s.bytes.Load(),
		RingWait: s.ringWait.Snapshot(), Encode: s.encode.Snapshot(),
		Disconnects: make(map[uint16]uint64),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Write = s.write.Snapshot()
	for code, n := range s.disconnects {
		out.Disconnects[code] = n
	}
	return out
}
