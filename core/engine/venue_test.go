package engine

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"qcat/core"
	"qcat/ringbuf"
)

// randomVenue is a venue that does anything a venue may: acknowledges or not,
// fills in parts, rejects, cancels late, confirms amends, repeats itself and goes
// away for a while. It has a goroutine of its own.
type randomVenue struct {
	ring *ringbuf.SPSC[core.VenueCommand]
	away bool
	e    *Engine
	in   *ringbuf.Waiter
	ctx  context.Context

	mu   sync.Mutex // guards away
	rng  *rand.Rand
	exec uint64
	live []core.VenueCommand
	cum  map[core.OrderID]core.Qty
}

func newRandomVenue(seed uint64) *randomVenue {
	v := &randomVenue{ring: ringbuf.NewSPSC[core.VenueCommand](256), in: ringbuf.NewWaiter(ringbuf.Park),
		rng: rand.New(rand.NewPCG(seed, 99)), cum: map[core.OrderID]core.Qty{}}
	v.ring.Notify(v.in)
	return v
}

func (v *randomVenue) Submit(c *core.VenueCommand) bool { return v.ring.Push(c) }

func (v *randomVenue) Ready() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.away
}

func (v *randomVenue) run(ctx context.Context) {
	v.ctx = ctx
	var c core.VenueCommand
	for ctx.Err() == nil {
		for v.ring.Pop(&c) {
			v.take(c)
		}
		v.act()
		v.in.Wait(v.ring.Ready, 100*time.Microsecond)
	}
}

func (v *randomVenue) report(r core.ExecReport) {
	v.exec++
	r.VenueExecID = v.exec
	cmd := Command{Kind: CmdReport, Report: r}
	for range 1 + v.rng.IntN(8)/7 { // now and then twice
		for !v.e.Submit(&cmd) && v.ctx.Err() == nil {
			time.Sleep(10 * time.Microsecond)
		}
	}
}

func (v *randomVenue) take(c core.VenueCommand) {
	at := slices.IndexFunc(v.live, func(o core.VenueCommand) bool { return o.Order == c.Order })
	rep := core.ExecReport{Order: c.Order, Instrument: c.Instrument}
	switch {
	case c.Op == core.VenueNew && v.rng.IntN(20) == 0:
		rep.Type, rep.VenueCode = core.ExecRejected, uint16(core.VenueReasonInvalid)
	case c.Op == core.VenueNew:
		rep.Type = core.ExecNew
		v.live = append(v.live, c)
	case c.Op == core.VenueStatus && at >= 0:
		rep.Type = core.ExecNew
	case c.Op == core.VenueStatus:
		rep.Type, rep.VenueCode = core.ExecCancelled, uint16(core.VenueReasonUnknownOrder)
	case c.Op == core.VenueCancel && (at < 0 || v.rng.IntN(10) == 0):
		rep.Type, rep.VenueCode = core.ExecCancelRejected, uint16(core.VenueReasonUnknownOrder)
	case c.Op == core.VenueCancel:
		rep.Type = core.ExecCancelled
		o := v.live[at]
		v.live = slices.Delete(v.live, at, at+1)
		if left := o.Qty - v.cum[o.Order]; left > 0 && v.rng.IntN(10) == 0 {
			defer v.fill(o, left) // after the confirmation
		}
	case at < 0 || c.Qty <= v.cum[c.Order] || v.rng.IntN(5) == 0:
		rep.Type = core.ExecReplaceRejected
	default:
		rep.Type, rep.Price, rep.Qty = core.ExecReplaced, c.Price, c.Qty
		v.live[at].Price, v.live[at].Qty = c.Price, c.Qty
	}
	v.report(rep)
}

func (v *randomVenue) fill(o core.VenueCommand, qty core.Qty) {
	v.cum[o.Order] += qty
	v.report(core.ExecReport{Type: core.ExecTrade, Order: o.Order, Instrument: o.Instrument, LastPx: o.Price, LastQty: qty,
		Fee: core.Notional(v.rng.IntN(9) - 3), Liquidity: core.Maker})
}

// act fills something, or goes away and comes back.
func (v *randomVenue) act() {
	v.mu.Lock()
	v.away = v.rng.IntN(100) == 0
	v.mu.Unlock()
	for range min(len(v.live), 8) {
		v.fillOne()
	}
}

func (v *randomVenue) fillOne() {
	if len(v.live) == 0 {
		return
	}
	i := v.rng.IntN(len(v.live))
	o := v.live[i]
	left := o.Qty - v.cum[o.Order]
	if left > 0 {
		v.fill(o, 1+core.Qty(v.rng.Int64N(int64(left))))
	}
	if v.cum[o.Order] >= o.Qty {
		v.live = slices.Delete(v.live, i, i+1)
	}
}
