package ws_test

import (
	"context"
	"sync/atomic"
	"testing"

	"qcat/api/client"
	"qcat/api/hub"
	"qcat/api/ws"
	"qcat/core"
	"qcat/core/engine"
)

// lateView shows orders only to who waited for them.
type lateView struct {
	*fakeEngine
	shown atomic.Uint64
}

func (v *lateView) WaitFor(_ context.Context, seq uint64) error {
	v.shown.Store(max(v.shown.Load(), seq))
	return nil
}

func (v *lateView) Order(id core.OrderID) (core.Order, bool) {
	if v.shown.Load() < v.Answered() {
		return core.Order{}, false
	}
	return v.fakeEngine.Order(id)
}

func (v *lateView) Orders(f engine.OrderFilter) []core.Order {
	if v.shown.Load() < v.Answered() {
		return nil
	}
	return v.fakeEngine.Orders(f)
}

// TestAmendSeesWhatWasAnswered amends orders that the read model does not show
// yet when the client, who has its answer, names them.
func TestAmendSeesWhatWasAnswered(t *testing.T) {
	s := serve(t, func(_ *hub.Config, c *ws.Config) { c.Orders = &lateView{fakeEngine: c.Engine.(*fakeEngine)} })
	c := s.dial(t, client.Options{})
	order := client.Order{Account: "demo", Instrument: "sim:BTCUSDT", Side: "buy", Type: "limit", TimeInForce: "gtc", Price: "1.00", Qty: "0.001"}
	for _, id := range []string{"", "c1"} {
		order.ClientOrderID = id
		st, err := c.Order(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		target := client.Target{OrderID: st.OrderID}
		if id != "" {
			target = client.Target{Account: "demo", ClientOrderID: id}
		}
		if got, err := c.Amend(t.Context(), target, "2.00", ""); err != nil || got.Price != "2.00" || got.OrderID != st.OrderID {
			t.Errorf("amend of %+v: %+v, %v", target, got, err)
		}
	}
}
