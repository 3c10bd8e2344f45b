package feed

import (
	"fmt"
	"time"

	"qcat/core"
)

// Frame decodes one raw frame and applies it. rx is when it was received;
// snapshotFor names the instrument of a REST snapshot's body, else 0. It retains
// nothing of frame and returns the decoder's error for a bad frame, which is
// counted and has no other effect.
func (l *Lane) Frame(frame []byte, snapshotFor core.InstrumentID, rx core.Nanos) error {
	l.frames++
	if l.frames%sampleEvery == 0 {
		return l.timedFrame(frame, snapshotFor, rx)
	}
	l.stats.Messages++
	m := &l.message
	if err := l.cfg.Decoder.Decode(frame, snapshotFor, m); err != nil {
		l.stats.Bad++
		return err
	}
	l.apply(m, rx)
	return nil
}

// timedFrame is Frame with the time taken, and the counters made visible.
func (l *Lane) timedFrame(frame []byte, snapshotFor core.InstrumentID, rx core.Nanos) error {
	l.stats.Messages++
	m := &l.message
	start := l.cfg.Clock.Now()
	err := l.cfg.Decoder.Decode(frame, snapshotFor, m)
	decoded := l.cfg.Clock.Now()
	if err != nil {
		l.stats.Bad++
	} else {
		l.timedApply(m, rx, decoded)
	}
	if l.cfg.DecodeTime != nil {
		l.cfg.DecodeTime.Record(int64(decoded - start))
	}
	l.publishStats()
	return err
}

// ahead asks for the memory of an instrument that a depth message is about to change.
func (l *Lane) ahead(id core.InstrumentID) {
	if in := l.instrument(id); in != nil {
		in.book.Ahead()
	}
}

// Apply takes one decoded message in, received at rx: it updates the book, the
// quote table and the ring. It retains nothing of m. Frame is Apply for what
// still has to be decoded.
func (l *Lane) Apply(m *Message, rx core.Nanos) {
	if m.Kind == MessageDepth {
		l.ahead(m.Instrument)
	}
	l.frames++
	l.stats.Messages++
	if l.frames%sampleEvery != 0 {
		l.apply(m, rx)
		return
	}
	l.timedApply(m, rx, l.cfg.Clock.Now())
	l.publishStats()
}

// timedApply is apply with the time taken since start.
func (l *Lane) timedApply(m *Message, rx, start core.Nanos) {
	l.apply(m, rx)
	if l.cfg.BookTime != nil {
		l.cfg.BookTime.Record(int64(l.cfg.Clock.Now() - start))
	}
}

func (l *Lane) apply(m *Message, rx core.Nanos) {
	l.stats.LastReceive = rx
	in := l.instrument(m.Instrument)
	if m.Kind == MessageIgnored {
		l.ignore(in, m)
		return
	}
	if in == nil {
		l.stats.Unknown++
		return
	}
	switch m.Kind {
	case MessageDepth:
		l.depth(in, m, rx)
	case MessageQuote:
		l.quote(in, m, rx)
	case MessageTrade:
		l.trade(in, m, rx)
	case MessageSnapshot:
		l.snapshot(in, m, rx)
	case MessageMark:
		l.mark(in, m, rx)
	default:
		l.stats.Ignored++
	}
}

// ignore counts a message of no interest. One that names an instrument and an id
// is a trade that nobody could have had; its id is no gap.
func (l *Lane) ignore(in *instrument, m *Message) {
	l.stats.Ignored++
	if in != nil && m.LastID != 0 {
		l.tradeID(in, m.LastID)
	}
}

// depth follows the verdict of the instrument's Sync.
func (l *Lane) depth(in *instrument, m *Message, rx core.Nanos) {
	l.stats.DepthMessages++
	if l.down {
		l.stats.DepthDuplicates++
		return
	}
	before := in.sync.Overflowed()
	switch in.sync.Depth(m, rx) {
	case VerdictApply:
		l.applyDepth(in, m, rx)
		l.quoteFromBook(in, m, rx)
	case VerdictDuplicate:
		l.stats.DepthDuplicates++
	case VerdictGap:
		l.stats.DepthGaps++
		l.markStale(in, rx)
		l.requestResync(in)
	case VerdictBufferGap:
		l.stats.DepthGaps++
	case VerdictRestart:
		in.forgetSequence()
		l.markStale(in, rx)
		l.requestResync(in)
	case VerdictMalformed:
		l.stats.Bad++
	case VerdictBuffered:
	}
	l.stats.DepthOverflows += in.sync.Overflowed() - before
}

// applyDepth brings the book forward by m and publishes the levels as a run.
func (l *Lane) applyDepth(in *instrument, m *Message, rx core.Nanos) {
	if l.near != in {
		l.near = in
		in.book.AheadOf(m.Bids, m.Asks)
	}
	for i := range m.Bids {
		in.book.Set(core.Buy, m.Bids[i].Price, m.Bids[i].Qty)
	}
	for i := range m.Asks {
		in.book.Set(core.Sell, m.Asks[i].Price, m.Asks[i].Qty)
	}
	l.publishLevels(in, m.Bids, m.Asks, 0, m.ExchangeTime, rx)
	l.stats.DepthApplied++
	in.crossed = in.book.Crossed()
	if in.crossed {
		l.stats.Crossed++
	}
	if l.cfg.Applied != nil {
		l.cfg.Applied(in.id, in.sync.LastID(), &in.book)
	}
}

// snapshot replaces the book and applies what waited for it.
func (l *Lane) snapshot(in *instrument, m *Message, rx core.Nanos) {
	l.stats.Snapshots++
	if l.down {
		return
	}
	switch in.sync.Snapshot(m.LastID) {
	case SnapshotUnneeded:
		return
	case SnapshotTooOld:
		l.stats.SnapshotsOld++
		l.requestResync(in)
		return
	case SnapshotApply:
	}
	l.stats.SnapshotsApplied++
	in.book.Clear()
	for _, b := range m.Bids {
		in.book.Set(core.Buy, b.Price, b.Qty)
	}
	for _, a := range m.Asks {
		in.book.Set(core.Sell, a.Price, a.Qty)
	}
	in.crossed = in.book.Crossed()
	l.publishStatus(in, 0, rx)
	in.exchangeTime, in.receiveTime = m.ExchangeTime, rx
	l.publishBook(in)

	waited := &l.waited
	waited.ExchangeTime = m.ExchangeTime
	for {
		got, ok := in.sync.Next(waited)
		if !ok {
			break
		}
		l.applyDepth(in, waited, got)
	}
	l.markLive(in)
	l.quoteFromBook(in, waited, rx)
}

// markStale says everywhere that the instrument's book is not to be trusted.
func (l *Lane) markStale(in *instrument, rx core.Nanos) {
	if in.stale {
		return
	}
	in.stale = true
	l.stats.Stale++
	l.storeQuote(in)
	l.publishStatus(in, core.FlagStale, rx)
	l.publishStats()
}

// markLive takes the stale mark back; the caller publishes the quote.
func (l *Lane) markLive(in *instrument) {
	if in.stale {
		in.stale = false
		l.stats.Stale--
	}
}

// requestResync asks the venue for a snapshot of that instrument alone.
func (l *Lane) requestResync(in *instrument) {
	l.stats.Resyncs++
	if l.cfg.RequestResync != nil {
		l.cfg.RequestResync(in.id)
	}
}

// Connected says that the streams deliver, from their beginning: each instrument
// that waits asks for its snapshot.
func (l *Lane) Connected() {
	l.down = false
	for _, in := range l.instruments {
		if in != nil && in.stale {
			l.requestResync(in)
		}
	}
	l.publishStats()
}

// Disconnected says at now that the streams are gone: every instrument turns
// stale at once. Until Connected, depth messages and snapshots are dropped.
// Sequences, and the times of marks, may start anew afterwards.
func (l *Lane) Disconnected(now core.Nanos) {
	l.down = true
	l.stats.Disconnects++
	for _, in := range l.instruments {
		if in == nil {
			continue
		}
		in.sync.Lose()
		in.forgetSequence()
		in.bbo.marked = 0
		l.markStale(in, now)
	}
	l.publishStats()
}

// resendPace is the time that consumers are given for each event of the books
// sent again: what they keep up with besides the venue's own stream. resendPause
// is the least pause after any.
const (
	resendPace  = 250 * time.Nanosecond
	resendPause = time.Millisecond
)

// Duty does what other goroutines asked for and makes the counters visible. Its
// owner calls it when Wake was called, and every 100 ms or so besides.
//
// One call sends books of at most a quarter of the ring, or one larger book. Were
// all sent in one go, after a consumer of many instruments was lapped, they would
// lap every consumer, each of which would ask for all books again, without end.
// When books were sent, pause is greater than 0: the owner lets that time pass,
// whatever wakes it, and then calls Duty again, for there may be more to send.
func (l *Lane) Duty() (pause time.Duration) {
	l.resent = 0
	l.requests.drain(l.resend)
	l.publishStats()
	if l.resent == 0 {
		return 0
	}
	return max(resendPause, time.Duration(l.resent)*resendPace)
}

// resend publishes the book of one instrument as a snapshot run. A stale one is
// published anyway when it is whole again. It declines a book that is one too many
// for this Duty.
func (l *Lane) resend(id core.InstrumentID) bool {
	in := l.instrument(id)
	if in == nil || in.stale {
		return true
	}
	side := l.ring.Cap() / 4
	n := min(in.book.Len(core.Buy), side) + min(in.book.Len(core.Sell), side)
	if l.resent > 0 && l.resent+n > l.ring.Cap()/4 {
		return false
	}
	l.resent += max(n, 1)
	l.stats.SnapshotsSent++
	l.publishBook(in)
	return true
}

// RequestSnapshot asks for the book of id to be published as a snapshot run at
// one of the next Duties; many requests until then are one. It may be called from any goroutine and does not wait.
func (l *Lane) RequestSnapshot(id core.InstrumentID) {
	l.requests.add(id)
	if l.cfg.Wake != nil {
		l.cfg.Wake()
	}
}

// Add makes id an instrument of this lane, waiting for its snapshot. It belongs
// to the lane's owner.
func (l *Lane) Add(id core.InstrumentID) error {
	if id == 0 || int(id) >= len(l.instruments) {
		return fmt.Errorf("%w: instrument id %d is not within 1 and %d", ErrLane, id, len(l.instruments)-1)
	}
	if l.instruments[id] != nil {
		return fmt.Errorf("%w: instrument id %d is there already", ErrLane, id)
	}
	l.instruments[id] = newInstrument(id, &l.cfg)
	l.stats.Instruments++
	l.stats.Stale++
	l.publishStats()
	return nil
}
