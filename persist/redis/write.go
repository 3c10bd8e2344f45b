package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"qcat/core"
	"qcat/core/history"
)

// Version is the version of the layout of keys and fields, as qcat:meta has it.
const Version = "2"

// chunk is how many commands are sent at once when everything is written.
const chunk = 512

// foreignPause is the least time between two rewrites over another's epoch.
const foreignPause = core.Nanos(time.Second)

// write sends what has changed, or everything when Redis does not have what was
// written last.
func (c *Cache) write(ctx context.Context) error {
	now := c.cfg.Clock.Now()
	if c.epoch == "" {
		return c.rewrite(ctx, now)
	}
	c.cmds = append(c.cmds[:0], c.cmd("HGET", c.keys.meta, "epoch"))
	c.changes(now)
	c.cmds = append(c.cmds, c.cmd("HSET", c.keys.meta, "updated", decimal(int64(now))))
	answers, err := c.send(ctx, c.cmds)
	if err != nil {
		return err
	}
	epoch, err := answers[0].ToString()
	switch {
	case err == nil && epoch == c.epoch:
		c.succeeded(now, len(answers), false)
		return nil
	case err == nil && now-c.wrote < foreignPause:
		return ErrForeign
	}
	return c.rewrite(ctx, now) // gone, or another's
}

// rewrite writes everything, deletes what an earlier process left, and puts an
// epoch there last of all.
func (c *Cache) rewrite(ctx context.Context, now core.Nanos) error {
	c.epoch, c.quotes = "", c.quotes[:0]
	clear(c.positions)
	c.cmds = append(c.cmds[:0], c.cmd("SMEMBERS", c.keys.quotes), c.cmd("SMEMBERS", c.keys.positions))
	answers, err := c.send(ctx, c.cmds)
	if err != nil {
		return err
	}
	count := len(answers)
	quotes, err := answers[0].AsStrSlice()
	if err != nil {
		return err
	}
	positions, err := answers[1].AsStrSlice()
	if err != nil {
		return err
	}
	c.cmds = c.cmds[:0]
	c.changes(now)
	c.forget(quotes, positions)
	epoch := newEpoch()
	c.cmds = append(c.cmds, c.cmd("HSET", c.keys.meta, "version", Version, "started", decimal(int64(c.started)),
		"updated", decimal(int64(now)), "epoch", epoch))
	for part := range slices.Chunk(c.cmds, chunk) {
		if _, err := c.send(ctx, part); err != nil {
			return err
		}
		count += len(part)
	}
	c.epoch, c.wrote = epoch, now
	c.succeeded(now, count, true)
	return nil
}

// changes appends the commands that bring Redis from what it had to what is now.
func (c *Cache) changes(now core.Nanos) {
	for _, in := range c.cfg.Directory.Instruments() {
		c.quote(in, now)
	}
	if c.cfg.Positions == nil {
		return
	}
	c.held = c.cfg.Positions(c.held[:0])
	for i := range c.held {
		c.position(&c.held[i], now)
	}
}

func (c *Cache) quote(in *core.Instrument, now core.Nanos) {
	var q core.Quote
	if !c.cfg.Quotes.Load(in.ID, &q) {
		return
	}
	for int(in.ID) >= len(c.quotes) {
		c.quotes = append(c.quotes, core.Quote{})
	}
	had := &c.quotes[in.ID]
	if *had == q {
		return
	}
	if *had == (core.Quote{}) {
		c.cmds = append(c.cmds, c.cmd("SADD", c.keys.quotes, in.Name()))
	}
	*had = q
	c.cmds = append(c.cmds, c.cmd("HSET", c.keys.quote(in.Name()), quoteFields(in, &q, now)...))
}

func (c *Cache) position(p *history.Position, now core.Nanos) {
	key := positionKey{p.Strategy, p.Instrument, p.Leg}
	had, ok := c.positions[key]
	if ok && had == p.Position {
		return
	}
	member, fields := positionFields(c.cfg.Directory, p, now)
	if member == "" {
		return
	}
	if !ok {
		c.cmds = append(c.cmds, c.cmd("SADD", c.keys.positions, member))
	}
	c.positions[key] = p.Position
	c.cmds = append(c.cmds, c.cmd("HSET", c.keys.position(member), fields...))
}

// forget deletes the members that are not written now.
func (c *Cache) forget(quotes, positions []string) {
	for _, name := range quotes {
		in := c.cfg.Directory.InstrumentNamed(name)
		if in == nil || int(in.ID) >= len(c.quotes) || c.quotes[in.ID] == (core.Quote{}) {
			c.cmds = append(c.cmds, c.cmd("SREM", c.keys.quotes, name), c.cmd("DEL", c.keys.quote(name)))
		}
	}
	written := make(map[string]bool, len(c.held))
	for i := range c.held {
		member, _ := positionFields(c.cfg.Directory, &c.held[i], 0)
		written[member] = true
	}
	for _, member := range positions {
		if !written[member] {
			c.cmds = append(c.cmds, c.cmd("SREM", c.keys.positions, member), c.cmd("DEL", c.keys.position(member)))
		}
	}
}

// send carries out a pipeline; one answer that is an error fails it, except that a
// key that is not there is none.
func (c *Cache) send(ctx context.Context, cmds []rueidis.Completed) ([]rueidis.RedisResult, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	answers := c.client.DoMulti(ctx, cmds...)
	for i := range answers {
		if err := answers[i].Error(); err != nil && !rueidis.IsRedisNil(err) {
			if errors.Is(err, context.DeadlineExceeded) {
				err = errors.New("redis: no answer within " + c.cfg.Timeout.String())
			}
			return nil, err
		}
	}
	return answers, nil
}

func (c *Cache) cmd(name, key string, args ...string) rueidis.Completed {
	return c.client.B().Arbitrary(name).Keys(key).Args(args...).Build()
}

func decimal(v int64) string { return strconv.FormatInt(v, 10) }
