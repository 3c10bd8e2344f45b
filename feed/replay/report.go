package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"qcat/core"
	"qcat/core/book"
	"qcat/feed"
)

// Report is what a run over a capture found. The names of its fields are fixed
// by the command line's contract.
type Report struct {
	Messages      uint64 `json:"messages"`
	BadMessages   uint64 `json:"bad_messages"`
	Trades        uint64 `json:"trades"`
	TradeGaps     uint64 `json:"trade_gaps"`
	Quotes        uint64 `json:"quotes"`
	DepthMessages uint64 `json:"depth_messages"`
	// DepthApplied counts depth messages applied after a snapshot, those that
	// waited for it included.
	DepthApplied uint64 `json:"depth_applied"`
	DepthGaps    uint64 `json:"depth_gaps"`
	Snapshots    uint64 `json:"snapshots"`
	// Crossed counts messages after which the book or the quote was crossed.
	Crossed uint64 `json:"crossed"`
	// Stale is true while the book waits for a snapshot.
	Stale bool `json:"stale"`
	// BBOChecked counts the venue's quotes whose update id is that of an applied
	// depth message, BBOMatched those that equal the book's best as of that id in
	// price and size on both sides.
	BBOChecked uint64 `json:"bbo_checked"`
	BBOMatched uint64 `json:"bbo_matched"`
	// BookHash is the canonical hash of the final book, 16 hexadecimal digits.
	BookHash string `json:"book_hash"`
	// ElapsedNs is how long the run took, reading and decompression included.
	ElapsedNs int64 `json:"elapsed_ns"`
}

// Progress is told, now and then, how much of the file has been read; size is 0
// if it is not known.
type Progress func(read, size int64)

// progressEvery is how many frames pass between two calls of Progress.
const progressEvery = 4096

// Run reads the capture to its end through a Lane of its own. progress may be
// nil. After an error the report says what was found until then.
//
// Errors: those of Reader.Next and of bind, and ctx's.
func Run(ctx context.Context, r *Reader, bind Bind, progress Progress) (Report, error) {
	start := time.Now()
	binding, held, err := probe(r, bind)
	if err != nil {
		return Report{}, err
	}
	run, err := newRun(binding)
	if err != nil {
		return Report{}, err
	}
	for i := range held {
		run.frame(held[i].frame, held[i].rx)
	}
	for n := 1; ; n++ {
		rx, frame, err := r.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			if progress != nil {
				progress(r.Progress())
			}
			return run.report(start), err
		}
		run.frame(frame, rx)
		if n%progressEvery == 0 {
			if err := ctx.Err(); err != nil {
				return run.report(start), err
			}
			if progress != nil {
				progress(r.Progress())
			}
		}
	}
}

// run is one pass over a capture.
type run struct {
	binding Binding
	lane    *feed.Lane
	message feed.Message
	bad     uint64
	check   bboCheck
}

// runRing is the lane's ring: nobody reads it.
const runRing = 1 << 10

func newRun(b Binding) (*run, error) {
	r := &run{binding: b}
	lane, err := feed.NewLane(feed.LaneConfig{
		Name:           "replay",
		Decoder:        b.Decoder,
		Continuity:     b.Continuity,
		Instruments:    []core.InstrumentID{b.Instrument},
		MaxInstruments: int(b.Instrument) + 1,
		RingCapacity:   runRing,
		Applied: func(_ core.InstrumentID, lastID uint64, bk *book.Book) {
			bid, _ := bk.BestBid()
			ask, _ := bk.BestAsk()
			r.check.applied(lastID, bid, ask)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	r.lane = lane
	return r, nil
}

// frame decodes one frame and applies it. The quotes are checked here and not in
// the lane: only a report wants to know.
func (r *run) frame(frame []byte, rx core.Nanos) {
	m := &r.message
	if err := r.binding.Decoder.Decode(frame, r.binding.Instrument, m); err != nil {
		r.bad++
		return
	}
	if m.Kind == feed.MessageQuote && m.Instrument == r.binding.Instrument {
		r.check.quote(m.LastID, core.Level{Price: m.Price, Qty: m.Qty}, core.Level{Price: m.AskPrice, Qty: m.AskQty})
	}
	r.lane.Apply(m, rx)
}

func (r *run) report(start time.Time) Report {
	r.lane.Duty()
	s := r.lane.Stats()
	id := r.binding.Instrument
	return Report{
		Messages:      s.Messages + r.bad,
		BadMessages:   s.Bad + r.bad,
		Trades:        s.Trades,
		TradeGaps:     s.TradeGaps,
		Quotes:        s.Quotes,
		DepthMessages: s.DepthMessages,
		DepthApplied:  s.DepthApplied,
		DepthGaps:     s.DepthGaps,
		Snapshots:     s.Snapshots,
		Crossed:       s.Crossed,
		Stale:         !r.lane.Live(id),
		BBOChecked:    r.check.checked,
		BBOMatched:    r.check.matched,
		BookHash:      fmt.Sprintf("%016x", r.lane.Book(id).Hash()),
		ElapsedNs:     int64(time.Since(start)),
	}
}
