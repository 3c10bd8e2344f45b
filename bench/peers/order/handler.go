package order

import (
	"sync"
	"sync/atomic"

	"qcat/core"
	"qcat/core/engine"
)

// untouched is an engine that answers every order as accepted, at once, without looking
// at it: no check, no journal, no venue, no view. What the server then takes is what
// HTTP takes: reading and decoding the request, finding whose it is, and the answer.
type untouched struct {
	*engine.Engine // idle, but for what it is asked beside orders
	orders         atomic.Uint64

	mu    sync.Mutex
	sinks atomic.Pointer[[]engine.ReplySink] // by name; replaced, never changed
}

func newUntouched(e *engine.Engine) *untouched {
	u := &untouched{Engine: e}
	u.sinks.Store(new([]engine.ReplySink))
	return u
}

// RegisterSink implements rest.Engine.
func (u *untouched) RegisterSink(s engine.ReplySink) (engine.ReplyTo, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	to, ok := u.Engine.RegisterSink(s)
	if !ok {
		return to, false
	}
	had := *u.sinks.Load()
	sinks := make([]engine.ReplySink, max(len(had), int(to)+1))
	copy(sinks, had)
	sinks[to] = s
	u.sinks.Store(&sinks)
	return to, true
}

// Execute implements rest.Engine.
func (u *untouched) Execute(c *engine.Command) bool {
	r := engine.Reply{Kind: c.Kind, Token: c.Token, Order: core.Order{ID: core.OrderID(u.orders.Add(1)), Status: core.StatusNew,
		Account: c.Account, Strategy: c.Strategy, Instrument: c.Instrument, ClOrdID: c.ClOrdID,
		Side: c.Side, Type: c.Type, TIF: c.TIF, Price: c.Price, Qty: c.Qty}}
	(*u.sinks.Load())[c.Reply].Deliver(&r)
	return true
}
