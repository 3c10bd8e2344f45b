package calls

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/ringbuf"
)

// Call is one request that was answered. Method and Route come from lists that the
// program has: they are kept for as long as the ring is.
type Call struct {
	Method, Route string
	Status        int
	Took          time.Duration
	At            core.Nanos // when it was answered
	User, Key     string     // "" for nobody, and for no key
	Address       netip.Addr
}

// Config is what a Log works with.
type Config struct {
	Log   *zap.Logger   // without sampling
	Lines int           // a second; beyond them calls are merged
	Ring  int           // calls that wait at most; default DefaultRing
	Every time.Duration // between two looks at the ring; default DefaultEvery
	Clock core.Clock    // that Call.At is read from
}

// Defaults of Config.
const (
	// DefaultRing is what some 200 000 requests a second leave between two looks.
	DefaultRing  = 1 << 14
	DefaultEvery = 50 * time.Millisecond
)

// batch is how many calls are taken out of the ring at once.
const batch = 256

// Log is the log of API calls. A nil Log takes calls and forgets them.
type Log struct {
	cfg  Config
	ring *ringbuf.MPSC[Call]
	lost atomic.Uint64

	// Run's goroutine owns what follows.
	second int64         // that lines are counted in
	lines  int           // of this second
	merged map[kind]*sum // calls of this second beyond them
	order  []kind        // of merged, as they came
	taken  [batch]Call
}

// kind is what merged calls have in common.
type kind struct {
	method, route string
	status        int
}

// sum is what is said of merged calls.
type sum struct {
	calls int
	most  time.Duration // that one of them took
}

// New returns a log; Run writes it.
func New(cfg Config) *Log {
	if cfg.Ring <= 0 {
		cfg.Ring = DefaultRing
	}
	if cfg.Every <= 0 {
		cfg.Every = DefaultEvery
	}
	if cfg.Clock == nil {
		cfg.Clock = core.SystemClock()
	}
	return &Log{cfg: cfg, ring: ringbuf.NewMPSC[Call](cfg.Ring), merged: map[kind]*sum{}}
}

// Add leaves a copy of c to be logged. Any goroutine; it does not wait, lock or allocate.
func (l *Log) Add(c *Call) {
	if l != nil && !l.ring.Put(c) {
		l.lost.Add(1)
	}
}

// Lost is how many calls found no room. Any goroutine.
func (l *Log) Lost() uint64 {
	if l == nil {
		return 0
	}
	return l.lost.Load()
}

// Waiting is how full the ring is, 0 to 1. Any goroutine.
func (l *Log) Waiting() float64 { return float64(l.ring.Len()) / float64(l.ring.Cap()) }

// Run logs until ctx is done, and then what is left. It runs once.
func (l *Log) Run(ctx context.Context) {
	tick := time.NewTicker(l.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			l.drain(0)
			l.flush()
			return
		case <-tick.C:
			l.drain(l.cfg.Clock.Now())
		}
	}
}

// drain takes out everything there is. now ends a second in which no later call came.
func (l *Log) drain(now core.Nanos) {
	for {
		n := l.ring.PopBatch(l.taken[:])
		for i := range l.taken[:n] {
			l.take(&l.taken[i])
			l.taken[i] = Call{} // keeps nobody's name
		}
		if n < batch {
			break
		}
	}
	if now > 0 && len(l.order) > 0 && int64(now)/int64(time.Second) > l.second+1 {
		l.flush() // a call of that second that comes now was answered a second ago
	}
}

// take logs a call, or merges it with others of its second.
func (l *Log) take(c *Call) {
	if second := int64(c.At) / int64(time.Second); second > l.second {
		l.flush()
		l.second, l.lines = second, 0
	}
	if l.lines < l.cfg.Lines {
		l.lines++
		l.cfg.Log.Info(message, fields(c)...)
		return
	}
	k := kind{c.Method, c.Route, c.Status}
	s := l.merged[k]
	if s == nil {
		s = &sum{}
		l.merged[k], l.order = s, append(l.order, k)
	}
	s.calls++
	s.most = max(s.most, c.Took)
}

// message is what is looked for.
const message = "API call"

func fields(c *Call) []zap.Field {
	f := []zap.Field{zap.String("method", c.Method), zap.String("route", c.Route), zap.Int("status", c.Status), zap.Duration("took", c.Took)}
	if c.User != "" {
		f = append(f, zap.String("user", c.User))
	}
	if c.Key != "" {
		f = append(f, zap.String("key", c.Key))
	}
	if c.Address.IsValid() {
		f = append(f, zap.Stringer("address", c.Address))
	}
	return f
}

// flush logs what was merged.
func (l *Log) flush() {
	for _, k := range l.order {
		s := l.merged[k]
		l.cfg.Log.Info(message, zap.String("method", k.method), zap.String("route", k.route), zap.Int("status", k.status),
			zap.Int("calls", s.calls), zap.Duration("slowest", s.most))
	}
	clear(l.merged)
	l.order = l.order[:0]
}
