package feed

import (
	"context"
	"time"

	"go.uber.org/zap"

	"qcat/core"
)

// supervisor looks after a link's connection and its replacement. It runs on the
// goroutine of link.run.
type supervisor struct {
	l       *link
	current *connection
	next    *connection // connected and parked, or nil

	opening   chan opened // receives the replacement, or why there is none; nil when idle
	cancel    context.CancelFunc
	notBefore core.Nanos // when a replacement may be tried again
	attempts  int
	doomed    error // why current is being closed, if it is us who closes it
}

// opened is the outcome of opening a replacement.
type opened struct {
	c   *connection
	err error
}

// supervise returns when no connection is left, with the reason. It closes what
// is open, says so to what depends on the link, and leaves no goroutine but the
// readers, which are ending.
func (l *link) supervise(ctx context.Context, c *connection) error {
	v := &supervisor{l: l, current: c}
	err := v.run(ctx)
	l.disconnected()
	v.abandonNext()
	v.current.shut()
	return err
}

func (v *supervisor) run(ctx context.Context) error {
	tick := time.NewTicker(v.l.s.cfg.DutyEvery)
	defer tick.Stop()
	for {
		var nextDone chan struct{}
		if v.next != nil {
			nextDone = v.next.done
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.current.done:
			if err := v.currentDied(); err != nil {
				return err
			}
		case <-nextDone:
			// One that took over by itself is the current one, and its end is ours.
			if v.noticeTakeOver(); v.next != nil {
				v.nextFailed(v.next.err)
			}
		case o := <-v.opening:
			if err := v.opened(o); err != nil {
				return err
			}
		case <-tick.C:
			v.tick(ctx)
		}
	}
}

// tick looks at the clock: dead connections, pings, age, and the moment to
// switch over.
func (v *supervisor) tick(ctx context.Context) {
	now := v.l.s.cfg.Clock.Now()
	p := v.l.s.policy
	v.noticeTakeOver()
	for _, c := range []*connection{v.current, v.next} {
		if c == nil {
			continue
		}
		err := c.overdue(now, p)
		if err == nil && now >= after(c.pinged, p.PingEvery) {
			err = c.ping(now)
		}
		if err != nil {
			if c == v.current && v.doomed == nil {
				v.doomed = err
			}
			c.sock.close() // its reader ends, and we hear of it
		}
	}
	switch {
	case v.next != nil:
		if first := v.next.firstData.Load(); first != 0 && now >= after(core.Nanos(first), p.Overlap) {
			v.switchOver()
		}
	case v.opening == nil && now >= max(v.current.expires, v.notBefore):
		v.openNext(ctx)
	}
}

// openNext connects and subscribes the replacement in the background.
func (v *supervisor) openNext(ctx context.Context) {
	ctx, v.cancel = context.WithCancel(ctx)
	result := make(chan opened, 1)
	v.opening = result
	l := v.l
	l.log.Info("feed connection is being replaced")
	l.readers.Go(func() {
		c, err := l.dial(ctx)
		if err == nil {
			l.start(c)
			if err = l.subscribe(ctx, c); err != nil {
				c.shut()
				c = nil
			}
		}
		result <- opened{c, err}
	})
}

// opened takes the replacement in. One that failed after it had taken over by
// itself leaves no connection whose frames are applied: the current one is retired
// and its frames since are lost. Then opened returns why it failed.
func (v *supervisor) opened(o opened) error {
	v.opening = nil
	v.cancel()
	if o.err == nil {
		v.next = o.c
		return nil
	}
	v.l.s.mu.Lock()
	retired := v.l.active != v.current
	v.l.s.mu.Unlock()
	if retired {
		return o.err
	}
	v.nextFailed(o.err)
	return nil
}

// nextFailed gives the replacement up; the current connection goes on, and
// another attempt is made later.
func (v *supervisor) nextFailed(err error) {
	if v.next != nil {
		v.next.shut()
		v.next = nil
	}
	v.attempts++
	wait := v.l.s.cfg.Reconnect.Wait(v.attempts)
	v.notBefore = after(v.l.s.cfg.Clock.Now(), wait)
	v.l.log.Warn("feed connection could not be replaced yet", zap.Error(err), zap.Duration("again_in", wait))
}

// switchOver makes the replacement the current connection and closes the old one.
func (v *supervisor) switchOver() {
	v.l.s.mu.Lock()
	if v.next.role == roleParked {
		v.l.takeOver(v.next)
	}
	v.l.s.mu.Unlock()
	old := v.current
	v.current, v.next = v.next, nil
	v.attempts, v.doomed = 0, nil
	old.shut()
	v.l.log.Info("feed connection replaced")
}

// noticeTakeOver follows a replacement that had to take over by itself because
// it had no more room for parked frames.
func (v *supervisor) noticeTakeOver() {
	if v.next == nil {
		return
	}
	v.l.s.mu.Lock()
	done := v.next.role == roleActive
	v.l.s.mu.Unlock()
	if done {
		v.switchOver()
	}
}

// currentDied switches to a replacement that delivers already, and returns why
// the connection ended when there is none.
func (v *supervisor) currentDied() error {
	err := v.current.err
	if v.doomed != nil {
		err = v.doomed
	}
	if v.next == nil || v.next.firstData.Load() == 0 {
		return err
	}
	v.l.log.Warn("feed connection died while it was being replaced", zap.Error(err))
	v.switchOver()
	return nil
}

// abandonNext closes the replacement, whatever state it is in.
func (v *supervisor) abandonNext() {
	if v.opening != nil {
		v.cancel()
		if o := <-v.opening; o.c != nil {
			o.c.shut()
		}
	}
	if v.next != nil {
		v.next.shut()
	}
}
