package main

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

// venue stands in for Binance USD-M: trading rules and a snapshot over REST, and
// one WebSocket connection that the load generator writes to itself, so that
// nothing stands between the schedule and the socket.
type venue struct {
	ln   net.Listener
	srv  *fasthttp.Server
	conn chan *websocket.Conn // the server's connection, once

	mu     sync.Mutex
	ws     *websocket.Conn
	lastID uint64
}

// firstID is the snapshot's lastUpdateId.
const firstID = 1000

func newVenue() (*venue, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	v := &venue{ln: ln, conn: make(chan *websocket.Conn, 1), lastID: firstID - 1}
	v.srv = &fasthttp.Server{Handler: v.handle}
	go func() { _ = v.srv.Serve(ln) }()
	return v, nil
}

func (v *venue) addr() string { return v.ln.Addr().String() }

func (v *venue) close() { _ = v.ln.Close() }

const exchangeInfo = `{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","contractType":"PERPETUAL","baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","pricePrecision":2,"quantityPrecision":3,"filters":[` +
	`{"filterType":"PRICE_FILTER","minPrice":"1.00","maxPrice":"1000000.00","tickSize":"0.10"},` +
	`{"filterType":"LOT_SIZE","minQty":"0.001","maxQty":"100000","stepSize":"0.001"},` +
	`{"filterType":"MARKET_LOT_SIZE","minQty":"0.001","maxQty":"1000","stepSize":"0.001"},` +
	`{"filterType":"MIN_NOTIONAL","notional":"5"},` +
	`{"filterType":"PERCENT_PRICE","multiplierUp":"1.0500","multiplierDown":"0.9500","multiplierDecimal":"4"}]}]}`

func (v *venue) handle(c *fasthttp.RequestCtx) {
	switch path := string(c.Path()); {
	case strings.HasSuffix(path, "/exchangeInfo"):
		c.SetBodyString(exchangeInfo)
	case strings.HasSuffix(path, "/depth"):
		fmt.Fprintf(c, `{"lastUpdateId":%d,"E":1,"T":1,"bids":[["60000.00","1.000"]],"asks":[["60000.10","1.000"]]}`, firstID)
	default:
		up := websocket.FastHTTPUpgrader{}
		_ = up.Upgrade(c, func(ws *websocket.Conn) {
			v.conn <- ws
			for {
				if _, _, err := ws.ReadMessage(); err != nil {
					return
				}
			}
		})
	}
}

// await waits for the server to connect.
func (v *venue) await(timeout time.Duration) error {
	select {
	case v.ws = <-v.conn:
		return nil
	case <-time.After(timeout):
		return fmt.Errorf("venue: nobody connected within %v", timeout)
	}
}

// depth sends one depth message that follows the one before, so that a snapshot
// has something to continue with.
func (v *venue) depth() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	prev := v.lastID
	v.lastID++
	return v.ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil,
		`{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":%d,"u":%d,"pu":%d,"b":[["60000.00","1.000"]],"a":[]}}`,
		prev+1, v.lastID, prev))
}

// tick sends quote i: its bid quantity is i+1 steps, by which a client knows it.
func (v *venue) tick(buf []byte, i int) ([]byte, error) {
	buf = fmt.Appendf(buf[:0],
		`{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":%d,"s":"BTCUSDT","b":"60000.00","B":"%d.%03d","a":"60000.10","A":"1.000","T":1,"E":1}}`,
		1_000_000+i, (i+1)/1000, (i+1)%1000)
	return buf, v.ws.WriteMessage(websocket.TextMessage, buf)
}
