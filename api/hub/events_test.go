package hub

import (
	"context"
	"testing"
	"time"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/ringbuf"
)

var _ View = (*engine.View)(nil)

// emptyView shows nothing, as of its sequence.
type emptyView uint64

func (v emptyView) Applied() uint64                                     { return uint64(v) }
func (emptyView) Orders(engine.OrderFilter) []core.Order                { return nil }
func (emptyView) Positions(engine.PositionFilter) []engine.PositionView { return nil }
func (emptyView) States() []engine.ScopeState                           { return nil }

// TestLostEventsEndPrivateChannels: when the engine laps the hub, private
// subscribers are told so instead of being shown a channel with a hole, and the
// history begins again at the first event that is whole.
func TestLostEventsEndPrivateChannels(t *testing.T) {
	ring := ringbuf.NewBroadcast[engine.Event](64)
	r := newRig(t, func(c *Config) { c.Events, c.View = ring, emptyView(0) })
	p := &r.private
	c := r.attach(t, newSink())
	p.subs[wire.Orders] = append(p.subs[wire.Orders], privateSub{conn: c})
	publish := func(from, to uint64) {
		for seq := from; seq <= to; seq++ {
			ring.Publish(&engine.Event{Kind: engine.EventOrder, Seq: seq, Last: true})
		}
	}
	publish(1, 10)
	p.poll()
	if c.Reason() != (Disconnect{}) || p.last.seq != 10 {
		t.Fatalf("reason %v at %d", c.Reason(), p.last.seq)
	}
	publish(11, 500)
	for p.poll() > 0 {
	}
	if c.Reason() != EventsLost || len(p.subs[wire.Orders]) != 0 || r.Stats().PrivateLost == 0 {
		t.Fatalf("reason %v, %d subscribers, %d lost", c.Reason(), len(p.subs[wire.Orders]), r.Stats().PrivateLost)
	}
	// Nobody resumes across the hole; from after it anybody does.
	for from, gone := range map[uint64]bool{10: true, 300: true, 499: false, 500: false, 501: true} {
		other := r.attach(t, newSink())
		res := &resume{from: position{from, wholeRecord}, done: make(chan struct{})}
		p.subscribe(&command{conn: other, channels: []Channel{PrivateChannel(wire.Orders)}, resume: res})
		if res.gone != gone {
			t.Errorf("from %d: gone %v, want %v", from, res.gone, gone)
		}
	}
}

// TestShutdownPassesOnWhatWasPublished: a client sees the end of its orders before
// it is told that the server stops.
func TestShutdownPassesOnWhatWasPublished(t *testing.T) {
	const events = 500
	ring := ringbuf.NewBroadcast[engine.Event](1 << 10)
	r := newRig(t, func(c *Config) {
		c.Events, c.View = ring, emptyView(0)
		c.Tick, c.Linger = time.Millisecond, 10*time.Second
	})
	sink := newSink()
	c := r.attach(t, sink)
	r.private.subs[wire.Orders] = append(r.private.subs[wire.Orders], privateSub{conn: c})
	go func() {
		<-sink.closed
		c.Close()
	}()
	for seq := range uint64(events) {
		ring.Publish(&engine.Event{Kind: engine.EventOrder, Seq: seq + 1, Last: true})
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	r.Run(ctx)
	if n := r.Stats().Private; n != events || c.Reason() != Shutdown {
		t.Errorf("%d events before the end, want %d (%v)", n, events, c.Reason())
	}
}

// TestResumeWithinARecord: an index resumes between the events of one record, and
// a bare sequence after all of them.
func TestResumeWithinARecord(t *testing.T) {
	ring := ringbuf.NewBroadcast[engine.Event](64)
	r := newRig(t, func(c *Config) { c.Events, c.View = ring, emptyView(0) })
	p := &r.private
	for i := range uint32(4) {
		ring.Publish(&engine.Event{Kind: engine.EventOrder, Seq: 7, Index: i, Last: i == 3})
	}
	p.poll()
	for _, tc := range []struct {
		from From
		want uint64
	}{{From{Seq: 6}, 4}, {From{Seq: 7, HasIdx: true, Idx: 1}, 2}, {From{Seq: 7, HasIdx: true, Idx: 0}, 3}, {From{Seq: 7}, 0}} {
		before := r.Stats().Private
		res := &resume{from: tc.from.position(), done: make(chan struct{})}
		p.subscribe(&command{conn: r.attach(t, newSink()), channels: []Channel{PrivateChannel(wire.Orders)}, resume: res})
		if got := r.Stats().Private - before; res.gone || got != tc.want {
			t.Errorf("%+v: %d events, want %d (gone %v)", tc.from, got, tc.want, res.gone)
		}
	}
}

// TestABusyEngineKeepsThePrivateGoroutineAwake: while a whole batch waits, or somebody
// asks, it does not doze, subscribers or none: it would be lapped, and nobody could resume.
func TestABusyEngineKeepsThePrivateGoroutineAwake(t *testing.T) {
	ring := ringbuf.NewBroadcast[engine.Event](256)
	r := newRig(t, func(c *Config) { c.Events, c.View = ring, emptyView(0) })
	p := &r.private
	for seq := range uint64(2 * eventBatch) {
		ring.Publish(&engine.Event{Kind: engine.EventOrder, Seq: seq + 1, Last: true})
	}
	for _, pressed := range []bool{true, false, false} {
		p.poll()
		if p.pressed() != pressed {
			t.Errorf("%d events wait: pressed %v", p.reader.Lag(), !pressed)
		}
	}
	p.inbox.post(command{op: opRun, run: func() {}})
	if !p.pressed() {
		t.Error("who asks is left to wait")
	}
	p.commands()
}
