package ticklog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/ringbuf"
)

// Log is where records go. *journal.Log is one, opened with SyncOS, Lossy and a
// bound of size or age.
type Log interface {
	// Append takes a copy of rec. Errors: record.ErrFull while there is no room;
	// any other is for good.
	Append(rec []byte) (seq uint64, err error)
	Flush() error
	// First is the oldest sequence there is, or the first there will be.
	First() uint64
	Committed() uint64
	Err() error
	Records(from, to uint64) iter.Seq2[[]byte, error]
}

// Source is one lane of market data.
type Source struct {
	Ring *ringbuf.Broadcast[core.Event]
}

// Config is what a Writer works with.
type Config struct {
	Log     Log
	Sources []Source
	// QuoteEvery is the least time between two quotes of one instrument. Default
	// 100 ms.
	QuoteEvery time.Duration
	// Reopen opens the log anew after a failure for good; the old one is not used
	// again. nil: nothing more is written until the process starts again.
	Reopen func() (Log, error)
	// RetryEvery is the time between two calls of Reopen. Default 5 s.
	RetryEvery time.Duration

	Idle   ringbuf.IdleStrategy
	Clock  core.Clock  // core.SystemClock
	Logger *zap.Logger // trouble and its end; may be nil
}

// Defaults of Config.
const (
	DefaultQuoteEvery = 100 * time.Millisecond
	DefaultRetryEvery = 5 * time.Second
)

const (
	// batchLen is how many events are copied out of a ring at once: 16 KiB, which
	// stays in the first-level cache.
	batchLen = 256
	// maxWait bounds a sleep: losses that no event has followed are seen that late.
	maxWait = time.Second
	// doze is how long the Writer lets events come together: to be woken for each costs
	// the lane that publishes it more than to publish it.
	doze = 2 * time.Millisecond
	// maxInstruments bounds the ids that are sampled; ids are dense, so that a
	// larger one is a programmer's error.
	maxInstruments = 1 << 20
)

// Writer makes records of the lanes' events. Run is its goroutine; Stats and Err
// may be called by any.
type Writer struct {
	cfg    Config
	log    Log
	lanes  []lane
	waiter *ringbuf.Waiter
	batch  []core.Event
	now    core.Nanos // read once a turn, never going back

	rec  Record
	buf  []byte
	next uint64     // sequence of the next record
	time core.Nanos // of the last record
	seen core.Nanos // receive time of the last event that was recorded

	quotes  sampler
	gaps    [numReasons]gap // what the log does not have and does not say yet
	missing bool            // some gaps are to be said
	retryAt core.Nanos      // when Reopen is called next, 0: not failed
	trouble bool            // the last record was not taken

	stats     Stats
	published ringbuf.Cell[Stats]
	failure   atomic.Pointer[error]
}

// lane is one source as the Writer reads it.
type lane struct {
	ring   *ringbuf.Broadcast[core.Event]
	reader *ringbuf.Reader[core.Event]
	last   core.Nanos // receive time of the last event read
	lost   uint64     // overrun, and no event read since
}

// NewWriter returns a Writer that records what is published from now on. The log
// must be open and is not closed by the Writer.
//
// Errors: the last record cannot be read or is none of the tick log's.
func NewWriter(cfg Config) (*Writer, error) {
	if cfg.QuoteEvery <= 0 {
		cfg.QuoteEvery = DefaultQuoteEvery
	}
	if cfg.RetryEvery <= 0 {
		cfg.RetryEvery = DefaultRetryEvery
	}
	if cfg.Clock == nil {
		cfg.Clock = core.SystemClock()
	}
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	w := &Writer{cfg: cfg, waiter: ringbuf.NewWaiter(cfg.Idle), batch: make([]core.Event, batchLen),
		buf: make([]byte, 0, 2*QuoteLen), quotes: sampler{every: core.Nanos(cfg.QuoteEvery)}}
	if err := w.use(cfg.Log); err != nil {
		return nil, err
	}
	if w.next > 1 {
		w.gaps[GapRestart] = gap{open: true, from: w.time}
		w.missing = true
	}
	for _, s := range cfg.Sources {
		w.lanes = append(w.lanes, lane{ring: s.Ring, reader: s.Ring.NewReader()})
		s.Ring.NotifyLazily(w.waiter)
	}
	w.published.Store(&w.stats)
	return w, nil
}

// use goes on behind the last record of an open log.
func (w *Writer) use(log Log) error {
	last := log.Committed()
	if last >= log.First() {
		var r Record
		for rec, err := range log.Records(last, last) {
			if err == nil {
				err = Decode(rec, &r)
			}
			if err != nil {
				return fmt.Errorf("ticklog: last record %d: %w", last, err)
			}
		}
		w.time = max(w.time, r.Time)
	}
	w.log, w.next = log, last+1
	return nil
}

// Run records until ctx is done, then what the rings still hold and the quotes
// whose interval is not over, and leaves the rings. Once.
//
// It never fails: what cannot be written is counted, and Err says why.
func (w *Writer) Run(ctx context.Context) {
	unhook := context.AfterFunc(ctx, w.waiter.Wake)
	defer unhook()
	ready := func() bool {
		for i := range w.lanes {
			if w.lanes[i].reader.Ready() {
				return true
			}
		}
		return ctx.Err() != nil
	}
	pressed := func() bool { return ctx.Err() != nil || w.pressed() }
	for {
		done := ctx.Err() != nil
		if w.turn() > 0 {
			w.waiter.Doze(pressed, doze)
			continue
		}
		if done {
			break
		}
		w.waiter.Wait(ready, w.patience())
	}
	w.finish()
}

// pressed reports whether another batch waits in some ring: no time to doze, in which the
// lane goes on.
func (w *Writer) pressed() bool {
	for i := range w.lanes {
		if w.lanes[i].reader.Lag() >= batchLen {
			return true
		}
	}
	return false
}

// patience is how long the Writer may sleep: until a quote is due.
func (w *Writer) patience() time.Duration {
	if due, ok := w.quotes.next(); ok {
		return min(max(time.Duration(due-w.now), 0), maxWait)
	}
	return maxWait
}

// turn takes a batch from each lane and hands on what is due. It returns how many
// events it took.
func (w *Writer) turn() (events int) {
	w.now = max(w.now, w.cfg.Clock.Now())
	w.reopen()
	for i := range w.lanes {
		events += w.read(&w.lanes[i])
	}
	written := w.next
	w.emit(w.now)
	if events > 0 || written != w.next {
		w.flush()
	}
	w.published.Store(&w.stats)
	return events
}

// finish writes what waits and leaves the rings.
func (w *Writer) finish() {
	w.emit(maxTime)
	w.flush()
	w.published.Store(&w.stats)
	for i := range w.lanes {
		w.lanes[i].ring.Unnotify(w.waiter)
		w.lanes[i].reader.Close()
	}
}

const maxTime = core.Nanos(1<<63 - 1)

// read takes a batch from one lane.
func (w *Writer) read(l *lane) int {
	n, lost := l.reader.Read(w.batch)
	if lost > 0 {
		w.stats.Overruns++
		w.stats.Lost += lost
		l.lost += lost
	}
	if n == 0 {
		return 0
	}
	if l.lost > 0 {
		w.lose(GapOverrun, l.lost, l.last, w.batch[0].ReceiveTime)
		l.lost = 0
	}
	for i := range w.batch[:n] {
		w.take(&w.batch[i])
	}
	l.last = w.batch[n-1].ReceiveTime
	w.stats.Events += uint64(n)
	return n
}

// take records one event, or keeps it until its interval is over.
func (w *Writer) take(ev *core.Event) {
	switch ev.Kind {
	case core.EventTrade:
		w.rec.Type = TypeTrade
		w.rec.Trade = Trade{Instrument: ev.Instrument, Side: ev.Side, Price: ev.Price, Qty: ev.Qty, ID: ev.Seq,
			ExchangeTime: ev.ExchangeTime, ReceiveTime: ev.ReceiveTime}
		if w.put(ev.ReceiveTime) {
			w.stats.Trades++
		}
	case core.EventMark:
		w.rec.Type = TypeMark
		w.rec.Mark = Mark{Instrument: ev.Instrument, Price: ev.Price,
			ExchangeTime: ev.ExchangeTime, ReceiveTime: ev.ReceiveTime}
		if w.put(ev.ReceiveTime) {
			w.stats.Marks++
		}
	case core.EventQuote:
		if ev.Instrument < maxInstruments && w.quotes.keep(ev, w.now) {
			w.stats.QuotesConflated++
		}
	}
}

// emit records the quotes that are due by now.
func (w *Writer) emit(now core.Nanos) {
	for ev := w.quotes.due(now); ev != nil; ev = w.quotes.due(now) {
		w.rec.Type = TypeQuote
		w.rec.Quote = Quote{Flags: ev.Flags & quoteFlags, Instrument: ev.Instrument,
			BidPrice: ev.Price, BidQty: ev.Qty, AskPrice: ev.AskPrice, AskQty: ev.AskQty,
			UpdateID: ev.Seq, ExchangeTime: ev.ExchangeTime, ReceiveTime: ev.ReceiveTime}
		if w.put(ev.ReceiveTime) {
			w.stats.Quotes++
		}
	}
}

// flush hands what was appended to the log's committer.
func (w *Writer) flush() {
	if w.retryAt != 0 {
		return
	}
	err := w.log.Flush()
	if err == nil {
		err = w.log.Err()
	}
	if err != nil {
		w.fail(err)
	}
}

// Err is why events cannot be recorded now, nil when they can. Any goroutine.
func (w *Writer) Err() error {
	if err := w.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// ErrNoLog is wrapped by Err while a failed log has no successor.
var ErrNoLog = errors.New("ticklog: nothing is recorded")
