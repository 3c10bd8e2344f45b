package fakevenue

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"go.uber.org/goleak"

	"qcat/core"
	"qcat/feed"
	"qcat/feed/binance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newServer(t *testing.T, src *Source) *Server {
	t.Helper()
	s, err := New(src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newREST(t *testing.T, s *Server) *binance.REST {
	t.Helper()
	return binance.NewREST(s.src.Market, s.REST(), nil, nil)
}

func contextOf(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dial(t *testing.T, s *Server, path string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial(s.WS()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

func read(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, msg, err := ws.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(msg)
}

// framesOf returns the source's first n frames of a stream.
func framesOf(src *Source, stream string, n int) []*Frame {
	var out []*Frame
	for i := range src.Frames {
		if f := &src.Frames[i]; f.Stream == stream && len(out) < n {
			out = append(out, f)
		}
	}
	return out
}

func TestSubscriptionsAreHonoured(t *testing.T) {
	src := Synthetic(SyntheticConfig{Seed: 1})
	s := newServer(t, src)
	combined := dial(t, s, "/public/stream?streams=btcusdt@trade")
	raw := dial(t, s, "/ws/ethusdt@trade")
	asking := dial(t, s, "/stream")
	for _, r := range [][2]string{
		{`{"method":"SUBSCRIBE","params":["btcusdt@bookTicker","ethusdt@bookTicker"],"id":1}`, `{"result":null,"id":1}`},
		{`{"method":"UNSUBSCRIBE","params":["btcusdt@bookTicker"],"id":"two"}`, `{"result":null,"id":"two"}`},
		{`{"method":"LIST_SUBSCRIPTIONS","id":3}`, `{"result":["ethusdt@bookTicker"],"id":3}`},
		{`{"method":"DANCE","id":4}`, `{"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":4}`},
		{`what`, `{"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}}`},
	} {
		if err := asking.WriteMessage(websocket.TextMessage, []byte(r[0])); err != nil {
			t.Fatal(err)
		}
		if got := read(t, asking); got != r[1] {
			t.Errorf("%s answered %s, want %s", r[0], got, r[1])
		}
	}
	if err := s.WaitSubscribed(contextOf(t), 3); err != nil {
		t.Fatal(err)
	}
	if n := s.Step(300); n != 300 || s.Position() != 300 {
		t.Fatalf("played %d, at %d", n, s.Position())
	}
	for _, f := range framesOf(src, "btcusdt@trade", 5) {
		if got := read(t, combined); got != string(f.Wrapped) {
			t.Fatalf("combined: %s, want %s", got, f.Wrapped)
		}
	}
	for _, f := range framesOf(src, "ethusdt@trade", 5) {
		if got := read(t, raw); got != string(f.Payload) {
			t.Fatalf("raw: %s, want %s", got, f.Payload)
		}
	}
	for _, f := range framesOf(src, "ethusdt@bookTicker", 5) {
		if got := read(t, asking); got != string(f.Wrapped) {
			t.Fatalf("asked: %s, want %s", got, f.Wrapped)
		}
	}
}

func TestSnapshotIsTheTruthAtThePosition(t *testing.T) {
	for _, market := range []binance.Market{binance.Spot, binance.USDM} {
		src := Synthetic(SyntheticConfig{Market: market, Seed: 2, Messages: 400})
		s := newServer(t, src)
		in := src.Instruments[0]
		in.ID = 1
		d, err := binance.NewDecoder(market, []*core.Instrument{&in})
		if err != nil {
			t.Fatal(err)
		}
		ids := map[uint64]bool{}
		for range 4 {
			body, err := newREST(t, s).Depth(contextOf(t), in.Symbol, binance.SnapshotLimit)
			if err != nil {
				t.Fatal(err)
			}
			var m feed.Message
			if err := d.Decode(body, 1, &m); err != nil {
				t.Fatal(err)
			}
			bids, asks, id := s.Truth(in.Symbol)
			if id != m.LastID || !equal(bids, m.Bids) || !equal(asks, m.Asks) || len(bids) == 0 {
				t.Fatalf("snapshot %d is not the truth %d", m.LastID, id)
			}
			ids[id] = true
			s.Step(100)
		}
		if len(ids) != 4 || d.Stats().Fallbacks != 0 {
			t.Errorf("%d positions, %d fallbacks", len(ids), d.Stats().Fallbacks)
		}
		if n := s.Stats().Snapshots[in.Symbol]; n != 4 {
			t.Errorf("%d snapshots were counted", n)
		}
		if _, err := newREST(t, s).Depth(contextOf(t), "NOSUCH", 5); err == nil {
			t.Error("unknown symbol: no error")
		}
	}
}

func equal(a, b []core.Level) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestExchangeInfoSurvivesTheRoundTrip(t *testing.T) {
	for _, market := range []binance.Market{binance.Spot, binance.USDM} {
		src := Synthetic(SyntheticConfig{Market: market, Messages: 1})
		got, err := newREST(t, newServer(t, src)).Instruments(contextOf(t), []string{"BTCUSDT", "ETHUSDT"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i] != src.Instruments[i] {
				t.Errorf("got  %+v\nwant %+v", got[i], src.Instruments[i])
			}
		}
		_, err = newREST(t, newServer(t, src)).Instruments(contextOf(t), []string{"BTCUSD"})
		if !errors.Is(err, binance.ErrUnknownSymbol) || !strings.Contains(err.Error(), "did you mean BTCUSDT") {
			t.Errorf("unknown symbol: %v", err)
		}
	}
}

func TestRESTMisbehaviour(t *testing.T) {
	s := newServer(t, Synthetic(SyntheticConfig{Seed: 3}))
	s.RespondStatus(418, 3*time.Second, 1)
	var limited *feed.RateLimitError
	_, err := newREST(t, s).Depth(contextOf(t), "BTCUSDT", 5)
	if !errors.As(err, &limited) || !limited.Banned || limited.RetryAfter != 3*time.Second {
		t.Fatalf("banned: %v", err)
	}

	release := s.HoldSnapshots()
	body := make(chan string, 1)
	go func() {
		b, err := newREST(t, s).Depth(contextOf(t), "BTCUSDT", 5)
		if err != nil {
			t.Error(err)
		}
		body <- string(b)
	}()
	if err := s.WaitStats(contextOf(t), func(st Stats) bool { return st.Snapshots["BTCUSDT"] == 1 }); err != nil {
		t.Fatal(err)
	}
	before := string(s.truths["BTCUSDT"].snapshot(s.src.Market))
	s.Step(50)
	select {
	case <-body:
		t.Fatal("the snapshot was not held")
	default:
	}
	release()
	if got := <-body; got != before {
		t.Error("the snapshot is not of when it was asked for")
	}
}

func TestDepthFaults(t *testing.T) {
	src := Synthetic(SyntheticConfig{Seed: 4, Symbols: []string{"BTCUSDT"}})
	all := framesOf(src, "btcusdt@depth@0ms", 10)
	for name, tt := range map[string]struct {
		fault func(*Server)
		want  []int
	}{
		"none":   {func(*Server) {}, []int{0, 1, 2, 3}},
		"skip":   {func(s *Server) { s.SkipDepth("BTCUSDT", 2) }, []int{2, 3, 4}},
		"repeat": {func(s *Server) { s.RepeatDepth("BTCUSDT", 1) }, []int{0, 0, 1, 2}},
		"swap":   {func(s *Server) { s.SwapDepth("BTCUSDT") }, []int{1, 0, 2, 3}},
		"other":  {func(s *Server) { s.SkipDepth("ETHUSDT", 2) }, []int{0, 1}},
	} {
		s := newServer(t, src)
		ws := dial(t, s, "/stream?streams=btcusdt@depth@0ms")
		if err := s.WaitSubscribed(contextOf(t), 1); err != nil {
			t.Fatal(err)
		}
		tt.fault(s)
		s.Step(100)
		for i, n := range tt.want {
			if got := read(t, ws); got != string(all[n].Wrapped) {
				t.Errorf("%s: message %d is not %d", name, i, n)
			}
		}
	}
}

func TestConnectionFaults(t *testing.T) {
	s := newServer(t, Synthetic(SyntheticConfig{Seed: 5}))
	s.RefuseConnections(1)
	if _, resp, err := websocket.DefaultDialer.Dial(s.WS()+"/stream", nil); err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("refused: %v", err)
	}
	ws := dial(t, s, "/stream?streams=btcusdt@trade")
	if err := s.WaitSubscribed(contextOf(t), 1); err != nil {
		t.Fatal(err)
	}
	s.GoSilent(true)
	s.Step(200)
	s.GoSilent(false)
	s.SendGarbage("garbage")
	if got := read(t, ws); got != "garbage" {
		t.Errorf("a silent venue sent %s", got)
	}
	s.DropConnections()
	if _, _, err := ws.ReadMessage(); err == nil {
		t.Error("the connection was not dropped")
	}
	if err := s.Barrier(contextOf(t)); err != nil {
		t.Error(err)
	}
}
