package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/bytedance/sonic"
	"github.com/fasthttp/websocket"
)

// Errors of a Conn.
var (
	ErrClosed       = errors.New("client: connection is closed")
	ErrDisconnected = errors.New("client: disconnected before the answer")
)

// Options of Dial. The zero value does not reconnect.
type Options struct {
	// Reconnect dials again after a disconnect that the server's reason allows,
	// after a back-off from MinBackoff, doubling to MaxBackoff, with jitter.
	Reconnect              bool
	MinBackoff, MaxBackoff time.Duration // default 100 ms and 10 s

	// ReadBuffer bounds what the kernel buffers, in bytes; 0 leaves it alone.
	ReadBuffer int
	// ReadTimeout ends a connection on which nothing came for so long, not even a
	// ping; default 60 s.
	ReadTimeout time.Duration
	// Dial connects to the server instead of a net.Dialer, for instance by way of a
	// proxy, when it is not nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Auth proves who the client is; nil: it is nobody.
	Auth Auth
	// TLS, when it is not nil, has the connection encrypted: wss.
	TLS *tls.Config
	// Origin is sent as the Origin header when it is not empty.
	Origin string

	// OnState, if set, is called when the connection is lost (with the reason) and
	// when it is back (with nil), on the connection's goroutine.
	OnState func(err error)
}

func (o *Options) setDefaults() {
	if o.MinBackoff == 0 {
		o.MinBackoff = 100 * time.Millisecond
	}
	if o.MaxBackoff == 0 {
		o.MaxBackoff = 10 * time.Second
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = time.Minute
	}
}

// Sub is a subscription. Handle is called for each frame on the connection's
// goroutine.
type Sub struct {
	Channel string
	Handle  func(*Message)
	// From, when Resume is set, is the last event of a private channel that was
	// seen, as Conn.Last tells it.
	Resume bool
	From   Position
	// OnGap, if set, is called on the connection's goroutine when the server no longer has
	// the events after the last one that was seen, before Handle gets the snapshot with
	// which the channel begins anew: what happened in between it does not tell. Executions
	// are in no snapshot: ask for them over HTTP.
	OnGap func(last Position)
}

// Position is where a private channel stands.
type Position struct {
	Seq uint64
	Idx uint32
}

// subscription is a Sub and how far it has come.
type subscription struct {
	handle func(*Message)
	onGap  func(last Position)
	last   Position
	seen   bool
}

// Conn is a connection to a server's WebSocket. All methods may be called from
// any goroutine but, if they wait for an answer, not from a handler.
type Conn struct {
	addr string
	opt  Options
	http *HTTP // of the same server, for who has to log in

	mu      sync.Mutex
	ws      *websocket.Conn // nil while disconnected
	subs    map[string]*subscription
	waiting map[uint64]chan answer
	nextID  uint64
	closed  bool
	err     error

	writeMu sync.Mutex
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{}
}

// answer is what came of a request.
type answer struct {
	body []byte
	err  error
}

// Dial connects to the server at addr ("host:port").
func Dial(ctx context.Context, addr string, opt Options) (*Conn, error) {
	opt.setDefaults()
	c := &Conn{addr: addr, opt: opt, subs: map[string]*subscription{}, waiting: map[uint64]chan answer{}, done: make(chan struct{})}
	c.http = NewHTTPWith(addr, HTTPOptions{TLS: opt.TLS, Dial: func(addr string) (net.Conn, error) { return c.dialNet(c.ctx, "tcp", addr) }})
	c.ctx, c.cancel = context.WithCancel(context.Background())
	ws, err := c.dial(ctx)
	if err != nil {
		c.cancel()
		return nil, err
	}
	c.ws = ws
	go c.run(ws)
	return c, nil
}

// Close ends the connection and waits for its goroutine.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.closed = true
	ws := c.ws
	c.mu.Unlock()
	c.cancel()
	if ws != nil {
		deadline := time.Now().Add(100 * time.Millisecond)
		bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		_ = ws.WriteControl(websocket.CloseMessage, bye, deadline) // the server may be gone
		_ = ws.NetConn().Close()
	}
	<-c.done
	c.http.Close()
	return nil
}

// Done is closed when the connection has ended for good; Err then tells why.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns why the connection was lost last, nil if it never was.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Last returns the last event of a channel that was handled.
func (c *Conn) Last(channel string) (Position, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.subs[channel]
	if s == nil {
		return Position{}, false
	}
	return s.last, s.seen
}

// Subscribe subscribes to one channel and returns once the server has said so.
func (c *Conn) Subscribe(ctx context.Context, sub Sub) error {
	c.mu.Lock()
	s := &subscription{handle: sub.Handle, onGap: sub.OnGap, last: sub.From, seen: sub.Resume}
	old := c.subs[sub.Channel]
	c.subs[sub.Channel] = s
	c.mu.Unlock()
	_, err := c.Do(ctx, subscribeRequest(sub.Channel, s))
	if err != nil {
		c.mu.Lock()
		if old != nil {
			c.subs[sub.Channel] = old
		} else {
			delete(c.subs, sub.Channel)
		}
		c.mu.Unlock()
	}
	return err
}

// Unsubscribe ends a subscription: its handler is not called after it returns.
func (c *Conn) Unsubscribe(ctx context.Context, channel string) error {
	_, err := c.Do(ctx, map[string]any{"op": "unsubscribe", "channels": []string{channel}})
	if err == nil {
		c.mu.Lock()
		delete(c.subs, channel)
		c.mu.Unlock()
	}
	return err
}

// Ping waits for the server's answer to a ping request.
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.Do(ctx, map[string]any{"op": "ping"})
	return err
}

// Order enters an order over the WebSocket. A refusal is a *Refusal.
func (c *Conn) Order(ctx context.Context, o Order) (OrderState, error) {
	return c.orderRequest(ctx, struct {
		request
		Order
	}{request{Op: "order"}, o})
}

// Cancel cancels an order over the WebSocket.
func (c *Conn) Cancel(ctx context.Context, t Target) (OrderState, error) {
	return c.orderRequest(ctx, struct {
		request
		Target
	}{request{Op: "cancel"}, t})
}

// Amend changes an order over the WebSocket; an empty price or quantity stays.
func (c *Conn) Amend(ctx context.Context, t Target, price, qty string) (OrderState, error) {
	return c.orderRequest(ctx, struct {
		request
		Target
		Price string `json:"price,omitempty"`
		Qty   string `json:"qty,omitempty"`
	}{request{Op: "amend"}, t, price, qty})
}

type request struct {
	Op string `json:"op"`
}

func (c *Conn) orderRequest(ctx context.Context, req any) (st OrderState, err error) {
	body, err := c.Do(ctx, req)
	if err != nil {
		return st, err
	}
	if err := sonic.Unmarshal(body, &st); err != nil {
		return st, fmt.Errorf("client: answer: %w", err)
	}
	return st, nil
}

// Do sends a request, any value that marshals to a JSON object, with an id of
// its own, and returns the whole answer. An answer that is not ok is a *Refusal.
func (c *Conn) Do(ctx context.Context, req any) ([]byte, error) {
	raw, err := sonic.Marshal(req)
	if err != nil {
		return nil, err
	}
	id, ch, err := c.expect()
	if err != nil {
		return nil, err
	}
	head := fmt.Appendf(nil, `{"id":%d,`, id)
	if err := c.write(append(head, raw[1:]...)); err != nil {
		c.abandon(id)
		return nil, err
	}
	select {
	case a := <-ch:
		return a.body, a.err
	case <-ctx.Done():
		c.abandon(id)
		return nil, context.Cause(ctx)
	}
}

// Write sends one text message as it is. Its answer, if it has one, is dropped.
func (c *Conn) Write(text []byte) error { return c.write(text) }

func (c *Conn) expect() (uint64, chan answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, nil, ErrClosed
	}
	c.nextID++
	ch := make(chan answer, 1)
	c.waiting[c.nextID] = ch
	return c.nextID, ch, nil
}

func (c *Conn) abandon(id uint64) {
	c.mu.Lock()
	delete(c.waiting, id)
	c.mu.Unlock()
}

func (c *Conn) write(text []byte) error {
	c.mu.Lock()
	ws, err := c.ws, c.err
	c.mu.Unlock()
	if ws == nil {
		return errors.Join(ErrClosed, err)
	}
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	return ws.WriteMessage(websocket.TextMessage, text)
}
