package feed

import (
	"context"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/ringbuf"
)

const (
	deepInstruments = 64
	deepLevels      = 1_000 // a side
	deepEvents      = deepInstruments * 2 * deepLevels
)

// deepVenue gives a lane live books that are together deeper than its ring.
func deepVenue(t *testing.T, l *Lane) {
	t.Helper()
	m := Message{Kind: MessageSnapshot}
	for i := range core.Price(deepLevels) {
		m.Bids = append(m.Bids, core.Level{Price: 10_000 - i, Qty: 1})
		m.Asks = append(m.Asks, core.Level{Price: 10_001 + i, Qty: 1})
	}
	for id := range core.InstrumentID(deepInstruments) {
		m.Instrument, m.LastID = id+1, uint64(id+1)
		m.Bids[0].Qty = core.Qty(id + 1)
		l.Apply(&m, 1)
	}
	if n := l.ring.Cap(); n >= deepEvents {
		t.Fatalf("%d events do not lap a ring of %d", deepEvents, n)
	}
}

func deepIDs() []core.InstrumentID {
	ids := make([]core.InstrumentID, deepInstruments)
	for i := range ids {
		ids[i] = core.InstrumentID(i + 1)
	}
	return ids
}

// lap lets a consumer learn of all instruments and then fall a lap behind.
func lap(l *Lane, tap *market.Tap) {
	for _, id := range deepIDs() {
		m := Message{Kind: MessageTrade, Instrument: id, LastID: 1, Price: 1, Qty: 1, Side: core.Buy}
		l.Apply(&m, 1)
	}
	poll(tap)
	for i := range uint64(l.ring.Cap()) + 1_000 {
		m := Message{Kind: MessageTrade, Instrument: 1, LastID: 2 + i, Price: 1, Qty: 1, Side: core.Buy}
		l.Apply(&m, 1)
	}
}

func poll(tap *market.Tap) {
	for tap.Poll(func(*core.Event, *book.Replica) {}) > 0 {
	}
}

// unlike returns how many replicas are not the lane's book.
func unlike(l *Lane, tap *market.Tap) (n int) {
	for _, id := range deepIDs() {
		if r := tap.Book(id); r == nil || r.Stale() || r.Book().Hash() != l.Book(id).Hash() {
			n++
		}
	}
	return n
}

// TestResendSettles: a consumer that was lapped once gets all books back, in a
// few duties, although they are together more than the ring holds; another
// consumer, which asks for books over and over, keeps none from it.
func TestResendSettles(t *testing.T) {
	l, err := NewLane(LaneConfig{Instruments: deepIDs()})
	if err != nil {
		t.Fatal(err)
	}
	deepVenue(t, l)
	tap := market.NewTap([]market.Source{l.Source()}, nil)
	defer tap.Close()
	lap(l, tap)
	duties := 0
	for poll(tap); unlike(l, tap) > 0; poll(tap) {
		if duties++; duties > 2*deepEvents/(l.ring.Cap()/4) {
			t.Fatalf("%d replicas differ after %d duties and %d overruns", unlike(l, tap), duties, tap.Overruns())
		}
		before := l.ring.Published()
		pause := l.Duty()
		if n := l.ring.Published() - before; n > uint64(l.ring.Cap()/4) || pause < time.Duration(n)*resendPace || pause < resendPause {
			t.Fatalf("a duty sent %d events and wants a pause of %v", n, pause)
		}
		for id := range core.InstrumentID(8) {
			l.RequestSnapshot(id + 1)
		}
	}
	if tap.Overruns() != 1 {
		t.Errorf("%d overruns", tap.Overruns())
	}
	for l.Duty() > 0 {
		if duties++; duties > 100 {
			t.Fatal("there is no end of duties")
		}
	}
}

// TestSessionResends: a session goes on sending by itself until all books that
// were asked for are out.
func TestSessionResends(t *testing.T) {
	s, err := NewSession(SessionConfig{
		Venue: noVenue{}, DutyEvery: time.Hour,
		Lane: LaneConfig{Decoder: &countingDecoder{}, Instruments: deepIDs()},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.lane.Connected()
	deepVenue(t, s.lane)
	w := ringbuf.NewWaiter(ringbuf.Park)
	tap := market.NewTap([]market.Source{s.Source()}, w)
	defer tap.Close()
	lap(s.lane, tap)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.duties(ctx)
	}()
	defer func() {
		cancel()
		<-done
	}()
	end := time.Now().Add(20 * time.Second)
	for stale := deepInstruments; stale > 0; {
		if time.Now().After(end) {
			t.Fatalf("%d replicas are stale after %d overruns", stale, tap.Overruns())
		}
		poll(tap)
		stale = 0
		for _, id := range deepIDs() {
			if tap.Book(id).Stale() {
				stale++
			}
		}
		w.Wait(tap.Ready, time.Millisecond)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := unlike(s.lane, tap); n > 0 {
		t.Errorf("%d replicas differ", n)
	}
}
