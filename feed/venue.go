package feed

import (
	"context"
	"fmt"
	"time"

	"qcat/core"
)

// Streams is one address of a venue and what is to be subscribed to there.
type Streams interface {
	// StreamURL is the WebSocket URL to dial; it may already name the streams.
	StreamURL() string
	// Subscribe returns the text frames to send after connecting, in order;
	// none when the URL says it all.
	Subscribe() [][]byte
}

// Venue is what a Session has to know of a venue's market-data service. Its
// methods are called on cold paths only, from several goroutines.
type Venue interface {
	// Streams are those of the main connection: depth, and what belongs to it.
	Streams
	// Auxiliary returns further streams of the same instruments that the venue
	// serves at other addresses, or nil. Each message there must be absolute, such
	// as a mark price: nothing is resynchronised when one is lost, and depth has no
	// place there. Called once.
	Auxiliary() []Streams
	// FetchSnapshot returns the raw body of the instrument's depth snapshot, as
	// the lane's Decoder takes it. It honours ctx.
	//
	// Errors: *RateLimitError when the venue asks to slow down; any other error
	// is tried again with a back-off.
	FetchSnapshot(ctx context.Context, id core.InstrumentID) ([]byte, error)
	// Policy says how this venue's connections are kept. Zero fields take the
	// Session's defaults.
	Policy() ConnPolicy
}

// ConnPolicy is how connections to a venue are kept alive and replaced.
type ConnPolicy struct {
	// DialTimeout bounds connecting, TLS and the WebSocket handshake. Default 10 s.
	DialTimeout time.Duration
	// SubscribeInterval is waited between two subscription frames: venues limit
	// the frames a client may send. Default 250 ms.
	SubscribeInterval time.Duration
	// PingEvery is how often the Session pings the venue. Default 15 s.
	PingEvery time.Duration
	// IdleTimeout is how long nothing at all, pongs included, may arrive before
	// the connection counts as dead. Default 45 s.
	IdleTimeout time.Duration
	// DataTimeout is how long no data frame may arrive before the subscription
	// counts as lost. Default 60 s; negative never.
	DataTimeout time.Duration
	// MaxAge is when a connection is replaced by a new one, before the venue cuts
	// it. Default 23 h 30 min (Binance cuts after 24 h).
	MaxAge time.Duration
	// Overlap is how long old and new connection both deliver, counted from the
	// new one's first data, before the new one takes over. Default 3 s.
	Overlap time.Duration
	// ReadLimit bounds one frame in bytes. Default 4 MiB.
	ReadLimit int
}

// RateLimitError is a venue's wish to be asked less (HTTP 429), or its refusal
// to answer at all for a while (HTTP 418).
type RateLimitError struct {
	// RetryAfter is how long the venue wants to be left alone; 0 if it did not say.
	RetryAfter time.Duration
	// Banned is set when the venue no longer answers this address at all.
	Banned bool
}

// Error implements error.
func (e *RateLimitError) Error() string {
	if e.Banned {
		return fmt.Sprintf("banned by the venue for %v", e.RetryAfter)
	}
	return fmt.Sprintf("rate limited by the venue for %v", e.RetryAfter)
}
