package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/market"
)

// SessionConfig is what a Session is made of. Zero fields take the defaults.
type SessionConfig struct {
	Venue Venue
	// Lane is the lane's configuration. The Session sets RequestResync and Wake
	// itself. Its Instruments are those that the Venue subscribes to.
	Lane LaneConfig
	// Policy overrides, field by field, what the Venue says of its connections.
	Policy ConnPolicy
	// Limiter spaces the snapshot requests; sessions of one venue share it.
	// Default: one of its own, 250 ms.
	Limiter *Limiter
	// SnapshotConcurrency is how many snapshots are fetched at once. Default 2.
	SnapshotConcurrency int
	// SnapshotTimeout bounds one fetch. Default 10 s.
	SnapshotTimeout time.Duration
	// SnapshotDelay is how long after connecting the first snapshot is asked for,
	// so that the streams have begun and the snapshot is newer. Default 500 ms.
	SnapshotDelay time.Duration
	// Reconnect and Resync are the back-offs. Defaults: 500 ms to 30 s, 1 s to 60 s.
	Reconnect, Resync Backoff
	// ResyncSpacing is the least time between a snapshot that made a book live and
	// the next one of that instrument: more gaps than that are not cured by asking.
	// Default 1 s.
	ResyncSpacing time.Duration
	// StableAfter is how long a connection must have lived for the next failure
	// to count as the first. Default 60 s.
	StableAfter time.Duration
	// DutyEvery is how often the lane's duties and the connection's health are
	// looked after. Default 100 ms.
	DutyEvery time.Duration
	// Clock stamps receive times. Default: the system's.
	Clock core.Clock
	// Log hears of connections, disconnections and failed snapshots. Default: none.
	Log *zap.Logger
}

// ErrSession is wrapped by the errors of NewSession.
var ErrSession = errors.New("feed session")

// Session keeps the connections of one lane to its venue: it connects, subscribes,
// fetches snapshots, finds out when a connection is dead, connects again, and
// replaces a connection before the venue cuts it.
//
// # Links
//
// A link keeps one address connected. The main one carries the books: they stand
// and fall with it. Auxiliary ones (Venue.Auxiliary) carry what the venue serves
// elsewhere, such as mark prices, into the same lane: losing one leaves the books
// as they are, and what it carried grows old until it is back.
//
// # Who owns the lane
//
// Whoever holds mu. A connection's reader goroutine takes it for each frame that
// it applies; that is one atomic operation each way, uncontended unless frames of
// two addresses meet. Others take it rarely and briefly: the duties (10 times a
// second and when a consumer wants a snapshot), a fetch to apply its snapshot. So
// a snapshot reaches a lane whose socket is quiet, without a wake-up of a blocked
// read and without a second queue that every frame would pass through.
//
// # Replacing a connection
//
//	old  ──frames──► lane ─────────────────┐ retired, closed
//	new  ── parked ─── parked ── parked ───┴─► drained into the lane ──frames──►
//
// The new connection's frames are parked, not applied: it may be ahead of the old
// one, and applying its frames at once would look like a gap. When both have
// delivered for ConnPolicy.Overlap, the parked frames are applied: the lane has
// seen most of them and drops those as duplicates, and the rest continues it.
// If the old connection dies meanwhile, the new one takes over at once.
type Session struct {
	cfg    SessionConfig
	policy ConnPolicy
	lane   *Lane
	resync *resyncer
	wake   chan struct{}
	main   *link
	aux    []*link

	mu      sync.Mutex // guards the lane, and which connection of a link is active
	badSeen core.Nanos // when a bad frame was last logged; guarded by mu
}

// NewSession returns a session with its lane; Run starts it.
func NewSession(cfg SessionConfig) (*Session, error) {
	if cfg.Venue == nil || cfg.Lane.Decoder == nil {
		return nil, fmt.Errorf("%w: a venue and a decoder are needed", ErrSession)
	}
	cfg = cfg.withDefaults()
	s := &Session{cfg: cfg, policy: cfg.Policy.or(cfg.Venue.Policy()).or(defaultPolicy), wake: make(chan struct{}, 1)}
	s.resync = &resyncer{
		venue:   cfg.Venue,
		limiter: cfg.Limiter,
		backoff: cfg.Resync,
		clock:   cfg.Clock,
		log:     cfg.Log,
		timeout: cfg.SnapshotTimeout,
		spacing: cfg.ResyncSpacing,
		slots:   make(chan struct{}, cfg.SnapshotConcurrency),
		signal:  make(chan struct{}, 1),
		deliver: s.deliverSnapshot,
		wanted:  map[core.InstrumentID]*resyncState{},
	}
	cfg.Lane.RequestResync = s.resync.ask
	cfg.Lane.Wake = s.Wake
	lane, err := NewLane(cfg.Lane)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSession, err)
	}
	lane.down = true
	s.lane = lane
	s.main = newLink(s, cfg.Venue, books{s})
	for _, streams := range cfg.Venue.Auxiliary() {
		s.aux = append(s.aux, newLink(s, streams, nothing{}))
	}
	return s, nil
}

// Source returns what a market.Tap follows this session's lane by.
func (s *Session) Source() market.Source { return s.lane.Source() }

// Stats returns the lane's counters. It may be called from any goroutine.
func (s *Session) Stats() Stats { return s.lane.Stats() }

// Wake makes the session serve its lane's duties soon. Any goroutine.
func (s *Session) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run keeps the session connected until ctx is done, and returns ctx's error.
// All its goroutines have ended then, and the lane's instruments are stale.
func (s *Session) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { s.resync.run(ctx) })
	beside.Go(func() { s.duties(ctx) })
	for _, l := range s.aux {
		beside.Go(func() { l.run(ctx) })
	}
	s.main.run(ctx)
	return ctx.Err()
}

// duties serves the lane until ctx is done, also while its sockets are quiet.
func (s *Session) duties(ctx context.Context) {
	tick := time.NewTicker(s.cfg.DutyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
		}
		for pause := time.Duration(1); pause > 0; {
			s.mu.Lock()
			pause = s.lane.Duty()
			s.mu.Unlock()
			if pause > 0 && sleep(ctx, pause) != nil {
				return
			}
		}
	}
}

// books are what depends on a session's main connection: the lane's instruments
// and their snapshots.
type books struct{ s *Session }

var _ dependant = books{}

// connected implements dependant: the lane listens from the first frame on, and
// snapshots are worth asking for when the streams have begun.
func (b books) connected() {
	b.s.resync.open(b.s.cfg.SnapshotDelay)
	b.s.lane.Connected()
}

// subscribed implements dependant: only now have all streams been asked for.
func (b books) subscribed() { b.s.resync.open(b.s.cfg.SnapshotDelay) }

// disconnected implements dependant: everything is stale.
func (b books) disconnected(now core.Nanos) {
	b.s.resync.shut()
	b.s.lane.Disconnected(now)
}

// apply hands one frame to the lane. The caller holds mu.
func (s *Session) apply(frame []byte, snapshotFor core.InstrumentID, rx core.Nanos) {
	if err := s.lane.Frame(frame, snapshotFor, rx); err != nil {
		s.badFrame(err, rx)
	}
}

// badFrameLogEvery is how often a bad frame is logged; all are counted.
const badFrameLogEvery = 10 * time.Second

func (s *Session) badFrame(err error, rx core.Nanos) {
	if s.badSeen != 0 && rx < after(s.badSeen, badFrameLogEvery) {
		return
	}
	s.badSeen = rx
	s.cfg.Log.Warn("bad frame", zap.String("lane", s.lane.Name()), zap.Error(err))
}

// deliverSnapshot applies a snapshot's body on the fetch's goroutine, unless the
// connection it was asked for is gone: the book then waits for the next one.
func (s *Session) deliverSnapshot(id core.InstrumentID, body []byte, epoch uint64) (live bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.resync.current(epoch) {
		return s.lane.Live(id), nil
	}
	err = s.lane.Frame(body, id, s.cfg.Clock.Now())
	return s.lane.Live(id), err
}
