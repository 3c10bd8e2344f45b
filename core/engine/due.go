package engine

import "qcat/core"

// Due is when an open good-till-date order is next asked to be cancelled; 0 when it
// is not kept, or waits for no such moment. While the engine runs it costs the lane
// a question, like Query.
func (e *Engine) Due(id core.OrderID) (due core.Nanos) {
	e.onEngine(func() {
		if o := e.m.orders.find(id); o != nil && o.heapAt > 0 {
			due = o.due
		}
	})
	return due
}
