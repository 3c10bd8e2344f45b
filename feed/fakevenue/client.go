package fakevenue

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
)

// writeTimeout is when a client that does not read is given up.
const writeTimeout = 10 * time.Second

// client is one WebSocket connection to the fake.
type client struct {
	srv      *Server
	ws       *websocket.Conn
	route    Route
	combined bool

	write sync.Mutex // one writer at a time

	mu      sync.Mutex
	streams map[string]bool
	pings   int
	pongs   map[string]chan struct{}
	gone    chan struct{} // closed when the reader ends
}

// serveStreams upgrades the request and reads the client's requests until it
// goes away.
func (s *Server) serveStreams(w http.ResponseWriter, r *http.Request, streams []string, combined bool) {
	route := routeOf(r.URL.Path)
	s.mu.Lock()
	refuse := s.closed || s.faults.refuse > 0
	if s.faults.refuse > 0 {
		s.faults.refuse--
	}
	s.mu.Unlock()
	if refuse {
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c := &client{srv: s, ws: ws, route: route, combined: combined, streams: map[string]bool{},
		pongs: map[string]chan struct{}{}, gone: make(chan struct{})}
	c.subscribe(streams)
	if !s.join(c) {
		ws.Close()
		return
	}
	defer s.leave(c)
	c.read()
}

// join adds a client, unless the server is closing.
func (s *Server) join(c *client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.clients[c] = true
	s.stats.Connections++
	if c.count() > 0 {
		s.stats.Subscriptions++
	}
	s.done.Add(1)
	s.announce()
	return true
}

func (s *Server) leave(c *client) {
	close(c.gone)
	c.ws.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
	s.announce()
	s.done.Done()
}

// read answers requests, pings and pongs until the connection ends.
func (c *client) read() {
	c.ws.SetPingHandler(func(data string) error {
		if c.srv.isDead() {
			return nil
		}
		// A failing write ends the connection by the next read.
		_ = c.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
		return nil
	})
	c.ws.SetPongHandler(func(data string) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if ch := c.pongs[data]; ch != nil {
			close(ch)
			delete(c.pongs, data)
		}
		return nil
	})
	for {
		_, msg, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		if !c.srv.isDead() {
			c.request(msg)
		}
	}
}

// request serves SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS.
func (c *client) request(msg []byte) {
	var req struct {
		Method string          `json:"method"`
		Params []string        `json:"params"`
		ID     json.RawMessage `json:"id"`
	}
	if err := json.Unmarshal(msg, &req); err != nil {
		c.text([]byte(`{"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}}`))
		return
	}
	result := []byte("null")
	switch req.Method {
	case "SUBSCRIBE":
		c.subscribe(req.Params)
		c.srv.mu.Lock()
		c.srv.stats.Subscriptions++
		c.srv.announce()
		c.srv.mu.Unlock()
	case "UNSUBSCRIBE":
		c.mu.Lock()
		for _, s := range req.Params {
			delete(c.streams, s)
		}
		c.mu.Unlock()
	case "LIST_SUBSCRIPTIONS":
		result = c.list()
	default:
		c.text(fmt.Appendf(nil, `{"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":%s}`, req.ID))
		return
	}
	c.text(fmt.Appendf(nil, `{"result":%s,"id":%s}`, result, req.ID))
}

func (c *client) subscribe(streams []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range streams {
		if s != "" {
			c.streams[s] = true
		}
	}
}

func (c *client) list() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]string, 0, len(c.streams))
	for s := range c.streams {
		names = append(names, s)
	}
	slices.Sort(names)
	b, err := json.Marshal(names)
	if err != nil {
		panic("fakevenue: a list of strings is always JSON: " + err.Error())
	}
	return b
}

// count returns how many streams the client has subscribed to.
func (c *client) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.streams)
}

// send writes a frame if the client has subscribed to its stream.
func (c *client) send(f *Frame) {
	c.mu.Lock()
	wanted := c.streams[f.Stream] && c.route.serves(f.Stream)
	c.mu.Unlock()
	switch {
	case !wanted:
	case c.combined:
		c.text(f.Wrapped)
	default:
		c.text(f.Payload)
	}
}

// text writes one text message; a client that does not take it is cut off.
func (c *client) text(msg []byte) {
	c.write.Lock()
	defer c.write.Unlock()
	_ = c.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err := c.ws.WriteMessage(websocket.TextMessage, msg); err != nil {
		c.ws.Close()
	}
}

// barrier pings the client and waits for the answer.
func (c *client) barrier(ctx context.Context) error {
	c.mu.Lock()
	c.pings++
	name, ch := strconv.Itoa(c.pings), make(chan struct{})
	c.pongs[name] = ch
	c.mu.Unlock()
	c.write.Lock()
	err := c.ws.WriteControl(websocket.PingMessage, []byte(name), time.Now().Add(writeTimeout))
	c.write.Unlock()
	if err != nil {
		return nil //nolint:nilerr // it is gone: nobody to wait for
	}
	select {
	case <-ch:
		return nil
	case <-c.gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("fakevenue: a client has not read what it was sent: %w", ctx.Err())
	}
}
