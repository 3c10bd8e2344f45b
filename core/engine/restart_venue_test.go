package engine

import (
	"math/rand/v2"
	"slices"

	"qcat/core"
)

// exchange is a venue that behaves, and outlives the engines that trade on it: it
// keeps every order it was ever given, fills them whoever is connected, and tells
// what it knows when asked. The test decides what arrives and when.
type exchange struct {
	rng    *rand.Rand
	orders map[core.OrderID]*listed
	ids    []core.OrderID       // of orders, by arrival
	times  map[core.OrderID]int // how often each was entered
	exec   uint64
	qty    core.Qty // bought less sold
	trades int
}

// listed is an order at the exchange.
type listed struct {
	core.VenueCommand
	cum    core.Qty
	ended  core.ExecType // 0: open
	trades []core.ExecReport
}

func newExchange(seed uint64) *exchange {
	return &exchange{rng: rand.New(rand.NewPCG(seed, 7)), orders: map[core.OrderID]*listed{}, times: map[core.OrderID]int{}}
}

// session is one connection to the exchange and the gateway of one engine. What
// was sent and did not arrive when it breaks is lost, each way.
type session struct {
	x       *exchange
	there   []core.VenueCommand
	back    []core.ExecReport
	told    map[core.OrderID]bool // orders whose past has been told: only these go on
	lossy   bool                  // answers to questions may be lost
	asked   int
	cancels int
}

func (x *exchange) connect(lossy bool) *session {
	return &session{x: x, told: map[core.OrderID]bool{}, lossy: lossy}
}

func (s *session) Ready() bool { return true }

func (s *session) Submit(c *core.VenueCommand) bool {
	if len(s.there) >= 32 {
		return false
	}
	s.there = append(s.there, *c)
	return true
}

// arrive lets the exchange take the first n commands that are on their way.
func (s *session) arrive(n int) {
	n = min(n, len(s.there))
	for _, c := range s.there[:n] {
		s.take(c)
	}
	s.there = slices.Delete(s.there, 0, n)
}

// report sends a report on its way, unless the engine has not been told yet what
// came before: it is then part of the answer to the question.
func (s *session) report(r core.ExecReport) {
	if s != nil && s.told[r.Order] {
		s.back = append(s.back, r)
	}
}

func (s *session) take(c core.VenueCommand) {
	x := s.x
	o := x.orders[c.Order]
	open := o != nil && o.ended == 0
	switch c.Op {
	case core.VenueNew:
		x.times[c.Order]++
		x.orders[c.Order] = &listed{VenueCommand: c}
		x.ids = append(x.ids, c.Order)
		s.told[c.Order] = true
		s.report(x.stamp(core.ExecReport{Type: core.ExecNew, Order: c.Order}))
	case core.VenueStatus:
		s.asked++
		if !s.lossy || x.rng.IntN(3) > 0 {
			s.answer(c, o)
		}
	case core.VenueCancel:
		s.cancels++
		if open {
			o.ended = core.ExecCancelled
			s.report(x.stamp(core.ExecReport{Type: core.ExecCancelled, Order: c.Order}))
			return
		}
		s.report(x.stamp(core.ExecReport{Type: core.ExecCancelRejected, Order: c.Order, VenueCode: uint16(core.VenueReasonUnknownOrder)}))
	case core.VenueAmend:
		r := core.ExecReport{Type: core.ExecReplaceRejected, Order: c.Order, VenueCode: uint16(core.VenueReasonInvalid)}
		switch {
		case !open:
			r.VenueCode = uint16(core.VenueReasonUnknownOrder)
		case c.Qty > o.cum && x.rng.IntN(4) > 0:
			o.Price, o.Qty = c.Price, c.Qty
			r = core.ExecReport{Type: core.ExecReplaced, Order: c.Order, Price: c.Price, Qty: c.Qty}
		}
		s.report(x.stamp(r))
	}
}

// answer tells what the exchange knows: what became of an amend, the trades that are
// not recorded, the end.
func (s *session) answer(c core.VenueCommand, o *listed) {
	s.told[c.Order] = true
	if o == nil {
		r := core.ExecReport{Type: core.ExecRejected, Order: c.Order, VenueCode: uint16(core.VenueReasonUnknownOrder)}
		if c.Acked {
			r.Type = core.ExecCancelled
		}
		s.report(r)
		return
	}
	alive := core.ExecReport{Type: core.ExecNew, Order: c.Order}
	if c.Amending {
		alive.Type = core.ExecReplaceRejected
		if o.Price != c.Price || o.Qty != c.Qty {
			alive.Type, alive.Price, alive.Qty = core.ExecReplaced, o.Price, o.Qty
		}
	}
	s.report(alive)
	for _, r := range o.trades {
		if r.VenueExecID > c.VenueExecID {
			s.report(r)
		}
	}
	if o.ended != 0 && o.cum < o.Qty {
		s.report(core.ExecReport{Type: o.ended, Order: c.Order})
	}
}

func (x *exchange) stamp(r core.ExecReport) core.ExecReport {
	x.exec++
	r.VenueExecID = x.exec
	return r
}

// random is an open order, or nil.
func (x *exchange) random() *listed {
	var open []*listed
	for _, id := range x.ids {
		if o := x.orders[id]; o.ended == 0 && o.cum < o.Qty {
			open = append(open, o)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return open[x.rng.IntN(len(open))]
}

// fill trades qty of an order; s is who is connected, or nil.
func (x *exchange) fill(o *listed, qty core.Qty, s *session) {
	if qty = min(qty, o.Qty-o.cum); qty <= 0 || o.ended != 0 {
		return
	}
	o.cum += qty
	x.qty += core.Qty(o.Side.Sign()) * qty
	x.trades++
	r := x.stamp(core.ExecReport{Type: core.ExecTrade, Order: o.Order, LastPx: o.Price, LastQty: qty, Fee: 1, Liquidity: core.Maker})
	o.trades = append(o.trades, r)
	if o.cum == o.Qty {
		o.ended = core.ExecTrade // nothing more is told of it
	}
	s.report(r)
}
