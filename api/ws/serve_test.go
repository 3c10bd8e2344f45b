package ws_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/api/hub"
	"qcat/api/ws"
	"qcat/core/engine"
)

// keptWaiting is an engine and a view that know whether orders that were put are left
// alone while their connection subscribes.
type keptWaiting struct {
	*fakeEngine
	unserved, asked, kept atomic.Int64
}

func (e *keptWaiting) Put(c *engine.Command) bool {
	e.unserved.Add(1)
	return e.fakeEngine.Put(c)
}

func (e *keptWaiting) Serve() { e.unserved.Store(0) }

func (e *keptWaiting) Applied() uint64 {
	if e.asked.Add(1); e.unserved.Load() > 0 {
		e.kept.Add(1)
	}
	return e.fakeEngine.Applied()
}

// TestOrdersDoNotWaitForASubscription that came in the same read, and takes its time.
func TestOrdersDoNotWaitForASubscription(t *testing.T) {
	var e *keptWaiting
	s := serve(t, func(h *hub.Config, c *ws.Config) {
		e = &keptWaiting{fakeEngine: c.Engine.(*fakeEngine)}
		c.Engine, h.View = e, e
	})
	c, _, err := websocket.DefaultDialer.Dial("ws://"+s.addr+ws.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	both := frame(0x81, true, `{"op":"order","id":"1","account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"limit","time_in_force":"gtc","price":"1.00","qty":"0.001"}`)
	both = append(both, frame(0x81, true, `{"op":"subscribe","id":"2","channels":["orders"]}`)...)
	before := e.asked.Load()
	if _, err := c.NetConn().Write(both); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for range 2 {
		if _, _, err := c.ReadMessage(); err != nil {
			t.Fatal(err)
		}
	}
	if e.asked.Load() == before || e.kept.Load() != 0 {
		t.Errorf("the view was asked %d times, with an order waiting %d times", e.asked.Load()-before, e.kept.Load())
	}
}
