package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"qcat/core"
	"qcat/risk"
)

// floodJournal is a memory journal that is slow, has no room, or breaks, as the test
// says from another goroutine. While it is slow it commits when somebody says so.
type floodJournal struct {
	*MemoryJournal
	mode      atomic.Int32
	committed atomic.Uint64
	tell      atomic.Pointer[func()]
}

const (
	journalGood = iota
	journalSlow
	journalFull
	journalBroken
)

func (j *floodJournal) Append(rec []byte) (uint64, error) {
	switch j.mode.Load() {
	case journalFull:
		return 0, fmt.Errorf("no space: %w", ErrFull)
	case journalBroken:
		return 0, errBroken
	}
	return j.MemoryJournal.Append(rec)
}

func (j *floodJournal) Flush() error {
	if j.mode.Load() != journalSlow {
		j.commit()
	}
	return nil
}

func (j *floodJournal) Publish() error { return j.Flush() }

func (j *floodJournal) commit() {
	j.committed.Store(j.MemoryJournal.Committed())
	if f := j.tell.Load(); f != nil {
		(*f)()
	}
}

func (j *floodJournal) Committed() uint64 { return j.committed.Load() }
func (j *floodJournal) Notify(f func())   { j.tell.Store(&f) }

// floodVenue keeps what it is sent, in order, and does it; it answers from a goroutine
// of its own. Amends it leaves pending until the next of the order or its cancel. Of
// three cancels it rejects one, when it may, and of five commands it takes one later.
type floodVenue struct {
	e       *Engine
	rejects bool

	mu     sync.Mutex
	live   map[core.OrderID]core.VenueCommand
	killed []risk.Scope // whose kill has been answered
	wrong  []core.VenueCommand
	news   int
	offers int
	stuck  bool // it takes nothing
	asked  map[core.OrderID]int
	back   []core.ExecReport
	more   chan struct{}
}

func newFloodVenue(rejects bool) *floodVenue {
	return &floodVenue{rejects: rejects, live: map[core.OrderID]core.VenueCommand{}, asked: map[core.OrderID]int{},
		more: make(chan struct{}, 1)}
}

// floodStrategies is how many strategies there are: an order's quantity says whose it
// is, for a command does not.
const floodStrategies = 4

func floodOrder(c *core.VenueCommand) core.Order {
	return core.Order{Account: c.Account, Instrument: c.Instrument, Strategy: core.StrategyID(1 + c.Qty%floodStrategies)}
}

func (v *floodVenue) Ready() bool { return true }

func (v *floodVenue) Submit(c *core.VenueCommand) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.offers++; v.stuck || v.offers%5 == 0 {
		return false
	}
	o := floodOrder(c)
	dead := slices.ContainsFunc(v.killed, func(s risk.Scope) bool { return inScope(s, &o) })
	if dead && (c.Op == core.VenueNew || c.Op == core.VenueAmend) {
		v.wrong = append(v.wrong, *c)
	}
	v.take(c)
	select {
	case v.more <- struct{}{}:
	default:
	}
	return true
}

func (v *floodVenue) take(c *core.VenueCommand) {
	r := core.ExecReport{Order: c.Order, Instrument: c.Instrument}
	_, live := v.live[c.Order]
	switch {
	case c.Op == core.VenueNew:
		v.live[c.Order] = *c
		v.news++
		r.Type = core.ExecNew
	case c.Op == core.VenueAmend && live:
		if v.asked[c.Order]++; v.asked[c.Order]%2 == 1 {
			return
		}
		r.Type, r.Price, r.Qty = core.ExecReplaced, c.Price, c.Qty
	case c.Op == core.VenueCancel && live:
		if v.asked[c.Order]++; v.rejects && v.asked[c.Order]%3 == 1 {
			r.Type, r.VenueCode = core.ExecCancelRejected, uint16(core.VenueReasonUnavailable)
			break
		}
		delete(v.live, c.Order)
		r.Type = core.ExecCancelled
	default:
		r.Type, r.VenueCode = core.ExecCancelRejected, uint16(core.VenueReasonUnavailable)
	}
	v.back = append(v.back, r)
}

// stall has the venue take nothing, or go on.
func (v *floodVenue) stall(stuck bool) {
	v.mu.Lock()
	v.stuck = stuck
	v.mu.Unlock()
}

// run sends the answers.
func (v *floodVenue) run(ctx context.Context) {
	for ctx.Err() == nil {
		v.mu.Lock()
		back := v.back
		v.back = nil
		v.mu.Unlock()
		for i := range back {
			for c := (Command{Kind: CmdReport, Report: back[i]}); !v.e.Submit(&c) && ctx.Err() == nil; {
				v.e.waiter.Wake()
			}
		}
		select {
		case <-ctx.Done():
		case <-v.more:
		}
	}
}

// lives counts the orders of a scope that the venue has.
func (v *floodVenue) lives(s risk.Scope) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.live {
		o := floodOrder(&c)
		n += boolToInt(inScope(s, &o))
	}
	return n
}

// killSink marks a scope as killed on the engine's goroutine, at the moment at which
// its kill is answered.
type killSink struct {
	venue    *floodVenue
	scope    risk.Scope
	answered chan Reply
}

func (s *killSink) Deliver(r *Reply) {
	s.venue.mu.Lock()
	s.venue.killed = append(s.venue.killed, s.scope)
	s.venue.mu.Unlock()
	s.answered <- *r
}

var errFlood = errors.New("the flood did not reach the engine")
