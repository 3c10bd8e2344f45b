package feed_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/core"
	"qcat/feed"
)

// toyServer is a toy venue behind a real socket: it sends what its instruments
// say to every subscribed connection, marks to those at /marks and the rest to the
// others, and can be made to misbehave.
type toyServer struct {
	t    *testing.T
	http *httptest.Server

	mu      sync.Mutex
	venues  map[core.InstrumentID]*toyVenue
	conns   map[*toyConn]bool
	dials   int
	fetches int
	pings   int
	pongs   int
	lagging *toyConn      // delivers its frames one step late
	mute    bool          // new connections get neither data nor pongs
	refuse  error         // what FetchSnapshot answers
	hold    chan struct{} // FetchSnapshot answers when it is closed, with what was then
	policy  feed.ConnPolicy
	marks   bool // there is an auxiliary address
	marked  int  // the last mark price sent
}

// toyConn is the server's end of a connection.
type toyConn struct {
	ws         *websocket.Conn
	writing    sync.Mutex
	mute       bool
	marks      bool // connected to /marks
	subscribed bool // guarded by toyServer.mu
	late       []string
}

func newToyServer(t *testing.T, c feed.Continuity, ids ...core.InstrumentID) *toyServer {
	s := &toyServer{t: t, venues: map[core.InstrumentID]*toyVenue{}, conns: map[*toyConn]bool{}}
	for _, id := range ids {
		s.venues[id] = newToyVenue(c, id, rand.New(rand.NewPCG(uint64(id), 3)))
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.cut()
		s.http.Close()
	})
	return s
}

func (s *toyServer) serve(w http.ResponseWriter, r *http.Request) {
	u := websocket.Upgrader{}
	ws, err := u.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	s.mu.Lock()
	s.dials++
	c := &toyConn{ws: ws, mute: s.mute, marks: r.URL.Path == "/marks"}
	s.conns[c] = true
	s.mu.Unlock()
	ws.SetPingHandler(func(data string) error {
		s.mu.Lock()
		s.pings++
		s.mu.Unlock()
		if c.mute {
			return nil
		}
		return ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
	})
	ws.SetPongHandler(func(string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pongs++
		return nil
	})
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			break
		}
		if string(frame) == "subscribe" {
			s.mu.Lock()
			c.subscribed = !c.mute
			s.mu.Unlock()
		}
	}
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// send writes a frame to one connection; one that is gone is found by its reader.
func (c *toyConn) send(frame string) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.ws.WriteMessage(websocket.TextMessage, []byte(frame))
}

// say lets every instrument speak once, and sends it to all who listen.
func (s *toyServer) say() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marked++
	for _, v := range s.venues {
		frames := []string{v.depth(), v.quote(), v.tradeFrame()}
		mark := []string{fmt.Sprintf("m %d %d", v.id, s.marked)}
		for c := range s.conns {
			if !c.subscribed {
				continue
			}
			out := frames
			if c.marks {
				out = mark
			}
			if c == s.lagging {
				out, c.late = c.late, frames
			}
			for _, f := range out {
				c.send(f)
			}
		}
	}
}

// talk lets the venue speak until the test ends or stop is called.
func (s *toyServer) talk() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				s.say()
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	s.t.Cleanup(stop)
	return stop
}

// cut ends all connections without a goodbye.
func (s *toyServer) cut() { s.cutIf(func(*toyConn) bool { return true }) }

// cutIf ends the connections that which picks.
func (s *toyServer) cutIf(which func(*toyConn) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if which(c) {
			_ = c.ws.Close()
		}
	}
}

// setMute makes new connections mute, or no longer.
func (s *toyServer) setMute(v bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = v
}

// setRefuse makes FetchSnapshot answer with err.
func (s *toyServer) setRefuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = err
}

// count returns one of the server's counters.
func (s *toyServer) count(n *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *n
}

// StreamURL implements feed.Venue.
func (s *toyServer) StreamURL() string { return "ws" + strings.TrimPrefix(s.http.URL, "http") }

// Subscribe implements feed.Venue.
func (s *toyServer) Subscribe() [][]byte { return [][]byte{[]byte("hello"), []byte("subscribe")} }

// Auxiliary implements feed.Venue.
func (s *toyServer) Auxiliary() []feed.Streams {
	if !s.marks {
		return nil
	}
	return []feed.Streams{toyMarks{s}}
}

// toyMarks is the auxiliary address.
type toyMarks struct{ s *toyServer }

// StreamURL implements feed.Streams.
func (m toyMarks) StreamURL() string { return m.s.StreamURL() + "/marks" }

// Subscribe implements feed.Streams.
func (m toyMarks) Subscribe() [][]byte { return m.s.Subscribe() }

// Policy implements feed.Venue.
func (s *toyServer) Policy() feed.ConnPolicy { return s.policy }

// FetchSnapshot implements feed.Venue.
func (s *toyServer) FetchSnapshot(ctx context.Context, id core.InstrumentID) ([]byte, error) {
	s.mu.Lock()
	s.fetches++
	hold, err, body := s.hold, s.refuse, s.venues[id].snapshot()
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return []byte(body), nil
}
