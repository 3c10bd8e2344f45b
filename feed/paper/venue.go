package paper

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/ringbuf"
)

// DefaultCommandCapacity is how many commands wait for the venue at most.
const DefaultCommandCapacity = 1 << 12

// patience bounds one wait, and so how late a command may arrive or an order
// expire while nothing else happens, and how late the end of the context is seen.
const patience = 2 * time.Millisecond

// shortest is the shortest wait: a due command may have to wait for the end of a
// run that its lane is just publishing.
const shortest = 20 * time.Microsecond

// Config is what a Venue is made of.
type Config struct {
	Settings Settings
	// Directory knows the instruments.
	Directory Instruments
	// Sources are the lanes that carry them.
	Sources []market.Source
	// Instruments are those whose books are asked for at the start; others are
	// picked up when the market speaks of them.
	Instruments []core.InstrumentID
	// Clock is read once a duty cycle.
	Clock core.Clock
	// Deliver hands a copy of a report to the engine, and returns false when the
	// engine's queue is full: the venue then waits and tries again, so that a
	// report is never lost. It is called on the venue's goroutine.
	Deliver func(*core.ExecReport) bool
	// Idle is how the venue's goroutine waits; the zero value is ringbuf's.
	Idle ringbuf.IdleStrategy
	// CommandCapacity is the command ring's; 0 is DefaultCommandCapacity.
	CommandCapacity int
}

// Venue is the paper venue: a gateway of the engine with a goroutine of its own.
type Venue struct {
	matcher  *Matcher
	tap      *market.Tap
	commands *ringbuf.SPSC[core.VenueCommand]
	waiter   *ringbuf.Waiter
	clock    core.Clock
	deliver  func(*core.ExecReport) bool

	running     atomic.Bool
	stopping    atomic.Bool
	undelivered atomic.Uint64
	backlog     func() float64

	// Those below are made once: a function value made anew for each call would
	// allocate.
	ready func() bool
	press func() bool
	event func(*core.Event, *book.Replica)
	next  core.VenueCommand
}

// New returns a venue that follows its sources from now on; it trades when Run
// does.
//
// Errors: ErrSettings.
func New(c Config) (*Venue, error) {
	if c.Directory == nil || c.Clock == nil || c.Deliver == nil {
		return nil, fmt.Errorf("%w: directory, clock and deliver are needed", ErrSettings)
	}
	if c.CommandCapacity == 0 {
		c.CommandCapacity = DefaultCommandCapacity
	}
	if c.CommandCapacity < 0 || c.CommandCapacity > maxTable {
		return nil, fmt.Errorf("%w: command capacity must be 1 to %d", ErrSettings, maxTable)
	}
	v := &Venue{
		commands: ringbuf.NewSPSC[core.VenueCommand](c.CommandCapacity),
		waiter:   ringbuf.NewWaiter(c.Idle),
		clock:    c.Clock,
		deliver:  c.Deliver,
	}
	v.tap = market.NewTap(c.Sources, v.waiter)
	v.backlog = v.tap.Backlog()
	matcher, err := NewMatcher(c.Settings, c.Directory, v.tap, v.report)
	if err != nil {
		v.tap.Close()
		return nil, err
	}
	matcher.execs = uint64(c.Clock.Now()) // above those of earlier runs, if clocks go forward
	v.matcher = matcher
	v.commands.Notify(v.waiter)
	v.ready = v.work
	v.press = v.pressed
	v.event = matcher.Event
	for _, id := range c.Instruments {
		v.tap.Request(id)
	}
	return v, nil
}

// doze is how long the market's events come together while no order is at the venue: to
// be woken for each would cost the lane that publishes it more than to publish it.
const doze = 250 * time.Microsecond

// behind is how many events of the market waiting keep the venue from dozing.
const behind = 256

// Submit puts a copy of c on its way to the venue, and returns false when its
// queue is full or the venue has stopped. The engine's goroutine only; it does
// not block.
func (v *Venue) Submit(c *core.VenueCommand) bool {
	return !v.stopping.Load() && v.commands.Push(c)
}

// Ready reports whether the venue trades. Any goroutine.
func (v *Venue) Ready() bool { return v.running.Load() && !v.stopping.Load() }

// Queued is how full the command ring is, 0 to 1. Any goroutine.
func (v *Venue) Queued() float64 { return float64(v.commands.Len()) / float64(v.commands.Cap()) }

// Backlog is how far the venue is behind the lane it is behind most, as a part of a lap
// of its ring, 0 to 1. Any goroutine.
func (v *Venue) Backlog() float64 { return v.backlog() }

// Run trades until ctx is done, then once more takes what was submitted and
// carries out what is due, and leaves its sources. Orders still open stay
// unreported: they die with the venue. It runs once.
func (v *Venue) Run(ctx context.Context) {
	defer v.tap.Close()
	stop := context.AfterFunc(ctx, func() {
		v.stopping.Store(true)
		v.waiter.Wake()
	})
	defer stop()
	v.running.Store(true)
	for !v.stopping.Load() {
		now := v.clock.Now()
		switch {
		case v.Duty(now) == 0:
			v.waiter.Wait(v.ready, v.pause(now))
		case v.matcher.Open() == 0: // nobody waits for what the market does
			v.waiter.Doze(v.press, min(doze, v.pause(now)))
		}
	}
	v.Duty(v.clock.Now())
	v.running.Store(false)
}

// Duty follows the market, takes the submitted commands and carries out what is
// due at now. It returns how much it did. Run calls it; a test may, instead.
func (v *Venue) Duty(now core.Nanos) int {
	n := v.tap.Poll(v.event)
	for !v.matcher.Full() && v.commands.Pop(&v.next) {
		v.matcher.Submit(&v.next, now)
		n++
	}
	return n + v.matcher.Advance(now)
}

// work reports whether there is something to do other than by the clock.
func (v *Venue) work() bool {
	return v.tap.Ready() || (v.commands.Ready() && !v.matcher.Full()) || v.stopping.Load()
}

// pressed reports whether there is no time to doze: somebody asks, or so much of the
// market waits that who dozes after each look at it is lapped.
func (v *Venue) pressed() bool {
	return v.stopping.Load() || v.commands.Ready() || v.tap.Lag() >= behind
}

// pause is how long to wait when there is nothing to do at now.
func (v *Venue) pause(now core.Nanos) time.Duration {
	due := v.matcher.NextDue()
	if due-now > core.Nanos(patience) {
		return patience
	}
	return max(time.Duration(due-now), shortest)
}

// A report is offered to a full queue every retryEvery. One that was offered
// lastTries times is given up once the context has ended, and with it all that
// follow: nobody is left to take them.
const (
	retryEvery = 100 * time.Microsecond
	firstTries = 16 // these only yield
	lastTries  = 2000
)

// report delivers a report, waiting while the engine's queue is full.
func (v *Venue) report(r *core.ExecReport) {
	if v.undelivered.Load() > 0 {
		v.undelivered.Add(1)
		return
	}
	for tries := 0; !v.deliver(r); tries++ {
		switch {
		case tries < firstTries:
			runtime.Gosched()
		case tries > lastTries && v.stopping.Load():
			v.undelivered.Add(1)
			return
		default:
			time.Sleep(retryEvery)
		}
	}
}
