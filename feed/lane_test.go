package feed_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"qcat/core"
	"qcat/core/market"
	"qcat/feed"
	"qcat/ringbuf"
)

// rig is a lane under test with its reader.
type rig struct {
	t      *testing.T
	lane   *feed.Lane
	quotes *market.QuoteTable
	reader *ringbuf.Reader[core.Event]
	asked  []core.InstrumentID
	now    core.Nanos
}

func newRig(t *testing.T, c feed.Continuity, ids ...core.InstrumentID) *rig {
	r := &rig{t: t, quotes: market.NewQuoteTable(16), now: 1000}
	lane, err := feed.NewLane(feed.LaneConfig{
		Decoder: &toyDecoder{}, Continuity: c, Instruments: ids, Quotes: r.quotes, RingCapacity: 1 << 10,
		RequestResync: func(id core.InstrumentID) { r.asked = append(r.asked, id) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.lane = lane
	r.reader = lane.Source().Ring.NewReader()
	return r
}

// feed gives frames to the lane, a nanosecond apart. A snapshot frame is for
// instrument 1.
func (r *rig) feed(frames ...string) {
	r.t.Helper()
	for _, f := range frames {
		r.now++
		if err := r.lane.Frame([]byte(f), 1, r.now); err != nil {
			r.t.Fatalf("%q: %v", f, err)
		}
	}
}

// events returns what was published since, one word each: the kind, for a level
// with its flags, for others with stale and crossed.
func (r *rig) events() string {
	r.t.Helper()
	dst := make([]core.Event, 1<<10)
	n, lost := r.reader.Read(dst)
	if lost > 0 {
		r.t.Fatalf("%d events lost", lost)
	}
	var words []string
	for i := range dst[:n] {
		words = append(words, eventWord(&dst[i]))
	}
	return strings.Join(words, " ")
}

func eventWord(ev *core.Event) string {
	flags := ""
	for i, name := range []string{"l", "f", "s", "S", "X"} {
		if ev.Flags.Has(1 << i) {
			flags += name
		}
	}
	if flags != "" {
		flags = "/" + flags
	}
	switch ev.Kind {
	case core.EventQuote:
		return fmt.Sprintf("quote:%d:%dx%d-%dx%d%s", ev.Seq, ev.Price, ev.Qty, ev.AskPrice, ev.AskQty, flags)
	case core.EventTrade:
		return fmt.Sprintf("trade:%d:%dx%d%s", ev.Seq, ev.Price, ev.Qty, flags)
	case core.EventLevel:
		return fmt.Sprintf("level:%d:%s:%dx%d%s", ev.Seq, ev.Side, ev.Price, ev.Qty, flags)
	case core.EventMark:
		return fmt.Sprintf("mark:%d%s", ev.Price, flags)
	case core.EventStatus:
		return fmt.Sprintf("status:%d%s", ev.Seq, flags)
	}
	return "?"
}

func (r *rig) expect(want ...string) {
	r.t.Helper()
	if got := r.events(); got != strings.Join(want, " ") {
		r.t.Errorf("published\n  %s\nwant\n  %s", got, strings.Join(want, " "))
	}
}

func (r *rig) quote() core.Quote {
	var q core.Quote
	r.quotes.Load(1, &q)
	return q
}

func (r *rig) stats() feed.Stats {
	r.lane.Duty()
	return r.lane.Stats()
}

// TestLaneLife follows one instrument from its first message over a gap to its
// recovery, event by event.
func TestLaneLife(t *testing.T) {
	r := newRig(t, feed.ContinuityFirst, 1, 2)
	r.feed("d 1 11 12 0 b:90:5")
	r.expect()
	r.feed("s 11 b:89:1 a:101:2 a:102:3")
	r.expect("status:11", "level:11:buy:89x1/fs", "level:11:sell:101x2/s", "level:11:sell:102x3/ls",
		"level:12:buy:90x5/lf", "quote:12:90x5-101x2")
	r.feed("d 1 13 13 0 a:102:0 a:150:0")
	r.expect("level:13:sell:102x0/f", "level:13:sell:150x0/l")
	r.feed("d 1 14 14 0")
	r.expect()
	if q := r.quote(); q.Seq != 14 || q.ReceiveTime != r.now || q.Flags != 0 {
		t.Errorf("a message that changes nothing did not confirm the quote: %+v", q)
	}

	r.feed("d 1 16 16 0 b:91:7")
	r.expect("status:14/S")
	if q := r.quote(); q.Flags != core.FlagStale || r.lane.Live(1) || len(r.asked) != 1 || r.asked[0] != 1 {
		t.Errorf("after a gap: quote %+v, live %v, asked %v", q, r.lane.Live(1), r.asked)
	}
	r.feed("q 1 17 92 1 100 1", "t 1 5 100 2")
	r.expect("quote:17:92x1-100x1/S", "trade:5:100x2")

	r.feed("s 14 b:1:1")
	r.expect()
	if len(r.asked) != 2 {
		t.Errorf("a snapshot too old was not asked for again: %v", r.asked)
	}
	r.feed("s 15 b:90:5 a:101:2")
	r.expect("status:15", "level:15:buy:90x5/fs", "level:15:sell:101x2/ls", "level:16:buy:91x7/lf",
		"quote:17:92x1-100x1")
	if s := r.stats(); s.DepthGaps != 1 || s.Resyncs != 2 || s.Snapshots != 3 || s.SnapshotsApplied != 2 ||
		s.SnapshotsOld != 1 || s.DepthApplied != 4 || s.Stale != 1 || s.Instruments != 2 || s.LastReceive != r.now {
		t.Errorf("stats %+v", s)
	}
}

// TestLaneQuotes: the newest of book and venue's quote is the quote.
func TestLaneQuotes(t *testing.T) {
	r := newRig(t, feed.ContinuityFirst, 1)
	r.feed("s 10 b:90:1 a:100:1")
	r.events()
	r.feed("q 1 12 91 1 100 1")
	r.expect("quote:12:91x1-100x1")
	r.feed("d 1 11 11 0 b:95:1") // the book is behind the quote
	r.expect("level:11:buy:95x1/lf")
	r.feed("d 1 12 13 0 b:95:0 b:92:2")
	r.expect("level:13:buy:95x0/f", "level:13:buy:92x2/l", "quote:13:92x2-100x1")
	r.feed("q 1 13 92 2 100 1") // the book said so already
	r.feed("q 1 12 91 1 100 1") // late
	r.feed("q 1 13 92 2 100 1") // repeated
	r.expect()
	if s := r.stats(); s.Quotes != 4 || s.QuotesOld != 2 {
		t.Errorf("quotes %d, old %d", s.Quotes, s.QuotesOld)
	}
	r.feed("t 1 7 99 3", "m 1 98")
	r.expect("trade:7:99x3", "mark:98")
	if q := r.quote(); q.LastPrice != 99 || q.LastTime != r.now-1 || q.MarkPrice != 98 || q.MarkTime != r.now || q.BidPrice != 92 {
		t.Errorf("quote %+v", q)
	}
}

// TestLaneMarks: a mark that is older than one before, or repeats it, is dropped
// and does not make the price younger; after a break time may start anew.
func TestLaneMarks(t *testing.T) {
	r := newRig(t, feed.ContinuityFirst, 1)
	r.feed("M 1 98 50")
	at := r.now
	r.feed("M 1 97 49", "M 1 98 50") // late, repeated
	r.expect("mark:98")
	if q := r.quote(); q.MarkPrice != 98 || q.MarkTime != at {
		t.Errorf("quote %+v, the mark is of %d", q, at)
	}
	r.feed("M 1 99 50", "M 1 98 51", "M 1 96 50")
	r.expect("mark:99", "mark:98")
	if s := r.stats(); s.Marks != 6 || s.MarksOld != 3 {
		t.Errorf("marks %d, old %d", s.Marks, s.MarksOld)
	}
	r.lane.Disconnected(r.now)
	r.lane.Connected()
	r.events()
	r.feed("M 1 95 1")
	r.expect("mark:95")
}

// TestLaneCrossed: a crossed book or quote is flagged and counted, until it is
// no longer.
func TestLaneCrossed(t *testing.T) {
	r := newRig(t, feed.ContinuityFirst, 1)
	r.feed("s 10 b:90:1 a:100:1")
	r.events()
	r.feed("d 1 11 11 0 b:100:1")
	r.expect("level:11:buy:100x1/lf", "quote:11:100x1-100x1/X")
	if q := r.quote(); !q.Flags.Has(core.FlagCrossed) {
		t.Errorf("quote %+v", q)
	}
	r.feed("d 1 12 12 0 b:100:0")
	r.expect("level:12:buy:100x0/lf", "quote:12:90x1-100x1")
	r.feed("q 1 13 105 1 100 1")
	r.expect("quote:13:105x1-100x1/X")
	if s := r.stats(); s.Crossed != 2 {
		t.Errorf("crossed %d", s.Crossed)
	}
}

// TestLaneTrades: gaps in trade ids are counted, repeated and late trades dropped.
func TestLaneTrades(t *testing.T) {
	r := newRig(t, feed.ContinuityFirst, 1)
	r.feed("t 1 5 1 1", "t 1 6 1 1", "t 1 6 1 1", "t 1 10 1 1", "t 1 8 1 1", "t 1 11 1 1")
	r.expect("trade:5:1x1", "trade:6:1x1", "trade:10:1x1", "trade:11:1x1")
	s := r.stats()
	if s.Trades != 6 || s.TradeGaps != 1 || s.TradesMissed != 3 || s.TradeDuplicates != 2 {
		t.Errorf("stats %+v", s)
	}
	ignored := feed.Message{Kind: feed.MessageIgnored, Instrument: 1, LastID: 12}
	r.lane.Apply(&ignored, r.now)
	r.feed("t 1 13 1 1")
	if s := r.stats(); s.TradeGaps != 1 || s.Ignored != 1 {
		t.Errorf("an ignored trade's id was missed: %+v", s)
	}
}

// TestLaneDisconnected: everything is stale at once, nothing makes it live until
// the connection is back, and sequences may start anew.
func TestLaneDisconnected(t *testing.T) {
	r := newRig(t, feed.ContinuityFirst, 1, 2)
	r.feed("s 10 b:90:1 a:100:1", "q 1 12 91 1 100 1", "t 1 50 100 1")
	r.events()
	r.lane.Disconnected(5000)
	r.expect("status:10/S")
	if q := r.quote(); !q.Flags.Has(core.FlagStale) {
		t.Errorf("quote %+v", q)
	}
	r.feed("d 1 11 11 0 b:91:1", "s 11 b:91:1")
	if r.expect(); r.lane.Live(1) {
		t.Error("live without a connection")
	}
	r.asked = nil
	r.lane.Connected()
	if !slices.Equal(r.asked, []core.InstrumentID{1, 2}) {
		t.Errorf("asked %v", r.asked)
	}
	r.feed("q 1 3 80 1 81 1", "t 1 2 80 1", "s 3 b:80:1 a:81:1", "d 1 4 4 0 b:80:2")
	r.expect("quote:3:80x1-81x1/S", "trade:2:80x1", "status:3", "level:3:buy:80x1/fs", "level:3:sell:81x1/ls",
		"quote:3:80x1-81x1", "level:4:buy:80x2/lf", "quote:4:80x2-81x1")
	if s := r.stats(); s.Disconnects != 1 || s.TradeGaps != 0 || s.Stale != 1 {
		t.Errorf("stats %+v", s)
	}
}

// TestLaneRequestSnapshot: a consumer's wish is served by Duty, for a live book
// only, and many wishes are one.
func TestLaneRequestSnapshot(t *testing.T) {
	woken := 0
	lane, err := feed.NewLane(feed.LaneConfig{
		Decoder: &toyDecoder{}, Instruments: []core.InstrumentID{1, 2}, Wake: func() { woken++ }, RingCapacity: 8,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, lane: lane, reader: lane.Source().Ring.NewReader(), quotes: market.NewQuoteTable(4)}
	r.feed("s 10 b:90:1 a:100:1")
	r.events()
	for _, id := range []core.InstrumentID{1, 1, 2, 0, 77, 1 << 30} {
		lane.Source().RequestSnapshot(id)
	}
	if r.expect(); woken != 6 {
		t.Errorf("woken %d times", woken)
	}
	lane.Duty()
	r.expect("level:10:buy:90x1/fs", "level:10:sell:100x1/ls")
	lane.Duty()
	r.expect()

	r.feed("d 1 11 11 0 b:80:1 b:81:1 b:82:1")
	r.events()
	lane.RequestSnapshot(1)
	lane.Duty()
	r.expect("level:11:buy:90x1/fs", "level:11:buy:82x1/s", "level:11:sell:100x1/ls") // half the ring: best levels

	r.feed("d 1 12 12 0 b:80:0 b:81:0 b:82:0 b:90:0 a:100:0")
	r.events()
	lane.RequestSnapshot(1)
	lane.Duty()
	r.expect("level:12:unknown:0x0/lfs")
}

// TestLaneWithoutIDs: a simulated venue's messages apply in the order they come.
func TestLaneWithoutIDs(t *testing.T) {
	r := newRig(t, feed.ContinuityNone, 1)
	r.feed("d 1 0 0 0 b:1:1", "s 0 b:90:1 a:100:1")
	r.expect("status:1", "level:1:buy:90x1/fs", "level:1:sell:100x1/ls", "quote:1:90x1-100x1")
	r.feed("d 1 0 0 0 b:91:1", "q 1 0 92 1 100 1", "d 1 0 0 0 b:93:1", "t 1 0 5 1")
	r.expect("level:2:buy:91x1/lf", "quote:2:91x1-100x1", "quote:2:92x1-100x1",
		"level:3:buy:93x1/lf", "quote:3:93x1-100x1", "trade:0:5x1")
}

// TestNewLaneErrors: ids outside the lane's range, doubled ids and an unknown
// continuity are refused.
func TestNewLaneErrors(t *testing.T) {
	for _, cfg := range []feed.LaneConfig{
		{Instruments: []core.InstrumentID{0}},
		{Instruments: []core.InstrumentID{3, 3}},
		{Instruments: []core.InstrumentID{16}, MaxInstruments: 16},
		{Continuity: feed.ContinuityNone + 1},
	} {
		if _, err := feed.NewLane(cfg); err == nil {
			t.Errorf("accepted %+v", cfg)
		}
	}
}
