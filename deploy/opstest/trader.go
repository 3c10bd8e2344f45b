package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"qcat/api/client"
)

// front is where clients come in: nginx, over TLS.
const front = "127.0.0.1:443"

// instrument is what is traded, on the simulated market.
const instrument = "sim:BTCUSDT"

// account is the one that production.yaml has.
const account = "desk1"

// trader is a strategy that trades over a WebSocket through nginx for as long as the test
// goes on, by an API key, through every restart: it notes what was acknowledged, asks again
// for what was not, and follows its own orders in a private stream.
type trader struct {
	conn *client.Conn
	http *client.HTTP

	mu     sync.Mutex
	acked  map[string]uint64 // the server's number, by the client's
	seen   map[uint64]bool   // in the stream, by the server's
	latest time.Time         // of an acknowledgement
	gap    time.Duration     // the longest without one

	order sync.Mutex // held while an order is under way, and by pause
}

// startTrader connects, subscribes and trades until the test ends.
func startTrader(auth client.Auth) (*trader, error) {
	roots, err := trusted()
	if err != nil {
		return nil, err
	}
	t := &trader{acked: map[string]uint64{}, seen: map[uint64]bool{}}
	t.http = client.NewHTTPWith(front, client.HTTPOptions{Auth: auth, TLS: roots.Clone()})
	ctx := context.Background() // to the end of the test
	t.conn, err = client.Dial(ctx, front, client.Options{Auth: auth, TLS: roots, Reconnect: true, MaxBackoff: time.Second})
	if err != nil {
		return nil, err
	}
	if err := t.conn.Subscribe(ctx, client.Sub{Channel: "orders", Handle: t.event}); err != nil {
		return nil, errors.Join(err, t.conn.Close())
	}
	go t.trade(ctx)
	return t, nil
}

// trusted is TLS that believes the deployment's own certificate; read at each handshake,
// since that changes.
func trusted() (*tls.Config, error) {
	if _, err := os.ReadFile(siteFolder + "/deploy/ssl/server.crt"); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: "localhost",
		// It is verified below, against a certificate that may change.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(state tls.ConnectionState) error {
			pem, err := os.ReadFile(siteFolder + "/deploy/ssl/server.crt")
			if err != nil {
				return err
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(pem)
			_, err = state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost"})
			return err
		},
	}, nil
}

// event takes a frame of the stream.
func (t *trader) event(m *client.Message) {
	var o client.OrderState
	if err := json.Unmarshal(m.Data, &o); err != nil || o.OrderID == 0 {
		return // a snapshot's frame, or its end
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen[o.OrderID] = true
}

// trade sends an order every fifty milliseconds, and each again under the same number
// until it is known what became of it.
func (t *trader) trade(ctx context.Context) {
	prefix := time.Now().Format("150405.000")
	for n := 0; ctx.Err() == nil; n++ {
		side := "buy"
		if n%2 == 1 {
			side = "sell"
		}
		o := client.Order{Account: account, Instrument: instrument, Side: side, Type: "market", Qty: "0.010",
			ClientOrderID: fmt.Sprintf("%s-%d", prefix, n)}
		t.order.Lock()
		for ctx.Err() == nil && !t.settle(ctx, o) {
			wait(ctx, 50*time.Millisecond)
		}
		t.order.Unlock()
		wait(ctx, 50*time.Millisecond)
	}
}

// settle sends an order and says whether there was an answer that stands.
func (t *trader) settle(ctx context.Context, o client.Order) bool {
	ask, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	state, err := t.conn.Order(ask, o)
	var refused *client.Refusal
	switch {
	case err == nil:
		t.mu.Lock()
		t.acked[o.ClientOrderID] = state.OrderID
		if !t.latest.IsZero() {
			t.gap = max(t.gap, time.Since(t.latest))
		}
		t.latest = time.Now()
		t.mu.Unlock()
		return true
	case errors.As(err, &refused) && strings.HasPrefix(refused.Code, "risk."):
		return true // the market does that: stale books, collars
	}
	return false
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// pause sends no order until resume; none is under way then.
func (t *trader) pause() { t.order.Lock() }

func (t *trader) resume() { t.order.Unlock() }

// count is how many orders were acknowledged.
func (t *trader) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.acked)
}

// measure returns the longest time without an acknowledgement since the last call.
func (t *trader) measure() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	gap := t.gap
	t.gap = 0
	return gap
}

// progresses waits until orders are acknowledged that were sent after the call.
func (t *trader) progresses(limit time.Duration) error {
	from := t.count()
	return eventually(limit, func() error {
		if now := t.count(); now < from+3 {
			return fmt.Errorf("no order is acknowledged any more, after %d", now)
		}
		return nil
	})
}

// nothingLost asks the server for every order that was ever acknowledged: the stream had
// it, and the server has it under the number that was acknowledged.
func (t *trader) nothingLost() error {
	t.mu.Lock()
	acked := make(map[string]uint64, len(t.acked))
	for id, number := range t.acked {
		acked[id] = number
	}
	t.mu.Unlock()
	known := map[string]uint64{}
	var all []client.OrderState
	if err := t.http.Call("GET", "orders?account="+account+"&limit=10000", nil, &all); err != nil {
		return err
	}
	for _, o := range all {
		known[o.ClientOrderID] = o.OrderID
	}
	for id, number := range acked {
		if known[id] != number {
			return fmt.Errorf("order %s was acknowledged as %d, and the server has %d (of %d acknowledged it knows %d)", id, number, known[id], len(acked), len(known))
		}
	}
	return eventually(10*time.Second, func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		for id, number := range acked {
			if !t.seen[number] {
				return fmt.Errorf("order %s (%d) was acknowledged, and is not in the stream", id, number)
			}
		}
		return nil
	})
}
