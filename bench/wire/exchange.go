package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

// exchangeSide stands in for a venue of many instruments: rules and snapshots over
// REST, and WebSockets that the generator writes ticks to itself.
type exchangeSide struct {
	instruments int
	ln          net.Listener

	mu    sync.Mutex
	conns []net.Conn
	of    []int // connection of an instrument, -1: none yet
	left  int   // instruments whose trades nobody has asked for
	whole chan struct{}

	// The writer's own: what is to be written, by connection, and the second in which
	// it last said how long a write may take.
	out    [][]byte
	second int64
}

// newExchange serves n instruments.
func newExchange(n int) (*exchangeSide, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	x := &exchangeSide{instruments: n, ln: ln, of: make([]int, n), left: n, whole: make(chan struct{})}
	for k := range x.of {
		x.of[k] = -1
	}
	srv := &fasthttp.Server{Handler: x.handle, ReadBufferSize: 64 << 10}
	go func() { _ = srv.Serve(ln) }() // until close
	return x, nil
}

// close ends it and its connections.
func (x *exchangeSide) close() {
	_ = x.ln.Close()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.conns {
		_ = c.Close()
	}
}

// config is what a server's configuration says to follow it.
func (x *exchangeSide) config() string {
	var b strings.Builder
	b.WriteString("feed:\n  - \"binance-usdm:")
	for k := range x.instruments {
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, symbolFormat, k)
	}
	fmt.Fprintf(&b, "\"\nbinance-usdm-ws-url: ws://%[1]s\nbinance-usdm-rest-url: http://%[1]s\nbinance-usdm-marks: false\n", x.ln.Addr())
	return b.String()
}

// handle answers what a server asks at its start, and takes its connections.
func (x *exchangeSide) handle(c *fasthttp.RequestCtx) {
	switch path := string(c.Path()); {
	case strings.HasSuffix(path, "/exchangeInfo"):
		rules := exchangeInfo[len(`{"symbols":[`) : len(exchangeInfo)-len(`]}`)]
		_, _ = c.WriteString(`{"symbols":[`)
		for k := range x.instruments {
			if k > 0 {
				_, _ = c.WriteString(",")
			}
			_, _ = c.WriteString(strings.Replace(rules, "BTCUSDT", fmt.Sprintf(symbolFormat, k), 1))
		}
		_, _ = c.WriteString(`]}`)
	case strings.HasSuffix(path, "/depth"):
		_, _ = c.WriteString(`{"lastUpdateId":1000,"E":1,"T":1,"bids":[["60000.00","1.000"]],"asks":[["60000.10","1.000"]]}`)
	default:
		streams := string(c.QueryArgs().Peek("streams"))
		up := websocket.FastHTTPUpgrader{}
		_ = up.Upgrade(c, func(ws *websocket.Conn) { x.serve(ws, streams) }) // a failure is told by await
	}
}

// serve reads subscriptions until the connection ends.
func (x *exchangeSide) serve(ws *websocket.Conn, streams string) {
	x.mu.Lock()
	conn := len(x.conns)
	x.conns = append(x.conns, ws.NetConn())
	x.mu.Unlock()
	x.listed(conn, streams)
	for {
		_, request, err := ws.ReadMessage()
		if err != nil {
			return
		}
		x.listed(conn, string(request))
	}
}

// listed notes the instruments whose trades a list of streams names.
func (x *exchangeSide) listed(conn int, streams string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range strings.FieldsFunc(streams, func(r rune) bool { return r == '/' || r == '"' }) {
		symbol, ok := strings.CutSuffix(name, "usdt@trade")
		if !ok {
			continue
		}
		k, err := strconv.Atoi(strings.TrimPrefix(symbol, "s"))
		if err != nil || k >= x.instruments || x.of[k] >= 0 {
			continue
		}
		x.of[k] = conn
		if x.left--; x.left == 0 {
			close(x.whole)
		}
	}
}

// await waits until every instrument is asked for.
func (x *exchangeSide) await(patience time.Duration) error {
	select {
	case <-x.whole:
		x.mu.Lock()
		defer x.mu.Unlock()
		x.out = make([][]byte, len(x.conns))
		return nil
	case <-time.After(patience):
		return fmt.Errorf("the server has not asked for all of %d instruments within %v", x.instruments, patience)
	}
}

// send writes events, one write a connection, as a busy venue's kernel
// would have put them together.
func (x *exchangeSide) send(from, to int) error {
	millis := time.Now().UnixMilli()
	if second := millis / 1000; second != x.second {
		x.second = second
		for _, c := range x.conns {
			_ = c.SetWriteDeadline(time.Now().Add(setupPatience * time.Second)) // the write will tell
		}
	}
	for e := from; e < to; e++ {
		k := e % x.instruments
		conn := x.of[k]
		x.out[conn] = appendVenueTick(x.out[conn], k, uint64(e/x.instruments)+1, millis)
	}
	for i, b := range x.out {
		if len(b) == 0 {
			continue
		}
		if _, err := x.conns[i].Write(b); err != nil {
			return fmt.Errorf("venue: %w", err)
		}
		x.out[i] = b[:0]
	}
	return nil
}

// relaySide sends to a bare relay what the server would send to its clients.
type relaySide struct {
	instruments int
	to          sock
	out         []byte
}

// send writes events at once.
func (r *relaySide) send(from, to int) error {
	millis := time.Now().UnixMilli()
	r.out = r.out[:0]
	for e := from; e < to; e++ {
		r.out = appendClientTick(r.out, e%r.instruments, uint64(e/r.instruments)+1, millis)
	}
	return r.to.write(r.out)
}
