package feed

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"qcat/core"
)

// link keeps one address of the venue connected on behalf of a Session, and
// hands its frames to the session's lane.
type link struct {
	s       *Session
	streams Streams
	depends dependant
	address string // the URL without what is subscribed to
	log     *zap.Logger

	active  *connection // guarded by Session.mu
	readers sync.WaitGroup
	status  linkState
}

// dependant is what stands and falls with a link.
type dependant interface {
	// connected is called with Session.mu held, before the first frame is read.
	connected()
	// subscribed is called, without Session.mu, when all streams were asked for.
	subscribed()
	// disconnected is called with Session.mu held when no connection is left.
	disconnected(now core.Nanos)
}

// nothing depends on an auxiliary link: what it carries is absolute, and told
// too old by its age.
type nothing struct{}

var _ dependant = nothing{}

func (nothing) connected()              {}
func (nothing) subscribed()             {}
func (nothing) disconnected(core.Nanos) {}

func newLink(s *Session, streams Streams, depends dependant) *link {
	address, _, _ := strings.Cut(streams.StreamURL(), "?")
	return &link{
		s: s, streams: streams, depends: depends, address: address,
		log: s.cfg.Log.With(zap.String("lane", s.lane.Name()), zap.String("address", address)),
	}
}

// run keeps the link connected until ctx is done.
func (l *link) run(ctx context.Context) {
	attempts := 0
	for ctx.Err() == nil {
		lived, err := l.connectAndServe(ctx)
		if ctx.Err() != nil {
			return
		}
		if lived >= l.s.cfg.StableAfter {
			attempts = 0
		}
		attempts++
		wait := l.s.cfg.Reconnect.Wait(attempts)
		l.status.failed(err)
		l.log.Warn("feed disconnected", zap.Error(err), zap.Int("attempt", attempts), zap.Duration("again_in", wait))
		if sleep(ctx, wait) != nil {
			return
		}
	}
}

// connectAndServe runs one unbroken connection, its replacements included, and
// returns how long it lived and why it ended.
func (l *link) connectAndServe(ctx context.Context) (time.Duration, error) {
	c, err := l.dial(ctx)
	if err != nil {
		return 0, err
	}
	l.connected(c)
	l.start(c)
	defer l.readers.Wait()
	if err := l.subscribe(ctx, c); err != nil {
		l.disconnected()
		c.shut()
		return 0, err
	}
	l.depends.subscribed()
	err = l.supervise(ctx, c)
	return time.Duration(l.s.cfg.Clock.Now() - c.opened), err
}

// dial opens a connection to the link's address.
func (l *link) dial(ctx context.Context) (*connection, error) {
	return dial(ctx, l.streams.StreamURL(), l.s.policy, l.s.cfg.Clock)
}

// subscribe asks for the streams that the URL does not name.
func (l *link) subscribe(ctx context.Context, c *connection) error {
	return c.subscribe(ctx, l.streams.Subscribe(), l.s.policy.SubscribeInterval)
}

// start runs the connection's reader.
func (l *link) start(c *connection) { l.readers.Go(func() { c.read(l.deliver) }) }

// connected makes c the link's connection, before its first frame is read.
func (l *link) connected(c *connection) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	c.role = roleActive
	l.active = c
	l.depends.connected()
	l.status.connected(l.s.cfg.Clock.Now(), c)
	l.log.Info("feed connected")
}

// disconnected says that no connection is left.
func (l *link) disconnected() {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.active != nil {
		l.active.role = roleRetired
		l.active = nil
	}
	now := l.s.cfg.Clock.Now()
	l.depends.disconnected(now)
	l.status.disconnected(now)
}

// deliver takes one frame from a connection's reader goroutine.
func (l *link) deliver(c *connection, frame []byte, rx core.Nanos) {
	l.s.mu.Lock()
	switch c.role {
	case roleActive:
		l.s.apply(frame, 0, rx)
	case roleParked:
		if !c.parked.put(frame, rx) {
			l.takeOver(c)
			l.s.apply(frame, 0, rx)
		}
	case roleRetired:
	}
	l.s.mu.Unlock()
}

// takeOver makes c the active connection in place of the one that is: it applies
// what c had parked. The caller holds Session.mu.
func (l *link) takeOver(c *connection) {
	if l.active != nil {
		l.active.role = roleRetired
	}
	l.active = c
	c.role = roleActive
	c.parked.drain(func(frame []byte, rx core.Nanos) { l.s.apply(frame, 0, rx) })
	l.status.replaced(c)
}
