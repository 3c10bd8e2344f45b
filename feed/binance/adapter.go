package binance

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"qcat/core"
	"qcat/feed"
)

// Options are the settings of an Adapter. Zero fields take the defaults.
type Options struct {
	Market Market
	// WS and REST are base URLs. Default: the venue's own.
	WS, REST string
	// MarketWS is the base URL of USD-M's mark prices, which the venue serves apart
	// from depth. Equal to WS, they share its connections. Default: the venue's own,
	// but WS where that is another's, because who stands in for the venue serves both.
	MarketWS string
	// NoMarkPrice leaves USD-M's mark prices out. Spot has none.
	NoMarkPrice bool
	// DepthSpeed is how often the venue sends depth: spot "100ms" (default) or
	// "1000ms"; USD-M "0ms" (default), "100ms", "250ms" or "500ms".
	DepthSpeed string
	// StreamsPerConn bounds the streams of one connection. Default and maximum:
	// MaxStreams.
	StreamsPerConn int
	// HTTP is the client for REST, Clock its time. Defaults as of NewREST.
	HTTP  *http.Client
	Clock core.Clock
}

// Adapter makes connections to one market out of instruments. It is immutable
// and safe for concurrent use.
type Adapter struct {
	opts    Options
	rest    *REST
	streams []string // suffixes of an instrument's streams, behind its symbol
	market  []string // those at MarketWS, if that is another address
}

// markStream is the suffix of the mark price's stream.
const markStream = "markPrice@1s"

// namesPerRequest is how many streams stand in the URL, and in one SUBSCRIBE: a
// request well below what proxies and the venue take as a URL or a message.
const namesPerRequest = 50

// NewAdapter checks the options.
func NewAdapter(o Options) (*Adapter, error) {
	if o.Market != Spot && o.Market != USDM {
		return nil, fmt.Errorf("binance: adapter for an unknown market %d", o.Market)
	}
	o.WS, o.MarketWS = addresses(o)
	depth, err := depthStream(o.Market, o.DepthSpeed)
	if err != nil {
		return nil, err
	}
	a := &Adapter{
		streams: []string{depth, "bookTicker", "trade"},
		rest:    NewREST(o.Market, o.REST, o.HTTP, o.Clock),
	}
	switch {
	case o.Market == Spot || o.NoMarkPrice:
	case o.MarketWS == o.WS:
		a.streams = append(a.streams, markStream)
	default:
		a.market = append(a.market, markStream)
	}
	if o.StreamsPerConn <= 0 || o.StreamsPerConn > MaxStreams {
		o.StreamsPerConn = MaxStreams
	}
	if o.StreamsPerConn < len(a.streams) {
		return nil, fmt.Errorf("binance: %d streams a connection are fewer than the %d of one instrument", o.StreamsPerConn, len(a.streams))
	}
	a.opts = o
	return a, nil
}

// addresses returns the base URLs of the streams with their defaults.
func addresses(o Options) (ws, market string) {
	ws = strings.TrimSuffix(cmp.Or(o.WS, map[Market]string{Spot: SpotWS, USDM: USDMWS}[o.Market]), "/")
	market = strings.TrimSuffix(o.MarketWS, "/")
	if market == "" && ws == USDMWS {
		market = USDMMarketWS
	}
	return ws, cmp.Or(market, ws)
}

// depthStream returns the name of the depth stream of that speed. The venue
// gives its slowest spot and its default USD-M stream no speed in the name.
func depthStream(m Market, speed string) (string, error) {
	names := map[string]string{"": "depth@100ms", "100ms": "depth@100ms", "1000ms": "depth"}
	if m == USDM {
		names = map[string]string{"": "depth@0ms", "0ms": "depth@0ms", "100ms": "depth@100ms", "250ms": "depth", "500ms": "depth@500ms"}
	}
	name, ok := names[speed]
	if !ok {
		return "", fmt.Errorf("binance: %s has no depth stream of speed %q", m, speed)
	}
	return name, nil
}

// Market returns the market of the options.
func (a *Adapter) Market() Market { return a.opts.Market }

// REST returns the client that all connections share, so that one's rate limit
// is everyone's.
func (a *Adapter) REST() *REST { return a.rest }

// Connections spreads the instruments over as few connections as the limit of
// streams allows, evenly. All streams of an instrument are on one Connection. The
// ids of the instruments must be set.
func (a *Adapter) Connections(instruments []*core.Instrument) []*Connection {
	if len(instruments) == 0 {
		return nil
	}
	each := a.opts.StreamsPerConn / len(a.streams)
	n := (len(instruments) + each - 1) / each
	conns := make([]*Connection, n)
	for i := range conns {
		conns[i] = a.connection(instruments[i*len(instruments)/n : (i+1)*len(instruments)/n])
	}
	return conns
}

func (a *Adapter) connection(instruments []*core.Instrument) *Connection {
	c := &Connection{adapter: a, instruments: slices.Clone(instruments), symbols: map[core.InstrumentID]string{}}
	for _, in := range instruments {
		c.symbols[in.ID] = in.Symbol
	}
	c.address = newAddress(a.opts.WS, instruments, a.streams)
	if len(a.market) > 0 {
		c.market = append(c.market, newAddress(a.opts.MarketWS, instruments, a.market))
	}
	return c
}

// address is a base URL and the streams to ask for there.
type address struct {
	base    string
	streams []string
}

var _ feed.Streams = address{}

// newAddress names the streams with these suffixes of all instruments.
func newAddress(base string, instruments []*core.Instrument, suffixes []string) address {
	a := address{base: base}
	for _, in := range instruments {
		for _, s := range suffixes {
			a.streams = append(a.streams, strings.ToLower(in.Symbol)+"@"+s)
		}
	}
	return a
}

// Streams returns the names of the streams. The slice is shared.
func (a address) Streams() []string { return a.streams }

// StreamURL names as many streams as fit a URL well; Subscribe brings the rest.
func (a address) StreamURL() string {
	first := a.streams[:min(len(a.streams), namesPerRequest)]
	return a.base + "/stream?streams=" + strings.Join(first, "/")
}

// Subscribe returns the requests for the streams that are not in the URL.
func (a address) Subscribe() [][]byte {
	var frames [][]byte
	rest := a.streams[min(len(a.streams), namesPerRequest):]
	id := 1
	for batch := range slices.Chunk(rest, namesPerRequest) {
		params, err := json.Marshal(batch)
		if err != nil {
			panic("binance: a list of strings is always JSON: " + err.Error())
		}
		frames = append(frames, fmt.Appendf(nil, `{"method":"SUBSCRIBE","params":%s,"id":%d}`, params, id))
		id++
	}
	return frames
}

// Connection is one connection's worth of instruments: what a feed.Session has
// to know to keep it, with the streams of the same instruments that are served
// elsewhere. It is immutable and safe for concurrent use.
type Connection struct {
	address     // of depth, quotes and trades
	adapter     *Adapter
	instruments []*core.Instrument
	symbols     map[core.InstrumentID]string
	market      []feed.Streams
}

var _ feed.Venue = (*Connection)(nil)

// Instruments returns the instruments of the connection. The slice is shared.
func (c *Connection) Instruments() []*core.Instrument { return c.instruments }

// Auxiliary returns the address of the mark prices, if it is another one.
func (c *Connection) Auxiliary() []feed.Streams { return c.market }

// NewDecoder returns a new decoder of the connection's instruments.
func (c *Connection) NewDecoder() (*Decoder, error) {
	return NewDecoder(c.adapter.opts.Market, c.instruments)
}

// FetchSnapshot returns the depth snapshot of one of the connection's instruments.
//
// Errors: those of REST.Depth.
func (c *Connection) FetchSnapshot(ctx context.Context, id core.InstrumentID) ([]byte, error) {
	symbol, ok := c.symbols[id]
	if !ok {
		return nil, fmt.Errorf("binance: instrument %d is not on this connection", id)
	}
	return c.adapter.rest.Depth(ctx, symbol, SnapshotLimit)
}

// Policy returns the venue's limits: subscriptions slow enough to leave room for
// the answers to its pings, and a life below the venue's 24 hours.
func (c *Connection) Policy() feed.ConnPolicy {
	perSecond := c.adapter.opts.Market.MessagesPerSecond()
	return feed.ConnPolicy{
		SubscribeInterval: time.Second / time.Duration(perSecond-1),
		MaxAge:            ConnectionLife - 30*time.Minute,
	}
}
