package engine

import (
	"maps"
	"slices"

	"qcat/core"
	"qcat/risk"
)

// outbox is what waits for one gateway whose queue is full, and what its venue is
// to be asked.
type outbox struct {
	venue   string
	gateway Gateway
	queue   fifo[core.VenueCommand]

	questions questions
}

// newOutboxes orders gateways by name, so that their index does not depend on
// the map.
func newOutboxes(gateways map[string]Gateway) []outbox {
	var boxes []outbox
	for _, name := range slices.Sorted(maps.Keys(gateways)) {
		boxes = append(boxes, outbox{venue: name, gateway: gateways[name]})
	}
	return boxes
}

// outboxFor finds the outbox of an instrument, or nil.
func (e *Engine) outboxFor(id core.InstrumentID) *outbox {
	for len(e.outboxOf) < len(e.m.instruments) {
		e.outboxOf = append(e.outboxOf, e.outboxIndex(e.m.instruments[len(e.outboxOf)].Venue))
	}
	if int64(id) >= int64(len(e.outboxOf)) || e.outboxOf[id] < 0 {
		return nil
	}
	return &e.outboxes[e.outboxOf[id]]
}

func (e *Engine) outboxIndex(venue string) int16 {
	return int16(slices.IndexFunc(e.outboxes, func(b outbox) bool { return b.venue == venue }))
}

// gatewayReady reports whether a new order of the instrument could go out.
func (e *Engine) gatewayReady(id core.InstrumentID) bool {
	b := e.outboxFor(id)
	return b != nil && b.queue.len() < e.cfg.MaxOutbox && b.gateway.Ready()
}

// flush hands what was appended to the journal's committer.
func (e *Engine) flush() {
	if e.failed != nil {
		return
	}
	if e.m.seq != e.flushed {
		e.flushed = e.m.seq
		flush := e.journal.Flush
		if e.leads {
			flush = e.journal.Publish
		}
		if err := flush(); err != nil {
			e.fail(err)
			return
		}
	}
	if err := e.journal.Err(); err != nil {
		e.fail(err)
	}
}

// committable reports whether the oldest output that waits can go.
func (e *Engine) committable() bool {
	if e.failed != nil {
		return false
	}
	committed, out := e.journal.Committed(), &e.m.out
	return (out.venues.len() > 0 && out.venues.front().seq <= committed) ||
		(out.replies.len() > 0 && out.replies.front().seq <= committed) ||
		(out.events.len() > 0 && !e.gated && out.events.front().Seq <= committed)
}

// release lets out what committed records promised: to the venues, to whoever
// asked, and to the event ring, each in journal order.
func (e *Engine) release() int {
	work := e.drainOutboxes()
	if e.failed != nil {
		return work + e.publish(e.answered.Load())
	}
	committed, out := e.journal.Committed(), &e.m.out
	timed := out.venues.len()+out.replies.len() > 0 && e.sample%StageSample == 0
	var start core.Nanos
	if timed {
		start = e.cfg.Clock.Now()
	}
	if upTo := min(committed, e.m.seq); upTo != e.answered.Load() {
		e.answered.Store(upTo)
	}
	for ; out.venues.len() > 0 && out.venues.front().seq <= committed; out.venues.pop() {
		e.route(&out.venues.front().command)
		work++
	}
	e.timeBreaches(committed)
	for ; out.replies.len() > 0 && out.replies.front().seq <= committed; out.replies.pop() {
		s := out.replies.front()
		e.sinks.deliver(s.to, &s.reply)
		work++
	}
	work += e.publish(committed)
	if timed {
		e.stats.Route.Record(int64(e.cfg.Clock.Now() - start))
	}
	return work
}

// publish puts the events of committed records into the ring. When a gating
// reader is a lap behind they stay here, and MaxStaged holds back new commands.
func (e *Engine) publish(committed uint64) int {
	events, work := &e.m.out.events, 0
	e.gated = false
	for events.len() > 0 && events.front().Seq <= committed {
		if e.gated = !e.events.TryPublish(events.front()); e.gated {
			break
		}
		events.pop()
		work++
	}
	upTo := min(committed, e.m.seq)
	if events.len() > 0 {
		upTo = min(upTo, events.front().Seq-1)
	}
	if upTo != e.published.Load() {
		e.published.Store(upTo)
		e.tellWatchers(e.gated)
	} else if e.gated {
		e.tellWatchers(true)
	}
	return work
}

func (e *Engine) drainOutboxes() int {
	work := 0
	for i := range e.outboxes {
		b := &e.outboxes[i]
		for ; b.queue.len() > 0; b.queue.pop() {
			if !e.offer(b, b.queue.front()) {
				break
			}
			work++
		}
	}
	return work
}

// route sends a command to its gateway, or keeps it in order behind those that
// wait there.
func (e *Engine) route(c *core.VenueCommand) {
	b := e.outboxFor(c.Instrument)
	if b == nil {
		e.withhold(c)
		return
	}
	if b.queue.len() == 0 && e.offer(b, c) {
		return
	}
	e.stats.Outbox.bump()
	*b.queue.push() = *c
}

// offer hands c to the gateway unless it must not go out any more, and reports
// whether it is done with.
//
// This is the last place an order passes: what a halt has overtaken, between its
// record and now, stays here. Nothing is sent after a halt was recorded. So does an
// order that must end, because it was killed or its session or its switch is gone,
// also when trading has been resumed since.
func (e *Engine) offer(b *outbox, c *core.VenueCommand) bool {
	o := e.m.orders.find(c.Order)
	if c.Op == core.VenueCancel {
		if o == nil || o.withheld || !o.order.Status.Open() {
			return true // there is nothing at the venue to cancel
		}
		taken := b.gateway.Submit(c)
		o.cancelWaits = o.cancelWaits && !taken
		return taken
	}
	if o == nil || !o.order.Status.Open() || o.withheld || o.doomed || e.stoppedSince(&o.order) {
		e.withhold(c)
		return true
	}
	return b.gateway.Submit(c)
}

// stoppedSince reports whether a halt, recorded or yet to be, covers the order.
func (e *Engine) stoppedSince(o *core.Order) bool {
	if e.failed != nil || e.m.isHalted(o) || e.haltedByBreach(o) {
		return true
	}
	for i := range e.unsaved {
		if e.unsaved[i].State == risk.StateHalted && inScope(e.unsaved[i].Scope, o) {
			return true
		}
	}
	return false
}

// withhold keeps a new order or an amend from the venue and reports it as the
// venue would have: rejected. The report is an input like any other, so that
// replay sees what the gateway's speed decided.
func (e *Engine) withhold(c *core.VenueCommand) {
	report := core.ExecReport{Instrument: c.Instrument, Order: c.Order, Time: e.m.now,
		VenueCode: uint16(core.VenueReasonUnavailable)}
	switch c.Op {
	case core.VenueNew:
		report.Type = core.ExecRejected
		if o := e.m.orders.find(c.Order); o != nil {
			o.withheld = true
		}
	case core.VenueAmend:
		report.Type = core.ExecReplaceRejected
	default:
		return
	}
	e.stats.Withheld.bump()
	*e.internal.push() = Command{Kind: CmdReport, Report: report}
}

// watch has tell called whenever Published advances, and with true when the event ring
// has no room. Engine goroutine; it must not block.
func (e *Engine) watch(tell func(held bool)) {
	e.runMu.Lock()
	defer e.runMu.Unlock()
	var list []func(bool)
	if old := e.watchers.Load(); old != nil {
		list = append(list, *old...)
	}
	list = append(list, tell)
	e.watchers.Store(&list)
}

func (e *Engine) tellWatchers(held bool) {
	if list := e.watchers.Load(); list != nil {
		for _, tell := range *list {
			tell(held)
		}
	}
}
