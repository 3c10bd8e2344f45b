package hub

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
)

func TestFrameHeaders(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 1<<16 - 1, 1 << 16, 1<<16 + 1} {
		payload := bytes.Repeat([]byte{'x'}, n)
		f := EndFrame(append(BeginFrame(nil), payload...), OpText)
		if f[0] != 0x81 {
			t.Fatalf("%d: first byte %x", n, f[0])
		}
		size, at := int(f[1]), 2
		switch f[1] {
		case 126:
			size, at = int(binary.BigEndian.Uint16(f[2:])), 4
		case 127:
			size, at = int(binary.BigEndian.Uint64(f[2:])), 10
		}
		if size != n || !bytes.Equal(f[at:], payload) || (at == 4 && n < 126) || (at == 10 && n < 1<<16) {
			t.Fatalf("%d bytes: length %d, header of %d", n, size, at)
		}
	}
}

func TestDisconnectCodes(t *testing.T) {
	seen := map[uint16]bool{}
	for _, d := range Disconnects {
		if seen[d.Code] || d.Code < 4000 || d.Code > 4999 || d.Text == "" || len(d.Text) > MaxControl-2 {
			t.Errorf("%v: repeated, out of range, or text of %d bytes", d, len(d.Text))
		}
		seen[d.Code] = true
		if wire.Reconnect(int(d.Code)) != (d.Code < 4500) {
			t.Errorf("%v: reconnect", d)
		}
	}
	if wire.Reconnect(1000) || wire.Reconnect(1008) || !wire.Reconnect(1001) || !wire.Reconnect(1006) {
		t.Error("RFC codes")
	}
}

// TestSubscriptionsAgainstNaive: under random subscribing, unsubscribing and
// leaving every topic has exactly the subscribers it should have, and the links
// between topics and connections hold.
func TestSubscriptionsAgainstNaive(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := newRig(t, nil)
	it := r.market.instrument(r.in.ID)
	conns := make([]*Conn, 12)
	for i := range conns {
		conns[i] = &Conn{hub: r.Hub}
	}
	want := map[*topic]map[*Conn]bool{}
	for k := range it.topics {
		want[&it.topics[k]] = map[*Conn]bool{}
	}
	for step := range 5000 {
		c, top := conns[rnd.IntN(len(conns))], &it.topics[rnd.IntN(len(it.topics))]
		switch rnd.IntN(5) {
		case 0, 1:
			top.add(c)
			want[top][c] = true
		case 2, 3:
			top.remove(c)
			delete(want[top], c)
		case 4:
			for len(c.market) > 0 {
				removeRef(c, len(c.market)-1)
			}
			for _, w := range want {
				delete(w, c)
			}
		}
		for top, w := range want {
			if len(top.subs) != len(w) {
				t.Fatalf("seed %d step %d: %d subscribers, want %d", seed, step, len(top.subs), len(w))
			}
			for slot, s := range top.subs {
				if !w[s.conn] || s.conn.market[s.ref] != (subRef{top, slot}) {
					t.Fatalf("seed %d step %d: broken link", seed, step)
				}
			}
		}
	}
}

// TestHistoryAgainstNaive holds the event history against a slice of everything.
func TestHistoryAgainstNaive(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	var h history
	h.init(16, position{0, wholeRecord})
	var all []position
	at := position{1, 0}
	for range 300 {
		ev := engine.Event{Seq: at.seq, Index: at.idx}
		h.add(&ev)
		all = append(all, at)
		if rnd.IntN(3) == 0 {
			at.idx++
		} else {
			at = position{at.seq + 1 + rnd.Uint64N(2), 0}
		}
		from := all[rnd.IntN(len(all))]
		if rnd.IntN(2) == 0 {
			from.idx = wholeRecord
		}
		if from.before(h.floor) {
			continue
		}
		var got, want []position
		for ev := range h.after(from) {
			got = append(got, positionOf(ev))
		}
		for _, p := range all {
			if from.before(p) {
				want = append(want, p)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: after %v: %v, want %v", seed, from, got, want)
		}
	}
}

func TestRecentAgainstNaive(t *testing.T) {
	for limit := range 5 {
		r := recent[int]{limit: limit}
		var all []int
		for i := range 20 {
			r.add(&i)
			all = append(all, i)
			for n := range 7 {
				have := min(n, limit, len(all))
				if got := r.appendLast(nil, n); !slices.Equal(got, all[len(all)-have:]) {
					t.Fatalf("limit %d: last %d of %d: %v", limit, n, len(all), got)
				}
			}
		}
	}
}

// TestLatestWins: while a connection is stuck quotes are dropped, and when it has
// caught up it gets the latest one.
func TestLatestWins(t *testing.T) {
	r := newRig(t, func(c *Config) { c.SoftBound = 512 })
	sink := newSink()
	sink.block = make(chan struct{})
	c := r.attach(t, sink, BBO)
	quote := func(p core.Price) {
		ev := core.Event{Kind: core.EventQuote, Instrument: r.in.ID, Price: p, Qty: 1, AskPrice: p + 1, AskQty: 1}
		r.ring.Publish(&ev)
		r.cycle()
	}
	for p := range core.Price(200) {
		quote(1000 + p)
	}
	c.mu.Lock()
	pending := len(c.pending)
	c.mu.Unlock()
	if s := r.Stats(); s.Conflated == 0 || pending > 1024 {
		t.Fatalf("conflated %d, pending %d bytes", s.Conflated, pending)
	}
	before := r.Stats().Delivered
	close(sink.block)
	deadline := time.Now().Add(5 * time.Second)
	for c.market[0].topic.subs[0].state != subLive {
		if time.Now().After(deadline) {
			t.Fatal("never caught up")
		}
		time.Sleep(time.Millisecond)
		r.cycle()
	}
	if f := r.market.bboFrame(r.market.instrument(r.in.ID)); !strings.Contains(string(f), `"bp":"11.99"`) {
		t.Fatalf("latest %s", f)
	}
	quote(2000)
	if r.Stats().Delivered != before+1 {
		t.Fatal("not live again")
	}
}

// TestBuffersShrink: after a peak an idle connection keeps little.
func TestBuffersShrink(t *testing.T) {
	r := newRig(t, nil)
	sink := newSink()
	c := r.attach(t, sink)
	c.Send(make([]byte, 1<<20))
	deadline := time.Now().Add(5 * time.Second)
	for {
		c.mu.Lock()
		idle := c.idle
		c.mu.Unlock()
		if idle {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("never idle")
		}
		time.Sleep(time.Millisecond)
	}
	c.trim()
	c.mu.Lock()
	defer c.mu.Unlock()
	if cap(c.pending)+cap(c.spare) > 0 {
		t.Fatalf("keeps %d and %d bytes", cap(c.pending), cap(c.spare))
	}
}

func TestQueriesOfAStoppedHub(t *testing.T) {
	r := newRig(t, nil)
	if _, err := r.Book(t.Context(), 99, 1); !errors.Is(err, ErrUnknownInstrument) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := r.Trades(ctx, r.in.ID, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err) // nobody runs the market goroutine here
	}
	r.market.inbox.close()
	r.market.stop.Store(true)
	if _, err := r.Candles(t.Context(), r.in.ID, 1); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

// TestAnnounceTakesNoLock: the order lane announces an answer while a pusher
// holds the connection's lock, and the writer asks the source once it is free.
func TestAnnounceTakesNoLock(t *testing.T) {
	r := newRig(t, nil)
	sink := newSink()
	c := r.attach(t, sink)
	c.SetSource(answerSource("answer"))
	c.mu.Lock()
	announced := make(chan struct{})
	go func() {
		defer close(announced)
		c.Announce()
	}()
	select {
	case <-announced:
	case <-time.After(10 * time.Second):
		t.Error("it waits for the lock")
	}
	c.mu.Unlock()
	<-announced
	for end := time.Now().Add(10 * time.Second); sink.bytes.Load() != uint64(len("answer")); {
		if time.Now().After(end) {
			t.Fatalf("%d bytes were written", sink.bytes.Load())
		}
		time.Sleep(time.Millisecond)
	}
}

// TestFirstAnnouncementWhileWriting: a connection is given its source, and the first
// answer is announced, in the moment in which its writer has let go of the lock. The
// lock is handed over in the order of those who wait for it, as it is once somebody
// has waited for long.
func TestFirstAnnouncementWhileWriting(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r := newRig(t, nil)
	sink := newSink()
	c := r.attach(t, sink)
	c.pushPrivate([]byte("frame")) // this is the writer now
	c.mu.Lock()
	go c.writeLoop()
	time.Sleep(5 * time.Millisecond)
	go func() {
		c.SetSource(answerSource("answer"))
		c.Announce()
	}()
	time.Sleep(5 * time.Millisecond)
	c.mu.Unlock()
	c.mu.Lock() // the writer, woken, finds it taken again
	time.Sleep(5 * time.Millisecond)
	c.mu.Unlock()
	for end := time.Now().Add(10 * time.Second); sink.bytes.Load() < uint64(len("frameanswer")); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the answer is not written")
		}
	}
}

// answerSource answers the same whenever it is asked.
type answerSource string

func (s answerSource) AppendPending(dst []byte) []byte { return append(dst, s...) }
