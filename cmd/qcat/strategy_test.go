package main

import (
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"qcat/api/client"
)

// strategyClient is a client that keeps its own account of what it trades: from the answers
// to its orders, from the private channels, and, where these tell of a gap, from HTTP.
type strategyClient struct {
	t *testing.T

	mu     sync.Mutex
	fills  map[uint64]fillRow // by execution
	twice  int                // fills that came again over the channel, with no gap in between
	gaps   int
	orders map[uint64]string // client order ids
}

// fillRow is an execution as the channel and HTTP tell it.
type fillRow struct {
	ExecID  uint64 `json:"exec_id"`
	OrderID uint64 `json:"order_id"`
	Side    string `json:"side"`
	Qty     string `json:"qty"`
	Price   string `json:"price"`
}

func (s *strategyClient) handle(m *client.Message) {
	var row fillRow
	if err := json.Unmarshal(m.Data, &row); err != nil || row.ExecID == 0 {
		return // the snapshot with which the channel begins
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.fills[row.ExecID]; known {
		s.twice++
	}
	s.fills[row.ExecID] = row
}

// net is what the fills leave it with.
func (s *strategyClient) net() *big.Rat {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := new(big.Rat)
	for _, f := range s.fills {
		q, ok := new(big.Rat).SetString(f.Qty)
		if !ok {
			s.t.Fatalf("quantity %q", f.Qty)
		}
		if f.Side == "sell" {
			q.Neg(q)
		}
		sum.Add(sum, q)
	}
	return sum
}

// TestStrategyThroughTakeOvers has a client trade through three take-overs: it reconnects,
// resumes, settles what was under way, and at the end its own account of orders, fills and
// position is the server's.
func TestStrategyThroughTakeOvers(t *testing.T) {
	t.Parallel()
	args := append([]string{"--no-cancel-on-shutdown", "--takeover-wait=1m"}, small...)
	p := serveIn(t, t.TempDir(), append([]string{"--demo", "--listen", freePort(t)}, args...)...)
	p.live(btc)
	s := &strategyClient{t: t, fills: map[uint64]fillRow{}, orders: map[uint64]string{}}
	c, err := client.Dial(t.Context(), p.addr, client.Options{Reconnect: true, MinBackoff: 5e6, MaxBackoff: 1e8})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	gap := func(client.Position) { s.mu.Lock(); s.gaps++; s.mu.Unlock() }
	if err := c.Subscribe(t.Context(), client.Sub{Channel: "executions", Handle: s.handle, OnGap: gap}); err != nil {
		t.Fatal(err)
	}
	stop, traded := make(chan struct{}), make(chan error, 1)
	go func() { traded <- s.trade(p.addr, stop) }()
	count := func() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.orders) }
	for range 3 {
		n := count()
		eventually(t, "orders are taken", func() bool { return count() > n+50 })
		q := p.successor(args...)
		p.stopped()
		p = q.serving()
	}
	n := count()
	eventually(t, "orders are taken at the end", func() bool { return count() > n+50 })
	close(stop)
	if err := <-traded; err != nil {
		t.Fatal(err)
	}
	for id := range s.orders {
		p.until(id, "filled")
	}
	server := map[uint64]fillRow{}
	rows := pages[fillRow](p, "/api/v1/executions?account=demo")
	for _, f := range rows {
		server[f.ExecID] = f
	}
	if len(server) != len(rows) {
		t.Errorf("the server tells %d executions, %d of them different", len(rows), len(server))
	}
	s.mu.Lock()
	streamed, gaps := len(s.fills), s.gaps
	if gaps > 0 { // what the channel said it cannot tell is asked for
		for id, f := range server {
			if _, known := s.fills[id]; !known && s.orders[f.OrderID] != "" {
				s.fills[id] = f
			}
		}
	}
	same, twice := maps.Equal(s.fills, server), s.twice
	s.mu.Unlock()
	t.Logf("%d orders, %d fills over the channel, %d of the server, %d gaps told", len(s.orders), streamed, len(server), gaps)
	if !same || twice > 0 {
		t.Errorf("%d fills instead of %d with %d gaps told; %d came twice", len(s.fills), len(server), gaps, twice)
	}
	if all := pages[client.OrderState](p, "/api/v1/orders?account=demo"); len(all) != len(s.orders) {
		t.Errorf("the server has %d orders, %d were entered", len(all), len(s.orders))
	}
	held, want := pages[struct{ Qty string }](p, "/api/v1/positions?account=demo"), new(big.Rat)
	for _, row := range held {
		if _, ok := want.SetString(row.Qty); !ok {
			t.Errorf("quantity %q", row.Qty)
		}
	}
	if s.net().Cmp(want) != 0 {
		t.Errorf("it holds %s by its own account, %v by the server's", s.net().FloatString(3), held)
	}
}

// pages is a whole list.
func pages[T any](p *process, path string) (all []T) {
	p.t.Helper()
	for cursor := ""; ; {
		a := p.ask("GET", path+cursor, nil)
		if a.status != http.StatusOK {
			p.t.Fatalf("%s: status %d, %s", path, a.status, a.body)
		}
		var rows []T
		a.into(p.t, &rows)
		all = append(all, rows...)
		next := a.header.Get("Next-Cursor")
		if next == "" {
			return all
		}
		cursor = "&cursor=" + next
	}
}

// trade enters orders one by one until it is told to stop.
func (s *strategyClient) trade(addr string, stop <-chan struct{}) error {
	h := client.NewHTTP(addr)
	defer h.Close()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		default:
		}
		name := "s" + strconv.Itoa(i)
		st, err := h.Place(s.t.Context(), client.Order{Account: "demo", Instrument: btc, Side: []string{"buy", "buy", "sell"}[i%3],
			Type: "market", Qty: "0.001", ClientOrderID: name})
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.orders[st.OrderID] = name
		s.mu.Unlock()
	}
}
