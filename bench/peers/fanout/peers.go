package fanout

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/lxzan/gws"
	"github.com/valyala/fasthttp"
)

// readyPatience is how long connections may take to be served.
const readyPatience = 30 * time.Second

// gather takes n connections from a channel.
func gather[C any](from <-chan C, n int) (all []C, err error) {
	late := time.After(readyPatience)
	for len(all) < n {
		select {
		case c := <-from:
			all = append(all, c)
		case <-late:
			return all, fmt.Errorf("%d of %d connections after %v", len(all), n, readyPatience)
		}
	}
	return all, nil
}

// gwsServer broadcasts with gws's Broadcaster, which frames a message once; every
// connection has a queue of its own.
type gwsServer struct {
	gws.BuiltinEventHandler
	ln      net.Listener
	up      *gws.Upgrader
	m       *messages
	opened  chan *gws.Conn
	conns   []*gws.Conn
	clients int
	buf     []byte
	serving sync.WaitGroup
}

func startGWS(m *messages, clients int) (server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &gwsServer{ln: ln, m: m, opened: make(chan *gws.Conn, clients), clients: clients}
	s.up = gws.NewUpgrader(s, nil)
	s.serving.Go(s.accept)
	return s, nil
}

// accept does what the library's own server does, and ends with the listener.
func (s *gwsServer) accept() {
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.serving.Go(func() {
			r := bufio.NewReader(nc)
			request, err := http.ReadRequest(r)
			if err != nil {
				nc.Close()
				return
			}
			c, err := s.up.UpgradeFromConn(nc, r, request)
			if err != nil {
				return // closed by the library
			}
			s.opened <- c
			c.ReadLoop()
		})
	}
}

func (s *gwsServer) addr() string { return s.ln.Addr().String() }

func (s *gwsServer) handshake() (request, end string) { return handshake, "\r\n\r\n" }

func (s *gwsServer) ready() (err error) {
	s.conns, err = gather(s.opened, s.clients)
	return err
}

func (s *gwsServer) publish(i int) error {
	s.buf = s.m.payload(s.buf[:0], i)
	b := gws.NewBroadcaster(gws.OpcodeText, append([]byte(nil), s.buf...)) // kept until it is written
	var err error
	for _, c := range s.conns {
		err = errors.Join(err, b.Broadcast(c))
	}
	return errors.Join(err, b.Close())
}

func (s *gwsServer) flush() error { return nil }

func (s *gwsServer) close() error {
	err := s.ln.Close()
	s.serving.Wait()
	return err
}

// websocketServer has a goroutine and a channel of prepared messages for each
// connection, as the library's own example of a chat does.
type websocketServer struct {
	ln      net.Listener
	m       *messages
	http    *fasthttp.Server
	opened  chan *websocketConn
	conns   []*websocketConn
	clients int
	serving sync.WaitGroup
}

type websocketConn struct {
	ws    *websocket.Conn
	queue chan *websocket.PreparedMessage
	ended chan struct{}
}

// queueLen is how many messages wait for one connection before the publisher does.
const queueLen = 256

func startWebsocket(m *messages, clients int) (server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &websocketServer{ln: ln, m: m, opened: make(chan *websocketConn, clients), clients: clients}
	up := websocket.FastHTTPUpgrader{}
	s.http = &fasthttp.Server{Handler: func(c *fasthttp.RequestCtx) { _ = up.Upgrade(c, s.serve) }, CloseOnShutdown: true}
	s.serving.Go(func() { _ = s.http.Serve(ln) }) // ends when ln is closed
	return s, nil
}

// serve writes what comes in the queue until that is closed or the client has gone.
func (s *websocketServer) serve(ws *websocket.Conn) {
	c := &websocketConn{ws: ws, queue: make(chan *websocket.PreparedMessage, queueLen), ended: make(chan struct{})}
	defer close(c.ended)
	s.opened <- c
	for p := range c.queue {
		if ws.WritePreparedMessage(p) != nil {
			return
		}
	}
}

func (s *websocketServer) addr() string { return s.ln.Addr().String() }

func (s *websocketServer) handshake() (request, end string) { return handshake, "\r\n\r\n" }

func (s *websocketServer) ready() (err error) {
	s.conns, err = gather(s.opened, s.clients)
	return err
}

func (s *websocketServer) publish(i int) error {
	p, err := websocket.NewPreparedMessage(websocket.TextMessage, s.m.payload(nil, i))
	if err != nil {
		return err
	}
	for _, c := range s.conns {
		select {
		case c.queue <- p:
		case <-c.ended:
			return errors.New("a connection ended")
		}
	}
	return nil
}

func (s *websocketServer) flush() error { return nil }

func (s *websocketServer) close() error {
	for _, c := range s.conns {
		close(c.queue)
		<-c.ended
	}
	err := s.http.Shutdown()
	s.serving.Wait()
	return err
}
