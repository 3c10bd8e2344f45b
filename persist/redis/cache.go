package redis

import (
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/history"
)

// Cache keeps Redis up to date.
type Cache struct {
	cfg     Config
	option  rueidis.ClientOption
	keys    keys
	started core.Nanos

	client rueidis.Client // nil while there is no connection
	epoch  string         // what was written there last, "" when everything is to be written
	wrote  core.Nanos     // when that was

	// quotes and positions are what Redis has, if it has the epoch.
	quotes    []core.Quote // by instrument id
	positions map[positionKey]core.Position
	held      []history.Position // as of this interval
	cmds      []rueidis.Completed

	mu     sync.Mutex
	status Status
}

type positionKey struct {
	strategy   core.StrategyID
	instrument core.InstrumentID
	leg        core.Leg
}

// Status is how a Cache fares.
type Status struct {
	Connected bool   // the last write arrived
	LastError string // why it did not; the last one there was, also when Connected
	LastWrite core.Nanos

	Commands uint64 // answered by Redis
	Rewrites uint64 // times that everything was written
	Failures uint64 // times that the connection was given up
}

// New returns a Cache that has not connected yet.
//
// Errors: ErrConfig.
func New(cfg Config) (*Cache, error) {
	cfg.setDefaults()
	opt, err := cfg.option()
	if err != nil {
		return nil, err
	}
	return &Cache{cfg: cfg, option: opt, keys: keysBelow(cfg.Prefix), started: cfg.Clock.Now(),
		positions: make(map[positionKey]core.Position)}, nil
}

// Status returns how the cache fares. Any goroutine.
func (c *Cache) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Back-off between attempts to connect, doubled by each that fails; up to a half
// is added at random, so that many processes do not come back at once.
const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// Run keeps Redis up to date until ctx is done. Once.
func (c *Cache) Run(ctx context.Context) {
	defer c.disconnect()
	timer := time.NewTimer(0)
	defer timer.Stop()
	backoff := minBackoff
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		wait, wrote := c.cfg.Interval, c.wrote
		switch err := c.once(ctx); {
		case err == nil && c.wrote == wrote:
			backoff = minBackoff // two that fight over a prefix write everything each time
		case err != nil && ctx.Err() == nil:
			c.failed(err)
			wait = backoff + mathrand.N(backoff/2)
			backoff = min(2*backoff, maxBackoff)
		}
		timer.Reset(wait)
	}
}

// once writes what has changed, over a new connection if there is none.
func (c *Cache) once(ctx context.Context) error {
	if c.client == nil {
		client, err := rueidis.NewClient(c.option)
		if err != nil {
			return err
		}
		c.client = client
	}
	return c.write(ctx)
}

// failed gives the connection up: nobody knows what has been written.
func (c *Cache) failed(err error) {
	c.disconnect()
	c.epoch = ""
	c.mu.Lock()
	was := c.status.Connected
	first := c.status.Failures == 0
	c.status.Connected = false
	c.status.LastError = err.Error()
	c.status.Failures++
	c.mu.Unlock()
	if was || first {
		c.cfg.Log.Warn("redis: quotes and positions are not shown to other processes", zap.Error(err))
	}
}

func (c *Cache) disconnect() {
	if c.client != nil {
		c.client.Close()
		c.client = nil
	}
}

// succeeded notes a write that arrived.
func (c *Cache) succeeded(now core.Nanos, commands int, all bool) {
	c.mu.Lock()
	back := !c.status.Connected
	c.status.Connected = true
	c.status.LastWrite = now
	c.status.Commands += uint64(commands)
	if all {
		c.status.Rewrites++
	}
	c.mu.Unlock()
	if back {
		c.cfg.Log.Info("redis: connected", zap.Strings("address", c.option.InitAddress))
	}
}

// ErrForeign is the status of a cache that finds another one's epoch again and
// again: two processes show their quotes under one prefix.
var ErrForeign = errors.New("redis: another process writes keys of this prefix")

func newEpoch() string { return rand.Text() }
