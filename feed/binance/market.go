package binance

import (
	"fmt"
	"time"

	"qcat/core"
	"qcat/feed"
)

// Market is one of the venue's markets; each has its own hosts, rules and
// sequence numbers.
type Market uint8

const (
	// Spot is the spot market, venue "binance-spot".
	Spot Market = iota + 1
	// USDM is the USD-margined futures market, venue "binance-usdm".
	USDM
)

// Names of the venues as they stand before the colon of an instrument's name.
const (
	SpotVenue = "binance-spot"
	USDMVenue = "binance-usdm"
)

// Endpoints of the venue. They are defaults of Options: a test, a proxy or the
// venue's own test network replaces them.
const (
	SpotWS   = "wss://stream.binance.com:9443"
	SpotREST = "https://api.binance.com"
	// USDMWS carries depth, bookTicker and trade. The venue split its unrouted
	// address by kind of data in 2026: connections without /public have been
	// served nothing else since 2026-04-23.
	USDMWS = "wss://fstream.binance.com/public"
	// USDMMarketWS carries the streams the venue calls regular: markPrice, aggTrade.
	// There is no depth, so that an instrument's streams come from two addresses.
	USDMMarketWS = "wss://fstream.binance.com/market"
	USDMREST     = "https://fapi.binance.com"
)

// Limits that the venue states for market-data connections.
const (
	// MaxStreams is how many streams one connection may carry.
	MaxStreams = 1024
	// ConnectionLife is when the venue closes a connection.
	ConnectionLife = 24 * time.Hour
	// SnapshotLimit is the depth asked of a snapshot. It costs 50 of 6 000 weight
	// a minute on spot, 20 of 2 400 on USD-M.
	SnapshotLimit = 1000
)

// MarketOf returns the market of a venue name, and false when it is none of ours.
func MarketOf(venue string) (Market, bool) {
	switch venue {
	case SpotVenue:
		return Spot, true
	case USDMVenue:
		return USDM, true
	}
	return 0, false
}

// Venue returns the venue name, "" for an unknown market.
func (m Market) Venue() string {
	switch m {
	case Spot:
		return SpotVenue
	case USDM:
		return USDMVenue
	}
	return ""
}

// String returns the venue name.
func (m Market) String() string {
	if v := m.Venue(); v != "" {
		return v
	}
	return fmt.Sprintf("Market(%d)", uint8(m))
}

// Continuity returns how the market's depth messages follow one another.
func (m Market) Continuity() feed.Continuity {
	if m == Spot {
		return feed.ContinuityFirst
	}
	return feed.ContinuityPrev
}

// ContractKind returns how the market's instruments are valued.
func (m Market) ContractKind() core.ContractKind {
	if m == Spot {
		return core.Spot
	}
	return core.Linear
}

// PingEvery is how often the venue pings a connection: silence of several such
// periods is a dead connection even when nothing trades.
func (m Market) PingEvery() time.Duration {
	if m == Spot {
		return 20 * time.Second
	}
	return 3 * time.Minute
}

// MessagesPerSecond is how many messages (subscriptions, pings and pongs) a
// connection may send a second before the venue closes it.
func (m Market) MessagesPerSecond() int {
	if m == Spot {
		return 5
	}
	return 10
}

func (m Market) restPrefix() string {
	if m == Spot {
		return "/api/v3"
	}
	return "/fapi/v1"
}
