package store

import (
	"cmp"
	"fmt"
	"slices"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/ticklog"
)

// DefaultSampleEvery is the least time between two stored quotes of an instrument.
const DefaultSampleEvery = core.Nanos(1_000_000_000)

// reasonRetention is the reason of a gap that the log's own records do not tell of:
// they were deleted before they were stored.
const reasonRetention = "retention"

// TicksProjection makes rows of the tick log's records: with the first tick of an
// instrument its definition, because the journal's rows may be stored later and
// nobody could read the tick's numbers without; every trade; of the quotes
// the first of each instrument in each interval of its receive time; candles of
// every width; and what is missing. One goroutine.
//
// A quote is kept when its interval has none yet, and not the last of its interval:
// that is known at once and from the stored rows alone, so a projection that begins
// anew keeps the same ones. It knows an instrument by what it stored last of it, and
// holds nothing else.
type TicksProjection struct {
	log   LogID
	dir   *core.Directory // nil: any instrument is taken
	every core.Nanos      // between quotes
	rec   ticklog.Record
	pos   Position

	instruments map[core.InstrumentID]*tape
	gaps        []history.Gap // the last ones, at most RecentGaps
	unknown     uint64

	batch Batch
	round uint64 // counts batches: a candle's row of an earlier one is not there
	taken bool
}

// tape is what is known of one instrument.
type tape struct {
	quoted     core.Nanos // receive time of the last quote that was kept
	hasQuote   bool
	defined    bool // its definition was in a batch
	candles    [len(history.CandleIntervals)]candleRow
	instrument core.InstrumentID
}

// candleRow is the latest candle of one width and its place in the batch.
type candleRow struct {
	builder core.CandleBuilder
	any     bool // there is one
	gap     bool
	round   uint64 // of the batch that has its row
	at      int
}

// NewTicksProjection returns a projection that goes on from state, which may be of
// an empty store, with the records of log. Ticks of instruments that dir does not
// have are left out and counted: nobody could say what their numbers mean. Of two
// quotes of an instrument less than sampleEvery apart one is kept at most;
// 0 is DefaultSampleEvery.
func NewTicksProjection(log LogID, state *State, dir *core.Directory, sampleEvery core.Nanos) *TicksProjection {
	if sampleEvery <= 0 {
		sampleEvery = DefaultSampleEvery
	}
	p := &TicksProjection{log: log, dir: dir, every: sampleEvery, pos: state.Position, round: 1,
		instruments: map[core.InstrumentID]*tape{}}
	for _, q := range state.Quotes {
		t := p.tape(q.Instrument)
		t.quoted, t.hasQuote = q.ReceiveTime, true
	}
	for _, c := range state.Candles {
		t := p.tape(c.Instrument)
		for i, interval := range history.CandleIntervals {
			if interval == c.Interval {
				t.candles[i] = candleRow{builder: core.ResumeCandles(interval, c.Candle), any: true, gap: c.Gap}
			}
		}
	}
	for _, g := range slices.SortedFunc(slices.Values(state.Gaps), func(a, b history.Gap) int { return cmp.Compare(a.Tick, b.Tick) }) {
		p.remember(g)
	}
	return p
}

func (p *TicksProjection) tape(id core.InstrumentID) *tape {
	t := p.instruments[id]
	if t == nil {
		t = &tape{instrument: id}
		for i := range t.candles {
			t.candles[i].builder.Interval = history.CandleIntervals[i]
		}
		p.instruments[id] = t
	}
	return t
}

// Position is that of the last record applied.
func (p *TicksProjection) Position() Position { return p.pos }

// Unknown is how many ticks were of instruments that nobody defined.
func (p *TicksProjection) Unknown() uint64 { return p.unknown }

// Rows is how many rows Take would return.
func (p *TicksProjection) Rows() int {
	if p.taken {
		return 0
	}
	return p.batch.Rows()
}

// Apply folds the next record. It keeps nothing of rec.
//
// Errors: ErrRecord, after which the projection is of no use.
func (p *TicksProjection) Apply(rec []byte) error {
	r := &p.rec
	if err := ticklog.Decode(rec, r); err != nil {
		return fmt.Errorf("%w: after tick %d: %w", ErrRecord, p.pos.Seq, err)
	}
	if r.Seq != p.pos.Seq+1 {
		return fmt.Errorf("%w: tick %d after %d", ErrRecord, r.Seq, p.pos.Seq)
	}
	p.begin()
	switch r.Type {
	case ticklog.TypeTrade:
		p.trade(&r.Trade)
	case ticklog.TypeQuote:
		p.quote(&r.Quote)
	case ticklog.TypeMark:
		if t := p.known(r.Mark.Instrument); t != nil {
			p.advance(t, r.Mark.ExchangeTime)
		}
	case ticklog.TypeGap:
		p.gap(history.Gap{Tick: r.Seq, Lost: r.Gap.Lost, From: r.Gap.From, To: r.Gap.To, Reason: r.Gap.Reason.String()})
	}
	p.pos = Position{Log: p.log, Seq: r.Seq, Time: r.Time}
	return nil
}

// Skip passes over the records up to seq, which are not to be had any more, and
// marks the time from the last record to now, when the next was written, as a gap.
// It does nothing when nothing is passed over.
func (p *TicksProjection) Skip(seq uint64, now core.Nanos) {
	if seq <= p.pos.Seq {
		return
	}
	p.begin()
	p.gap(history.Gap{Tick: p.pos.Seq + 1, Lost: seq - p.pos.Seq, From: p.pos.Time, To: now, Reason: reasonRetention})
	p.pos = Position{Log: p.log, Seq: seq, Time: now}
}

// begin makes the batch empty when the last one has been taken.
func (p *TicksProjection) begin() {
	b := &p.batch
	switch {
	case p.taken:
		*b = Batch{Instruments: b.Instruments[:0], Trades: b.Trades[:0], Quotes: b.Quotes[:0], Candles: b.Candles[:0], Gaps: b.Gaps[:0], From: p.pos.Seq + 1}
		p.taken = false
		p.round++
	case b.From == 0:
		b.From = p.pos.Seq + 1
	}
}

// Take returns the rows of the records since it was called last, and nil when
// there was none. The batch is the caller's until the next Apply or Skip.
func (p *TicksProjection) Take() *Batch {
	if p.taken || p.batch.From == 0 {
		return nil
	}
	p.taken = true
	b := &p.batch
	b.Stream, b.Log, b.To, b.Time = Ticks, p.log, p.pos.Seq, p.pos.Time
	// In the order of the journal's follower, which may store the same rows now.
	slices.SortFunc(b.Instruments, func(x, y core.Instrument) int { return cmp.Compare(x.ID, y.ID) })
	return b
}

// known returns the tape of a defined instrument, and counts any other.
func (p *TicksProjection) known(id core.InstrumentID) *tape {
	if t := p.instruments[id]; t != nil && t.defined {
		return t
	}
	if p.dir != nil {
		in := p.dir.Instrument(id)
		if in == nil {
			p.unknown++
			return nil
		}
		p.batch.Instruments = append(p.batch.Instruments, *in)
	}
	t := p.tape(id)
	t.defined = true
	return t
}

func (p *TicksProjection) trade(x *ticklog.Trade) {
	t := p.known(x.Instrument)
	if t == nil {
		return
	}
	p.batch.Trades = append(p.batch.Trades, history.Trade{Instrument: x.Instrument, ID: x.ID &^ (1 << 63), Side: x.Side, Price: x.Price,
		Qty: x.Qty, ExchangeTime: x.ExchangeTime, ReceiveTime: x.ReceiveTime, Tick: p.rec.Seq})
	for i := range t.candles {
		p.fold(t, i, x)
	}
}

func (p *TicksProjection) quote(x *ticklog.Quote) {
	t := p.known(x.Instrument)
	if t == nil {
		return
	}
	p.advance(t, x.ExchangeTime)
	if t.hasQuote && core.CandleOpenTime(x.ReceiveTime, p.every) <= core.CandleOpenTime(t.quoted, p.every) {
		return
	}
	t.quoted, t.hasQuote = x.ReceiveTime, true
	p.batch.Quotes = append(p.batch.Quotes, history.Quote{Instrument: x.Instrument, Stale: x.Flags.Has(core.FlagStale),
		BidPrice: x.BidPrice, BidQty: x.BidQty, AskPrice: x.AskPrice, AskQty: x.AskQty,
		ExchangeTime: x.ExchangeTime, ReceiveTime: x.ReceiveTime, Tick: p.rec.Seq})
}
