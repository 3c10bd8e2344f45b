package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/bytedance/sonic"
	"github.com/fasthttp/websocket"

	"qcat/api/wire"
)

// path is where servers have their WebSocket.
const path = "/api/v1/ws"

// dial connects. Where a token has expired it takes another and asks again. What the
// server refuses is a *Refusal.
func (c *Conn) dial(ctx context.Context) (*websocket.Conn, error) {
	var p proof
	ws, err := c.dialOnce(ctx, &p)
	if refusedAuth(err) && p.sent && c.opt.Auth.renew(&p) {
		ws, err = c.dialOnce(ctx, &p)
	}
	if err != nil {
		return nil, fmt.Errorf("client: %s: %w", c.addr, err)
	}
	return ws, nil
}

func (c *Conn) dialOnce(ctx context.Context, p *proof) (*websocket.Conn, error) {
	d := websocket.Dialer{HandshakeTimeout: 10 * time.Second, NetDialContext: c.dialNet, TLSClientConfig: c.opt.TLS}
	header, scheme := http.Header{}, "ws://"
	if c.opt.TLS != nil {
		scheme = "wss://"
	}
	if c.opt.Origin != "" {
		header.Set("Origin", c.opt.Origin)
	}
	if c.opt.Auth != nil {
		*p = proof{method: http.MethodGet, target: path, set: header.Set}
		if err := c.opt.Auth.prove(c.http, p); err != nil {
			return nil, err
		}
		p.sent = true
	}
	ws, resp, err := d.DialContext(ctx, scheme+c.addr+path, header) //nolint:bodyclose // after a handshake there is no body; of a refusal the library has read it
	if err != nil && resp != nil {
		return nil, refusalOf(resp, err)
	}
	return ws, err
}

// refusalOf reads what a server answered instead of a handshake.
func refusalOf(resp *http.Response, err error) error {
	body, readErr := io.ReadAll(resp.Body)
	r := &Refusal{}
	if readErr != nil || sonic.Unmarshal(body, r) != nil || r.Code == "" {
		return fmt.Errorf("%w (status %d)", err, resp.StatusCode)
	}
	r.Status = resp.StatusCode
	return r
}

func (c *Conn) dialNet(ctx context.Context, network, addr string) (net.Conn, error) {
	dial := c.opt.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if t, ok := nc.(interface{ SetReadBuffer(bytes int) error }); ok && c.opt.ReadBuffer > 0 {
		_ = t.SetReadBuffer(c.opt.ReadBuffer) // a hint
	}
	return nc, nil
}

// run is the connection's goroutine.
func (c *Conn) run(ws *websocket.Conn) {
	defer close(c.done)
	for {
		err := c.read(ws)
		_ = ws.NetConn().Close() // it has failed already
		if !c.lost(err) {
			return
		}
		if ws = c.redial(); ws == nil {
			return
		}
	}
}

// read handles frames until the connection fails.
func (c *Conn) read(ws *websocket.Conn) error {
	var buf bytes.Buffer
	extend := func() { _ = ws.SetReadDeadline(time.Now().Add(c.opt.ReadTimeout)) }
	ws.SetPingHandler(func(data string) error {
		extend()
		err := ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
		if errors.Is(err, websocket.ErrCloseSent) {
			return nil
		}
		return err
	})
	for {
		extend()
		_, r, err := ws.NextReader()
		if err != nil {
			return err
		}
		buf.Reset()
		if _, err := buf.ReadFrom(r); err != nil {
			return err
		}
		if err := c.handle(buf.Bytes()); err != nil {
			return err
		}
	}
}

var dataPrefix = []byte(`{"ch":`)

// handle sorts a frame: data of a channel, or an answer.
func (c *Conn) handle(frame []byte) error {
	if bytes.HasPrefix(frame, dataPrefix) {
		return c.handleData(frame)
	}
	var a struct {
		ID    json.RawMessage `json:"id"`
		OK    bool            `json:"ok"`
		Error *Refusal        `json:"error"`

		Channels []string `json:"channels"`
		Resumed  *bool    `json:"resumed"` // of a subscription that asked for it
	}
	if err := sonic.Unmarshal(frame, &a); err != nil {
		return fmt.Errorf("client: answer: %w", err)
	}
	if a.OK && a.Resumed != nil && !*a.Resumed {
		c.gap(a.Channels)
	}
	var id uint64
	if sonic.Unmarshal(a.ID, &id) != nil {
		return nil //nolint:nilerr // an id that is not ours answers what was written by Write
	}
	out := answer{body: slices.Clone(frame)}
	if !a.OK {
		if a.Error == nil {
			a.Error = &Refusal{Code: "unknown"}
		}
		out.err = a.Error
	}
	c.mu.Lock()
	ch := c.waiting[id]
	delete(c.waiting, id)
	c.mu.Unlock()
	if ch != nil {
		ch <- out
	}
	return nil
}

// gap tells of private channels that could not be resumed: they begin anew.
func (c *Conn) gap(channels []string) {
	for _, channel := range channels {
		c.mu.Lock()
		s := c.subs[channel]
		tell := s != nil && s.onGap != nil
		var last Position
		if tell {
			last = s.last
		}
		c.mu.Unlock()
		if tell {
			s.onGap(last)
		}
	}
}

func (c *Conn) handleData(frame []byte) error {
	var m Message
	if err := sonic.Unmarshal(frame, &m); err != nil {
		return fmt.Errorf("client: data frame: %w", err)
	}
	c.mu.Lock()
	s := c.subs[m.Channel]
	if s != nil {
		s.last, s.seen = Position{m.Seq, m.Idx}, true
		if isPrivate(m.Channel) && bytes.HasPrefix(m.Data, []byte(`{"snapshot":true`)) {
			s.last.Idx = ^uint32(0) // a snapshot shows all of its record
		}
	}
	c.mu.Unlock()
	if s != nil && s.handle != nil {
		s.handle(&m)
	}
	return nil
}

func isPrivate(channel string) bool { return !bytes.ContainsRune([]byte(channel), ':') }

// sessionEnded is the code of a connection whose session or key has been ended: who can
// begin another, or has still a key, is let in again, and everybody else is told why not.
const sessionEnded = 4502

// lost fails what waits for an answer and reports whether to dial again.
func (c *Conn) lost(err error) bool {
	c.mu.Lock()
	c.ws, c.err = nil, err
	waiting := c.waiting
	c.waiting = map[uint64]chan answer{}
	again := c.opt.Reconnect && !c.closed
	var ce *websocket.CloseError
	if errors.As(err, &ce) && !wire.Reconnect(ce.Code) {
		again = again && ce.Code == sessionEnded && c.opt.Auth != nil
	}
	closed := c.closed
	if !again {
		c.closed = true
	}
	c.mu.Unlock()
	for _, ch := range waiting {
		ch <- answer{err: fmt.Errorf("%w: %w", ErrDisconnected, err)}
	}
	if c.opt.OnState != nil && !closed {
		c.opt.OnState(err)
	}
	return again
}

// redial dials until it works, and subscribes again. nil: the Conn was closed, or the
// server does not let this client in.
func (c *Conn) redial() *websocket.Conn {
	for backoff := c.opt.MinBackoff; ; backoff = min(2*backoff, c.opt.MaxBackoff) {
		wait := backoff/2 + rand.N(backoff/2+1)
		select {
		case <-c.ctx.Done():
			return nil
		case <-time.After(wait):
		}
		ws, err := c.dial(c.ctx)
		if err != nil {
			if c.unwelcome(err) {
				return nil
			}
			continue
		}
		if err := c.resubscribe(ws); err != nil {
			_ = ws.NetConn().Close()
			continue
		}
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			_ = ws.NetConn().Close()
			return nil
		}
		c.ws = ws
		c.mu.Unlock()
		if c.opt.OnState != nil {
			c.opt.OnState(nil)
		}
		return ws
	}
}

// unwelcome reports whether a server will not let this client in before a person has
// looked, and ends the Conn if so.
func (c *Conn) unwelcome(err error) bool {
	var r *Refusal
	if !errors.Is(err, ErrNoSession) && (!errors.As(err, &r) || r.Status != http.StatusUnauthorized && r.Status != http.StatusForbidden) {
		return false
	}
	c.mu.Lock()
	c.err, c.closed = err, true
	waiting := c.waiting
	c.waiting = map[uint64]chan answer{}
	c.mu.Unlock()
	for _, ch := range waiting {
		ch <- answer{err: fmt.Errorf("%w: %w", ErrDisconnected, err)}
	}
	if c.opt.OnState != nil {
		c.opt.OnState(err)
	}
	return true
}

// resubscribe asks for everything that was subscribed. The answers have no one
// waiting for them.
func (c *Conn) resubscribe(ws *websocket.Conn) error {
	c.mu.Lock()
	var requests []map[string]any
	for channel, s := range c.subs {
		requests = append(requests, subscribeRequest(channel, s))
	}
	c.mu.Unlock()
	for _, req := range requests {
		if err := ws.WriteJSON(req); err != nil {
			return err
		}
	}
	return nil
}

// subscribeRequest asks for a channel, a private one from where it had come to.
func subscribeRequest(channel string, s *subscription) map[string]any {
	req := map[string]any{"op": "subscribe", "channels": []string{channel}}
	if s.seen && isPrivate(channel) {
		req["from_seq"] = s.last.Seq
		if s.last.Idx != ^uint32(0) {
			req["from_idx"] = s.last.Idx
		}
	}
	return req
}
