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

// Session keeps the connection of one lane to its venue: it connects, subscribes,
// fetches snapshots, finds out when the connection is dead, connects again, and
// replaces the connection before the venue cuts it.
//
// # Who owns the lane
//
// Whoever holds mu. A connection's reader goroutine takes it for each frame that
// it applies; that is one uncontended atomic operation each way. Others take it
// rarely and briefly: the supervisor for the lane's duties (10 times a second
// and when a consumer wants a snapshot), a fetch to apply its snapshot. So a
// snapshot reaches a lane whose socket is quiet, without a wake-up of a blocked
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

	mu      sync.Mutex
	active  *connection // guarded by mu
	badSeen core.Nanos  // when a bad frame was last logged; guarded by mu

	readers sync.WaitGroup
	status  sessionStatus
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
	var fetcher sync.WaitGroup
	fetcher.Go(func() { s.resync.run(ctx) })
	defer fetcher.Wait()

	attempts := 0
	for ctx.Err() == nil {
		lived, err := s.connectAndServe(ctx)
		if ctx.Err() != nil {
			break
		}
		if lived >= s.cfg.StableAfter {
			attempts = 0
		}
		attempts++
		wait := s.cfg.Reconnect.Wait(attempts)
		s.status.failed(err)
		s.cfg.Log.Warn("feed disconnected", zap.String("lane", s.lane.Name()),
			zap.Error(err), zap.Int("attempt", attempts), zap.Duration("again_in", wait))
		if sleep(ctx, wait) != nil {
			break
		}
	}
	return ctx.Err()
}

// connectAndServe runs one unbroken connection, its replacements included, and
// returns how long it lived and why it ended.
func (s *Session) connectAndServe(ctx context.Context) (time.Duration, error) {
	c, err := dial(ctx, s.cfg.Venue.StreamURL(), s.policy, s.cfg.Clock)
	if err != nil {
		return 0, err
	}
	s.connected(c)
	s.start(c)
	defer s.readers.Wait()
	if err := c.subscribe(ctx, s.cfg.Venue.Subscribe(), s.policy.SubscribeInterval); err != nil {
		s.disconnected()
		c.shut()
		return 0, err
	}
	s.resync.open(s.cfg.SnapshotDelay)
	err = s.supervise(ctx, c)
	return time.Duration(s.cfg.Clock.Now() - c.opened), err
}

// start runs the connection's reader.
func (s *Session) start(c *connection) { s.readers.Go(func() { c.read(s.deliver) }) }

// connected makes c the lane's connection, before its first frame is read.
func (s *Session) connected(c *connection) {
	s.resync.open(s.cfg.SnapshotDelay)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.role = roleActive
	s.active = c
	s.lane.Connected()
	s.status.connected(s.cfg.Clock.Now(), c)
	s.cfg.Log.Info("feed connected", zap.String("lane", s.lane.Name()))
}

// disconnected marks everything stale: no connection is left.
func (s *Session) disconnected() {
	s.resync.shut()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active != nil {
		s.active.role = roleRetired
		s.active = nil
	}
	now := s.cfg.Clock.Now()
	s.lane.Disconnected(now)
	s.status.disconnected(now)
}

// deliver takes one frame from a connection's reader goroutine.
func (s *Session) deliver(c *connection, frame []byte, rx core.Nanos) {
	s.mu.Lock()
	switch c.role {
	case roleActive:
		s.apply(frame, 0, rx)
	case roleParked:
		if !c.parked.put(frame, rx) {
			s.takeOver(c)
			s.apply(frame, 0, rx)
			s.Wake()
		}
	case roleRetired:
	}
	s.mu.Unlock()
}

// takeOver makes c the active connection in place of the one that is: it applies
// what c had parked. The caller holds mu.
func (s *Session) takeOver(c *connection) {
	if s.active != nil {
		s.active.role = roleRetired
	}
	s.active = c
	c.role = roleActive
	c.parked.drain(func(frame []byte, rx core.Nanos) { s.apply(frame, 0, rx) })
	s.status.replaced(c)
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

// deliverSnapshot applies a snapshot's body on the fetch's goroutine.
func (s *Session) deliverSnapshot(id core.InstrumentID, body []byte) (live bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.lane.Frame(body, id, s.cfg.Clock.Now())
	return s.lane.Live(id), err
}

// duty serves the lane while its socket is quiet.
func (s *Session) duty() {
	s.mu.Lock()
	s.lane.Duty()
	s.mu.Unlock()
}
