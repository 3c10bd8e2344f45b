package ws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/api/client"
	"qcat/api/hub"
	"qcat/api/wire"
	"qcat/api/ws"
)

// TestPrivateStartsWithSnapshotAndResumes: first the open orders, then every
// event once, across a reconnect.
func TestPrivateStartsWithSnapshotAndResumes(t *testing.T) {
	s := serve(t, nil)
	s.engine.enter()
	s.engine.enter()
	c := s.dial(t, client.Options{})
	ch, handle := collect()
	if err := c.Subscribe(t.Context(), client.Sub{Channel: "orders", Handle: handle}); err != nil {
		t.Fatal(err)
	}
	var snap struct {
		Snapshot, More bool
		Orders         []client.OrderState
	}
	m := next(t, ch)
	if err := json.Unmarshal(m.Data, &snap); err != nil || !snap.Snapshot || snap.More || len(snap.Orders) != 2 || m.Seq != 2 {
		t.Fatalf("snapshot at %d: %s", m.Seq, m.Data)
	}
	s.engine.enter()
	if m = next(t, ch); m.Seq != 3 {
		t.Fatalf("event %d, want 3", m.Seq)
	}
	last, _ := c.Last("orders")
	_ = c.Close()
	for range 5 {
		s.engine.enter()
	}
	c = s.dial(t, client.Options{})
	ch, handle = collect()
	if err := c.Subscribe(t.Context(), client.Sub{Channel: "orders", Handle: handle, Resume: true, From: last}); err != nil {
		t.Fatal(err)
	}
	s.engine.enter()
	for want := uint64(4); want <= 9; want++ {
		if m = next(t, ch); m.Seq != want {
			t.Fatalf("event %d, want %d", m.Seq, want)
		}
	}
}

// TestResumeFromForgottenHistory: the answer says so and a snapshot follows.
func TestResumeFromForgottenHistory(t *testing.T) {
	s := serve(t, func(h *hub.Config, _ *ws.Config) { h.EventHistory = 4 })
	c := s.dial(t, client.Options{})
	if err := c.Subscribe(t.Context(), client.Sub{Channel: "orders"}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		s.engine.enter()
	}
	eventually(t, "the events have passed", func() bool { p, _ := c.Last("orders"); return p.Seq == 10 })
	for from, resumed := range map[uint64]bool{2: false, 5: false, 6: true, 10: true, 11: false, 1 << 60: false} {
		body, err := c.Do(t.Context(), map[string]any{"op": "subscribe", "channels": []string{"orders"}, "from_seq": from})
		if err != nil {
			t.Fatal(err)
		}
		var a struct {
			Resumed bool
			Code    string
		}
		if err := json.Unmarshal(body, &a); err != nil || a.Resumed != resumed || (a.Code == "history_gone") == resumed {
			t.Fatalf("from %d: %s", from, body)
		}
	}
}

// TestReconnectResumes: the client comes back by itself and misses nothing.
func TestReconnectResumes(t *testing.T) {
	s := serve(t, nil)
	var lost, back sync.WaitGroup
	lost.Add(1)
	back.Add(1)
	c := s.dial(t, client.Options{Reconnect: true, MinBackoff: 20 * time.Millisecond, OnState: func(err error) {
		if err != nil {
			lost.Done()
		} else {
			back.Done()
		}
	}})
	ch, handle := collect()
	if err := c.Subscribe(t.Context(), client.Sub{Channel: "orders", Handle: handle}); err != nil {
		t.Fatal(err)
	}
	next(t, ch) // the snapshot
	s.engine.enter()
	next(t, ch)
	s.hub.Kick(hub.SlowConsumer)
	lost.Wait()
	for range 3 {
		s.engine.enter()
	}
	back.Wait()
	s.engine.enter()
	for want := uint64(2); want <= 5; want++ {
		if m := next(t, ch); m.Seq != want {
			t.Fatalf("event %d, want %d", m.Seq, want)
		}
	}
}

// TestSlowPrivateClientIsDisconnected: a private channel has no holes, so that
// whoever cannot keep up is ended with a number, and resumes.
func TestSlowPrivateClientIsDisconnected(t *testing.T) {
	s := serve(t, func(h *hub.Config, _ *ws.Config) {
		h.HardBound, h.SocketBuffer = 16<<10, 8<<10
		h.Linger, h.WriteTimeout = 5*time.Second, 20*time.Second
	})
	c, _, err := (&websocket.Dialer{NetDial: func(network, addr string) (net.Conn, error) {
		nc, err := net.Dial(network, addr)
		if err == nil {
			_ = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return nc, err
	}}).Dial("ws://"+s.addr+"/api/v1/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"subscribe","id":1,"channels":["orders"]}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is disconnected", func() bool {
		s.engine.enter()
		return s.hub.Stats().Disconnects[hub.SlowConsumer.Code] == 1
	})
	// Reading at last, it sees whole frames without a gap and then the reason.
	var last uint64
	for {
		_, frame, err := c.ReadMessage()
		if err != nil {
			var ce *websocket.CloseError
			if !errors.As(err, &ce) || ce.Code != int(hub.SlowConsumer.Code) {
				t.Fatalf("ended with %v", err)
			}
			break
		}
		var m client.Message
		if json.Unmarshal(frame, &m); m.Channel == "" {
			continue
		}
		if last != 0 && m.Seq != last+1 {
			t.Fatalf("event %d after %d", m.Seq, last)
		}
		last = m.Seq
	}
	if !wire.Reconnect(int(hub.SlowConsumer.Code)) {
		t.Fatal("a slow consumer may come back")
	}
}

func TestOrdersOverTheSocket(t *testing.T) {
	s := serve(t, func(_ *hub.Config, w *ws.Config) { w.MaxInFlight = 64 })
	c := s.dial(t, client.Options{})
	ctx := t.Context()
	good := client.Order{Account: "demo", Instrument: instrument, Side: "buy", Type: "limit", Price: "100.50", Qty: "0.010", ClientOrderID: "a"}
	st, err := c.Order(ctx, good)
	if err != nil || st.OrderID != 1 || st.Status != "new" || st.Price != "100.50" || st.Strategy != "default" || st.Seq != 1 {
		t.Fatalf("%+v %v", st, err)
	}
	if st, err = c.Amend(ctx, client.Target{Account: "demo", ClientOrderID: "a"}, "101.00", ""); err != nil || st.Price != "101.00" {
		t.Fatalf("%+v %v", st, err)
	}
	if st, err = c.Cancel(ctx, client.Target{OrderID: 1}); err != nil || st.Status != "cancelled" {
		t.Fatalf("%+v %v", st, err)
	}
	big := good
	big.Qty = "1000.001"
	for name, tc := range map[string]struct {
		do   func() error
		code string
	}{
		"limit":   {func() error { _, err := c.Order(ctx, big); return err }, "risk.max_qty"},
		"account": {func() error { o := good; o.Account = "x"; _, err := c.Order(ctx, o); return err }, "risk.unknown_account"},
		"field":   {func() error { o := good; o.Qty = "1e5"; _, err := c.Order(ctx, o); return err }, "request.value"},
		"cancel":  {func() error { _, err := c.Cancel(ctx, client.Target{OrderID: 99}); return err }, "risk.unknown_order"},
		"amend":   {func() error { _, err := c.Amend(ctx, client.Target{OrderID: 99}, "1", ""); return err }, "risk.unknown_order"},
	} {
		var r *client.Refusal
		if err := tc.do(); !errors.As(err, &r) || r.Code != tc.code {
			t.Errorf("%s: %v, want %s", name, err, tc.code)
		}
	}
	s.engine.mu.Lock()
	s.engine.full = true
	s.engine.mu.Unlock()
	var r *client.Refusal
	if _, err := c.Order(ctx, good); !errors.As(err, &r) || r.Code != "overloaded" {
		t.Fatalf("full engine: %v", err)
	}
}

// TestManyOrdersInFlight: orders are pipelined, each answer carries its id, and
// the bound holds. Too many are no mistake: however many are turned away, the connection
// stays.
func TestManyOrdersInFlight(t *testing.T) {
	const tooMany, bad = 20, 5
	s := serve(t, func(_ *hub.Config, w *ws.Config) { w.MaxInFlight, w.MaxBad = 64, bad })
	s.engine.mu.Lock()
	s.engine.hold = true
	s.engine.mu.Unlock()
	c, _, err := (&websocket.Dialer{NetDialContext: watched(t)}).Dial("ws://"+s.addr+"/api/v1/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 64 + tooMany {
		body := fmt.Sprintf(`{"op":"order","id":"q%d","account":"demo","instrument":"%s","side":"buy","type":"limit","price":"1.00","qty":"%d.000"}`, i, instrument, i+1)
		if err := c.WriteMessage(websocket.TextMessage, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	var a struct {
		ID    string          `json:"id"`
		OK    bool            `json:"ok"`
		Qty   string          `json:"qty"`
		Error *client.Refusal `json:"error"`
	}
	for i := range tooMany {
		if err := c.ReadJSON(&a); err != nil || a.ID != fmt.Sprintf("q%d", 64+i) || a.Error == nil || a.Error.Code != "ws.in_flight" {
			t.Fatalf("%+v %v", a, err)
		}
	}
	// A cancel still goes through.
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"cancel","id":"c","order_id":1}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cancel is held", func() bool { s.engine.mu.Lock(); defer s.engine.mu.Unlock(); return len(s.engine.held) == 65 })
	s.engine.release()
	for i := range 64 {
		a.Error = nil
		if err := c.ReadJSON(&a); err != nil || !a.OK || a.ID != fmt.Sprintf("q%d", i) || a.Qty != fmt.Sprintf("%d.000", i+1) {
			t.Fatalf("answer %d: %+v %v", i, a, err)
		}
	}
	if err := c.ReadJSON(&a); err != nil || a.ID != "c" {
		t.Fatalf("%+v %v", a, err)
	}
	// The connection goes while answers are on their way: they are dropped.
	s.engine.mu.Lock()
	s.engine.hold = true
	s.engine.mu.Unlock()
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"cancel","id":1,"order_id":1}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cancel is held", func() bool { s.engine.mu.Lock(); defer s.engine.mu.Unlock(); return len(s.engine.held) == 1 })
	_ = c.Close()
	eventually(t, "the sink is unregistered", func() bool { s.engine.mu.Lock(); defer s.engine.mu.Unlock(); return len(s.engine.sinks) == 0 })
	s.engine.release()
}
