package feed

import (
	"errors"
	"fmt"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/hist"
	"qcat/core/market"
	"qcat/ringbuf"
)

// Limits of a Lane.
const (
	// DefaultRingCapacity is 4 MiB of events: seconds of a busy venue.
	DefaultRingCapacity = 1 << 16
	// DefaultMaxInstruments bounds instrument ids of a lane.
	DefaultMaxInstruments = 1 << 13
	// DefaultBufferMessages and DefaultBufferLevels bound what an instrument
	// keeps while it waits for its snapshot. 16 Ki levels are about ten seconds
	// of the busiest instrument.
	DefaultBufferMessages = 1 << 12
	DefaultBufferLevels   = 1 << 14
)

// bookCapacity is the initial depth a side; books grow.
const bookCapacity = 256

// sampleEvery is how many frames share one timed one: two more clock readings
// on each would cost more than what they measure.
const sampleEvery = 64

// ErrLane is wrapped by the errors of NewLane and Add.
var ErrLane = errors.New("feed lane")

// LaneConfig is what a Lane is made of. Zero numbers take the defaults.
type LaneConfig struct {
	// Name is shown in logs and metrics.
	Name string
	// Decoder is needed for Frame; a lane fed by Apply alone has none.
	Decoder Decoder
	// Continuity of the venue's depth messages.
	Continuity Continuity
	// Instruments are those of this lane; Add adds more before the lane runs.
	Instruments []core.InstrumentID
	// Quotes receives the quotes of this lane's instruments; nil keeps them here.
	Quotes *market.QuoteTable

	// RingCapacity is in events, rounded up to a power of two. A snapshot run
	// carries at most half of it.
	RingCapacity int
	// MaxInstruments: instrument ids are below it.
	MaxInstruments int
	BufferMessages int
	BufferLevels   int

	// RequestResync is called on the lane's goroutine when an instrument needs a
	// snapshot from the venue: after a gap, and again when the snapshot that came
	// was too old. It must not block nor call the lane. Nil: the stream brings
	// snapshots by itself.
	RequestResync func(core.InstrumentID)
	// Wake is called from any goroutine when RequestSnapshot left work for Duty.
	// It must not block. May be nil.
	Wake func()
	// Applied is called on the lane's goroutine after each applied depth message,
	// with the book as it then is. For replays; nil in production.
	Applied func(id core.InstrumentID, lastID uint64, b *book.Book)

	// Clock is read for the timing samples only. Default: the system's.
	Clock core.Clock
	// DecodeTime and BookTime receive samples, one in 64 frames, of the time to
	// decode a frame and to apply and publish it, in nanoseconds. May be nil.
	DecodeTime, BookTime *hist.Histogram
}

// withDefaults returns the configuration with its zero fields filled in.
func (c LaneConfig) withDefaults() LaneConfig {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&c.RingCapacity, DefaultRingCapacity)
	def(&c.MaxInstruments, DefaultMaxInstruments)
	def(&c.BufferMessages, DefaultBufferMessages)
	def(&c.BufferLevels, DefaultBufferLevels)
	if c.Clock == nil {
		c.Clock = core.SystemClock()
	}
	return c
}

// Lane applies the messages of one feed session: to the books, the quote
// table and the event ring. All streams of an instrument arrive on one lane.
//
// A new instrument is stale and waits for its snapshot, buffering its depth
// messages. A snapshot that they continue makes it live. A missing message makes
// it stale at once, and it waits again; the other instruments do not notice.
//
// A Lane belongs to one goroutine at a time; RequestSnapshot, Stats and Source
// may be called from any. Frame, Apply and Duty do not allocate while the
// instruments are live, except when a book grows beyond the deepest it was.
type Lane struct {
	cfg         LaneConfig
	ring        *ringbuf.Broadcast[core.Event]
	instruments []*instrument // by id; nil is not ours

	message Message      // what Frame decodes into
	near    *instrument  // whose book is in the cache: the depth message before was its
	waited  Message      // what waited for a snapshot
	run     []core.Event // put together, not yet published; capacity runCapacity
	levels  []core.Level // scratch of snapshot runs
	frames  uint64       // for sampling
	down    bool         // disconnected
	resent  int          // events of the books sent by this Duty
	stats   Stats

	requests  requestSet
	published ringbuf.Cell[Stats]
}

// instrument is one instrument of a lane.
type instrument struct {
	book    book.Book
	id      core.InstrumentID
	stale   bool // as last published
	crossed bool // the book, after the last message
	sync    Sync
	bbo     quoteState
	trades  tradeState

	// exchangeTime and receiveTime are those of the last depth message applied.
	exchangeTime, receiveTime core.Nanos
}

func newInstrument(id core.InstrumentID, cfg *LaneConfig) *instrument {
	in := &instrument{
		id:    id,
		stale: true,
		sync:  NewSync(cfg.Continuity, cfg.BufferMessages, cfg.BufferLevels),
	}
	in.book.Init(bookCapacity)
	return in
}

// forgetSequence makes quotes and trades start anew with whatever id comes next.
func (in *instrument) forgetSequence() {
	in.bbo.ticker, in.bbo.quote.Seq = 0, 0
	in.trades.resume = true
}

// NewLane returns a lane whose instruments all wait for their snapshots. It does
// not call RequestResync for them: Connected does. A lane starts connected.
func NewLane(cfg LaneConfig) (*Lane, error) {
	cfg = cfg.withDefaults()
	if cfg.Continuity > ContinuityNone {
		return nil, fmt.Errorf("%w: continuity %d", ErrLane, cfg.Continuity)
	}
	l := &Lane{
		cfg:         cfg,
		ring:        ringbuf.NewBroadcast[core.Event](cfg.RingCapacity),
		instruments: make([]*instrument, cfg.MaxInstruments),
		run:         make([]core.Event, 0, runCapacity),
		requests:    newRequestSet(cfg.MaxInstruments),
	}
	l.message.Ahead = l.ahead
	for _, id := range cfg.Instruments {
		if err := l.Add(id); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Name returns the configured name.
func (l *Lane) Name() string { return l.cfg.Name }

// Source returns what a market.Tap follows this lane by.
func (l *Lane) Source() market.Source {
	return market.Source{Ring: l.ring, RequestSnapshot: l.RequestSnapshot}
}

// Stats returns the counters, at most 64 messages or one Duty old. It may be
// called from any goroutine.
func (l *Lane) Stats() Stats {
	var s Stats
	l.published.Load(&s)
	return s
}

// Live reports whether the book of id continues its snapshot without a hole. It
// belongs to the lane's owner, as do UpdateID, Book and Quote.
func (l *Lane) Live(id core.InstrumentID) bool {
	in := l.instrument(id)
	return in != nil && !in.stale
}

// UpdateID returns the venue's update id as of which the book of id is.
func (l *Lane) UpdateID(id core.InstrumentID) uint64 {
	if in := l.instrument(id); in != nil {
		return in.sync.LastID()
	}
	return 0
}

// Book returns the book of id, for reading only, or nil if it is not ours.
func (l *Lane) Book(id core.InstrumentID) *book.Book {
	if in := l.instrument(id); in != nil {
		return &in.book
	}
	return nil
}

// Quote returns the quote of id as it was last stored.
func (l *Lane) Quote(id core.InstrumentID) core.Quote {
	if in := l.instrument(id); in != nil {
		return in.bbo.quote
	}
	return core.Quote{}
}

func (l *Lane) instrument(id core.InstrumentID) *instrument {
	if int(id) >= len(l.instruments) {
		return nil
	}
	return l.instruments[id]
}
