package ws_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/api/client"
	"qcat/api/hub"
	"qcat/api/ws"
	"qcat/core"
)

// collect returns a handler and the channel its messages go to.
func collect() (chan client.Message, func(*client.Message)) {
	ch := make(chan client.Message, 1024)
	return ch, func(m *client.Message) {
		c := *m
		c.Data = append(json.RawMessage(nil), m.Data...)
		ch <- c
	}
}

func next(t *testing.T, ch chan client.Message) client.Message {
	t.Helper()
	select {
	case m := <-ch:
		return m
	case <-time.After(20 * time.Second):
		t.Fatal("no message")
		return client.Message{}
	}
}

func TestPublicChannels(t *testing.T) {
	s := serve(t, nil)
	c := s.dial(t, client.Options{})
	ctx := t.Context()
	got := map[string]chan client.Message{}
	for _, name := range []string{"bbo", "trade", "depth", "candle.1m"} {
		ch, handle := collect()
		got[name] = ch
		if err := c.Subscribe(ctx, client.Sub{Channel: name + ":" + instrument, Handle: handle}); err != nil {
			t.Fatal(err)
		}
	}
	if m := next(t, got["depth"]); string(m.Data) != `{"snapshot":true,"b":[],"a":[]}` {
		t.Fatalf("first depth frame %s", m.Data)
	}
	s.lane.quote(10001, 10002)
	if m := next(t, got["bbo"]); string(m.Data) != `{"bp":"100.01","bq":"0.001","ap":"100.02","aq":"0.001"}` || m.ETS == 0 || m.RTS == 0 {
		t.Fatalf("bbo %+v %s", m, m.Data)
	}
	s.lane.print(10003)
	if m := next(t, got["trade"]); string(m.Data) != `{"p":"100.03","q":"0.001","side":"buy","id":1}` {
		t.Fatalf("trade %s", m.Data)
	}
	var candle client.Candle
	if err := json.Unmarshal(next(t, got["candle.1m"]).Data, &candle); err != nil || candle.Close != "100.03" || candle.Trades != 1 {
		t.Fatalf("candle %+v %v", candle, err)
	}
	s.lane.depth([]core.Level{{Price: 100, Qty: 5}}, []core.Level{{Price: 101, Qty: 6}})
	if m := next(t, got["depth"]); string(m.Data) != `{"snapshot":false,"b":[["1.00","0.005"]],"a":[["1.01","0.006"]]}` {
		t.Fatalf("depth %s", m.Data)
	}
	// A late subscriber gets the latest quote and a snapshot at once.
	late := s.dial(t, client.Options{})
	ch, handle := collect()
	if err := late.Subscribe(ctx, client.Sub{Channel: "bbo:" + instrument, Handle: handle}); err != nil {
		t.Fatal(err)
	}
	next(t, ch)
	// After the answer to unsubscribe nothing follows.
	if err := c.Unsubscribe(ctx, "bbo:"+instrument); err != nil {
		t.Fatal(err)
	}
	s.lane.quote(1, 2)
	next(t, ch)
	if len(got["bbo"]) != 0 {
		t.Fatal("a quote after unsubscribe")
	}
	b, err := s.hub.Book(ctx, 1, 10)
	if err != nil || len(b.Bids) != 1 || b.Stale {
		t.Fatalf("book %+v %v", b, err)
	}
	if tr, err := s.hub.Trades(ctx, 1, 10); err != nil || len(tr) != 1 || tr[0].Price != 10003 {
		t.Fatalf("trades %+v %v", tr, err)
	}
	if cs, err := s.hub.Candles(ctx, 1, 10); err != nil || len(cs) != 1 || cs[0].Trades != 1 {
		t.Fatalf("candles %+v %v", cs, err)
	}
}

// churn publishes random changes of the book.
func churn(l *lane, r *rand.Rand, n int, pause func(i int)) {
	for i := range n {
		var side [2][]core.Level
		for range 1 + r.IntN(8) {
			q := core.Qty(r.IntN(4)) // a quarter removes
			if r.IntN(2) == 0 {
				side[0] = append(side[0], core.Level{Price: core.Price(1000 - r.IntN(300)), Qty: q})
			} else {
				side[1] = append(side[1], core.Level{Price: core.Price(1001 + r.IntN(300)), Qty: q})
			}
		}
		l.depth(side[0], side[1])
		pause(i)
	}
}

// TestLaggingDepthIsResynced: a client that is too slow for the changes gets new
// snapshots, never a gap, and ends with the true book; a fast one needs none.
func TestLaggingDepthIsResynced(t *testing.T) {
	s := serve(t, func(h *hub.Config, _ *ws.Config) {
		h.SoftBound, h.SocketBuffer = 4<<10, 4<<10
		h.WriteTimeout = 20 * time.Second
	})
	seed := rand.Uint64()
	fast, slow := client.NewBook(), client.NewBook()
	var fastSeq, slowSeq, slowSnaps atomic.Uint64
	cf, cs := s.dial(t, client.Options{}), s.dial(t, client.Options{ReadBuffer: 4 << 10})
	if err := cf.Subscribe(t.Context(), client.Sub{Channel: "depth:" + instrument, Handle: func(m *client.Message) {
		fast.Apply(m)
		fastSeq.Store(m.Seq)
	}}); err != nil {
		t.Fatal(err)
	}
	var brake atomic.Bool
	brake.Store(true)
	if err := cs.Subscribe(t.Context(), client.Sub{Channel: "depth:" + instrument, Handle: func(m *client.Message) {
		if brake.Load() {
			time.Sleep(2 * time.Millisecond)
		}
		slow.Apply(m)
		slowSeq.Store(m.Seq)
		slowSnaps.Store(uint64(slow.Snapshots()))
	}}); err != nil {
		t.Fatal(err)
	}
	churn(s.lane, rand.New(rand.NewPCG(seed, 0)), 4000, func(i int) {
		if i%50 == 0 {
			time.Sleep(time.Millisecond)
		}
	})
	eventually(t, "the slow client was resynced", func() bool { return slowSnaps.Load() > 1 })
	brake.Store(false)
	// A last change, after which both must arrive at the same sequence.
	s.lane.depth([]core.Level{{Price: 1, Qty: 1}}, nil)
	eventually(t, "both caught up", func() bool {
		return fastSeq.Load() == slowSeq.Load() && s.hub.Stats().Lost == 0 || fastSeq.Load() > 0 && fastSeq.Load() == slowSeq.Load()
	})
	time.Sleep(20 * time.Millisecond)
	eventually(t, "both still agree", func() bool { return fastSeq.Load() == slowSeq.Load() })
	_ = cf.Close()
	_ = cs.Close()
	for name, b := range map[string]*client.Book{"fast": fast, "slow": slow} {
		if b.Err() != nil || !b.Live() || !s.lane.holds(b) {
			t.Errorf("seed %d: %s: err %v live %v seq %d snapshots %d, true book %v", seed, name, b.Err(), b.Live(), b.Seq(), b.Snapshots(), s.lane.holds(b))
		}
	}
}

// TestClientThatReadsNothing: it is cut off within the write bound, keeps no more
// than its bounds, and the others miss nothing.
func TestClientThatReadsNothing(t *testing.T) {
	s := serve(t, func(h *hub.Config, _ *ws.Config) {
		h.SoftBound, h.SocketBuffer, h.WriteTimeout = 64<<10, 8<<10, 3*time.Second // the good client reads in it, however busy the machine
	})
	dead, _, err := (&websocket.Dialer{NetDial: func(network, addr string) (net.Conn, error) {
		nc, err := net.Dial(network, addr)
		if err == nil {
			_ = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return nc, err
	}}).Dial("ws://"+s.addr+"/api/v1/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	if err := dead.WriteMessage(websocket.TextMessage, []byte(`{"op":"subscribe","channels":["bbo:`+instrument+`","trade:`+instrument+`"]}`)); err != nil {
		t.Fatal(err)
	}
	good := s.dial(t, client.Options{Dial: unwatched})
	var count, last, gaps atomic.Uint64
	if err := good.Subscribe(t.Context(), client.Sub{Channel: "trade:" + instrument, Handle: func(m *client.Message) {
		if old := last.Swap(m.Seq); old != 0 && m.Seq != old+1 {
			gaps.Add(1)
		}
		count.Add(1)
	}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	sent := uint64(0)
	for s.hub.Stats().Disconnects[hub.WriteTimeout.Code] == 0 {
		if ctx.Err() != nil {
			t.Fatal("the dead client was never cut off")
		}
		for range 100 {
			s.lane.print(10000)
			s.lane.quote(10000, 10001)
			sent++
		}
		eventually(t, "the good client keeps up", func() bool { return count.Load() >= sent })
	}
	eventually(t, "the dead connection is forgotten", func() bool { return s.hub.Len() == 1 })
	if st := s.hub.Stats(); gaps.Load() != 0 || st.Conflated == 0 || st.Dropped == 0 {
		t.Fatalf("gaps %d conflated %d dropped %d", gaps.Load(), st.Conflated, st.Dropped)
	}
}

// TestOverrunResyncs: when the hub itself is lapped by a lane it counts the loss
// and depth clients get a new snapshot.
func TestOverrunResyncs(t *testing.T) {
	s := serve(t, nil)
	c := s.dial(t, client.Options{})
	b := client.NewBook()
	var mu sync.Mutex
	if err := c.Subscribe(t.Context(), client.Sub{Channel: "depth:" + instrument, Handle: func(m *client.Message) {
		mu.Lock()
		defer mu.Unlock()
		b.Apply(m)
	}}); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for round := 0; s.hub.Stats().Overruns == 0; round++ {
		if round > 200 {
			t.Fatal("the hub was never lapped")
		}
		churn(s.lane, r, ringSize/4, func(int) {})
	}
	s.lane.depth([]core.Level{{Price: 1, Qty: 7}}, nil)
	eventually(t, "the book is whole again", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return b.Live() && s.lane.holds(b)
	})
	_ = c.Close()
	if b.Err() != nil {
		t.Fatalf("err %v after %d snapshots", b.Err(), b.Snapshots())
	}
}
