package engine

import (
	"qcat/core"
	"qcat/core/record"
)

// cancelRetry is how long after a venue rejected the cancel of an order that must end
// it is asked again.
const cancelRetry = core.Nanos(1_000_000_000)

// doomedOrder is an order whose cancel is to be asked for again.
type doomedOrder struct {
	order core.OrderID
	due   core.Nanos
}

// outlives reports whether an order that must end is open and nothing is under way to
// end it. What a kill, a session's end or a dead man's switch asked for is not done
// while that is so.
func (e *entry) outlives() bool {
	return e.order.Status.Open() && e.doomed && !e.order.PendingCxl
}

// followCancel puts an order in line whose cancel was rejected although it must end.
func (e *Engine) followCancel(o *entry, r *core.ExecReport) {
	if r.Type == core.ExecCancelRejected && o.outlives() {
		*e.doomed.push() = doomedOrder{o.order.ID, e.m.now + cancelRetry}
	}
}

// findDoomed puts those in line that an earlier process left so.
func (e *Engine) findDoomed() {
	e.m.orders.each(&e.m.orders.open, func(o *entry) {
		if o.outlives() {
			*e.doomed.push() = doomedOrder{o.order.ID, e.m.now}
		}
	})
}

// takeDoomed asks again for the cancels that are due.
func (e *Engine) takeDoomed(now core.Nanos) (n int) {
	for n < e.cfg.Batch && e.doomed.len() > 0 && e.doomed.front().due <= now {
		id := e.doomed.front().order
		e.doomed.pop()
		n++
		if o := e.m.orders.find(id); o == nil || !o.outlives() {
			continue
		}
		c := Command{Kind: CmdCancel, Order: id, Cause: record.CauseAgain}
		if e.sequence(&c, now) != nil {
			e.runUnrecorded(&c)
			*e.doomed.push() = doomedOrder{id, now + cancelRetry}
		}
	}
	return n
}
