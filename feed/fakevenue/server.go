package fakevenue

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"qcat/core"
	"qcat/feed/binance"
)

// Server is a fake venue that plays one Source. See the package documentation.
type Server struct {
	src  *Source
	http *http.Server
	addr string
	done sync.WaitGroup

	play sync.Mutex // held by who plays frames

	mu       sync.Mutex
	position int               // frames played
	truths   map[string]*truth // by symbol
	clients  map[*client]bool
	faults   faults
	stats    Stats
	closed   bool
	changed  chan struct{} // closed and replaced when clients or stats change
}

// Stats counts what clients did, since the start.
type Stats struct {
	Connections   int // WebSocket connections accepted
	Subscriptions int // SUBSCRIBE requests and connections that named streams
	Snapshots     map[string]int
	RESTCalls     int
}

// New starts a server on a free loopback port. Nothing is played yet.
func New(src *Source) (*Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("fakevenue: %w", err)
	}
	s := &Server{
		src: src, addr: ln.Addr().String(), truths: map[string]*truth{},
		clients: map[*client]bool{}, changed: make(chan struct{}),
	}
	s.stats.Snapshots = map[string]int{}
	for _, in := range src.Instruments {
		s.truths[in.Symbol] = newTruth(in, src.Initial[in.Symbol])
	}
	s.http = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}
	s.done.Go(func() {
		// Serve returns when Close closes the listener.
		_ = s.http.Serve(ln)
	})
	return s, nil
}

// Close ends all connections and waits for the server's goroutines.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.faults.release()
	s.mu.Unlock()
	err := s.http.Close()
	s.DropConnections()
	s.done.Wait()
	return err
}

// WS returns the base URL that serves all streams, for binance.Options.WS.
func (s *Server) WS() string { return s.WSAt(RouteAll) }

// REST returns the base URL of the REST interface, for binance.Options.REST.
func (s *Server) REST() string { return "http://" + s.addr }

// Len returns how many frames the script has.
func (s *Server) Len() int { return len(s.src.Frames) }

// Position returns how many frames were played.
func (s *Server) Position() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Snapshots = map[string]int{}
	for symbol, n := range s.stats.Snapshots {
		out.Snapshots[symbol] = n
	}
	return out
}

// Truth returns the true book of a symbol, best levels first, and its update id.
func (s *Server) Truth(symbol string) (bids, asks []core.Level, lastUpdateID uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.truths[symbol]
	if t == nil {
		return nil, nil, 0
	}
	return t.levels(core.Buy), t.levels(core.Sell), t.last
}

// TruthHash returns the hash of the true book of a symbol, as book.Book has it.
func (s *Server) TruthHash(symbol string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.truths[symbol]; t != nil {
		return t.book.Hash()
	}
	return 0
}

// Step plays the next n frames, or what is left, as fast as the clients take
// them, and returns how many it played. The frames have been written to the
// sockets then; Barrier waits until they were read.
func (s *Server) Step(n int) int {
	s.play.Lock()
	defer s.play.Unlock()
	played := 0
	for played < n && s.next() {
		played++
	}
	return played
}

// Play plays what is left, one frame each interval (0: as fast as possible),
// and returns at the end of the script or with ctx's error.
func (s *Server) Play(ctx context.Context, interval time.Duration) error {
	if interval <= 0 {
		for ctx.Err() == nil && s.Step(100) > 0 {
		}
		return ctx.Err()
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for s.Step(1) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// next plays one frame: the truth first, then the clients.
func (s *Server) next() bool {
	s.mu.Lock()
	if s.closed || s.position == len(s.src.Frames) {
		s.mu.Unlock()
		return false
	}
	f := &s.src.Frames[s.position]
	s.position++
	if f.Depth != nil {
		s.truths[f.Symbol].apply(f.Depth)
	}
	deliver := s.faults.deliver(f)
	clients := s.listening()
	s.mu.Unlock()
	for _, d := range deliver {
		for _, c := range clients {
			c.send(d)
		}
	}
	return true
}

// listening returns the clients that hear anything now. mu is held.
func (s *Server) listening() []*client {
	if s.faults.silent || s.faults.dead {
		return nil
	}
	out := make([]*client, 0, len(s.clients))
	for c := range s.clients {
		out = append(out, c)
	}
	return out
}

// announce wakes who waits for a change. mu is held.
func (s *Server) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait returns when cond, called with mu held, is true, or with ctx's error.
func (s *Server) wait(ctx context.Context, cond func() bool) error {
	for {
		s.mu.Lock()
		ok, changed := cond(), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// WaitStats returns once cond is true of the counters.
func (s *Server) WaitStats(ctx context.Context, cond func(Stats) bool) error {
	return s.wait(ctx, func() bool { return cond(s.stats) })
}

// Barrier returns once every client has read all that was sent to it before: it
// pings them and waits for the answers, which a client sends when its reader has
// come that far. A client that goes away meanwhile is not waited for.
func (s *Server) Barrier(ctx context.Context) error {
	s.mu.Lock()
	clients := s.listening()
	s.mu.Unlock()
	for _, c := range clients {
		if err := c.barrier(ctx); err != nil {
			return err
		}
	}
	return nil
}

// instrument returns the source's instrument of that symbol.
func (s *Server) instrument(symbol string) (core.Instrument, bool) {
	i := slices.IndexFunc(s.src.Instruments, func(in core.Instrument) bool { return in.Symbol == symbol })
	if i < 0 {
		return core.Instrument{}, false
	}
	return s.src.Instruments[i], true
}

// routes serves streams at any path that ends in /stream or holds /ws (the route
// stands before it), and REST below the market's prefix.
func (s *Server) routes() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		prefix := map[binance.Market]string{binance.Spot: "/api/v3", binance.USDM: "/fapi/v1"}[s.src.Market]
		path, isREST := strings.CutPrefix(r.URL.Path, prefix)
		_, streams, isRaw := strings.Cut(r.URL.Path, "/ws")
		switch {
		case isREST:
			s.serveREST(w, r, path)
		case strings.HasSuffix(r.URL.Path, "/stream"):
			s.serveStreams(w, r, strings.Split(r.URL.Query().Get("streams"), "/"), true)
		case isRaw:
			s.serveStreams(w, r, strings.Split(streams, "/"), false)
		default:
			http.NotFound(w, r)
		}
	})
}
