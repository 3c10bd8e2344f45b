package main

import (
	"context"
	"time"

	"qcat/api/metrics"
	"qcat/core/engine"
	"qcat/risk"
)

// levelNames are the levels of the limit tree as metrics have them.
var levelNames = [risk.LevelInstrument + 1]string{
	risk.LevelFirm: "firm", risk.LevelAccount: "account", risk.LevelStrategy: "strategy", risk.LevelInstrument: "instrument",
}

// registerOrders puts on /metrics what became of orders, and why.
func registerOrders(r *metrics.Registry, t *engine.Tally) {
	for request := range engine.NumRequests {
		for outcome := range engine.NumOutcomes {
			if outcome == engine.Duplicate && request != engine.RequestNew {
				continue // a repeated amend or cancel is one like any other
			}
			r.Counter("qcat_orders_total", "Orders, amends and cancels by what became of them.",
				metrics.Labels{"kind": request.String(), "outcome": outcome.String()}, func() uint64 { return t.Orders(request, outcome) })
		}
	}
	for i, code := range risk.Codes() {
		r.Counter("qcat_order_refusals_total", "Orders, amends and cancels refused, by the reason's code.",
			metrics.Labels{"code": code.String()}, func() uint64 { return t.Refusals(i) })
	}
}

// registerStops puts trading states on /metrics.
func registerStops(r *metrics.Registry, v *engine.View) {
	type stops struct {
		firm   risk.TradingState
		halted [risk.LevelInstrument + 1]int
	}
	read := metrics.PerScrape(r, func() (s stops) {
		s.firm, s.halted = v.Stops()
		return s
	})
	r.Gauge("qcat_trading_state", "The firm's trading state: 0 active, 1 reducing, 2 halted.", metrics.Labels{"scope": "firm"},
		func() float64 { return float64(read().firm) })
	for level := risk.LevelFirm; level <= risk.LevelInstrument; level++ {
		r.Gauge("qcat_halted", "Nodes of the limit tree that are halted.", metrics.Labels{"level": levelNames[level]},
			func() float64 { return float64(read().halted[level]) })
	}
}

// registerLimits puts on /metrics how much of the limits is used.
func registerLimits(r *metrics.Registry, f *engine.Fullest) {
	r.Gauges("qcat_limit_utilisation_ratio", "How much of a limit is used at the node of that level where that is most; 1: all of it.",
		[]string{"control", "level"}, func(emit func(float64, ...string)) {
			f.Each(func(level risk.Level, l risk.Limit, ppm int64) { emit(float64(ppm)/1e6, l.String(), levelNames[level]) })
		})
}

// registerRings puts on /metrics how full everything is that has a bound and that
// something else waits for, or is lost in when it is full.
func (s *server) registerRings(r *metrics.Registry) {
	ring := func(name string, read func() float64) {
		r.Gauge("qcat_ring_occupancy_ratio", "How full a ring is, or how far its slowest reader is behind; 1: full, or lapped.",
			metrics.Labels{"ring": name}, read)
	}
	for _, q := range s.engine.Queues() {
		ring(q.Name, func() float64 { return float64(q.Len()) / float64(q.Cap) })
	}
	ring("events_view", s.view.Backlog)
	ring("events_hub", s.hub.EventBacklog)
	ring("venue_commands", s.paper.Queued)
	ring("market_venue", s.paper.Backlog)
	ring("market_hub", s.hub.Backlog)
	ring("journal", func() float64 { g := s.journal.Gauges(); return float64(g.Buffered) / float64(g.Capacity) })
	if s.ticks != nil {
		ring("market_ticks", s.ticks.Backlog)
		ring("ticks", func() float64 { g := s.archive.ticks.Gauges(); return float64(g.Buffered) / float64(g.Capacity) })
	}
	if s.calls != nil {
		ring("calls", s.calls.Waiting)
	}
	if s.guard != nil {
		ring("audit", s.guard.recorder.Queued)
	}
}

// journalNotes is how often the journal's lag is looked at, and so how exact it is.
const journalNotes = 100 * time.Millisecond

// noteJournal looks at the journal's lag until ctx is done.
func (s *server) noteJournal(ctx context.Context) {
	for sleep(ctx, journalNotes) {
		s.journalLag.Note()
	}
}
