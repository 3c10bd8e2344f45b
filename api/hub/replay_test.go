package hub

import (
	"os"
	"testing"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/ringbuf"
)

// fullHistory is a hub whose history is full of fills, each of which shows on
// three channels.
func fullHistory(t *testing.T) *rig {
	t.Helper()
	ring := ringbuf.NewBroadcast[engine.Event](1 << 10)
	r := newRig(t, func(c *Config) { c.Events, c.View = ring, emptyView(0) })
	for seq := range uint64(r.cfg.EventHistory) {
		ring.Publish(&engine.Event{
			Kind: engine.EventExecution, Seq: seq + 1, Last: true, Time: 1,
			Order: core.Order{ID: 1, Instrument: r.in.ID, Qty: 1}, Execution: core.Execution{Instrument: r.in.ID, LastQty: 1},
		})
		r.private.poll()
	}
	return r
}

// resumeAll subscribes c to the channels that show fills, from the beginning.
func resumeAll(r *rig, c *Conn) (gone bool) {
	res := &resume{from: position{0, wholeRecord}, done: make(chan struct{})}
	r.private.subscribe(&command{conn: c, resume: res, answer: []byte("answer"), channels: []Channel{
		PrivateChannel(wire.Orders), PrivateChannel(wire.Executions), PrivateChannel(wire.Positions),
	}})
	return res.gone
}

// TestResumeTheWholeHistory: a client that reads gets all of the history, although
// it is more than the hard bound, and goes on.
func TestResumeTheWholeHistory(t *testing.T) {
	r := fullHistory(t)
	sink := newSink()
	c := r.attach(t, sink)
	if resumeAll(r, c) {
		t.Fatal("gone")
	}
	want := 3 * uint64(r.cfg.EventHistory)
	if n := r.Stats().Private; n != want || c.Reason() != (Disconnect{}) {
		t.Fatalf("%d frames of %d, reason %v", n, want, c.Reason())
	}
	written(t, c)
	if n := sink.bytes.Load(); n <= uint64(r.cfg.HardBound) {
		t.Errorf("%d bytes are within the hard bound of %d", n, r.cfg.HardBound)
	}
}

// TestResumeInFewWrites: a history goes to a client that takes everything at once in
// writes that carry many frames, and not frame by frame while the others wait.
func TestResumeInFewWrites(t *testing.T) {
	r := fullHistory(t)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	c := r.attach(t, newSink())
	c.direct.use(null)
	resumeAll(r, c)
	written(t, c)
	if s := r.Stats(); s.Bytes <= uint64(r.cfg.HardBound) || s.Writes > s.Private/20 {
		t.Errorf("%d frames of %d bytes in %d writes", s.Private, s.Bytes, s.Writes)
	}
}

// TestResumeOverAndOver: a client that resumes again and again and reads nothing is
// disconnected before the server keeps much for it.
func TestResumeOverAndOver(t *testing.T) {
	r := fullHistory(t)
	sink := newSink()
	sink.block = make(chan struct{})
	c := r.attach(t, sink)
	n := 0
	for ; c.Reason() == (Disconnect{}); n++ {
		if resumeAll(r, c); n > 8 {
			t.Fatalf("resumed %d times", n)
		}
	}
	if c.Reason() != SlowConsumer || n < 2 {
		t.Errorf("reason %v after %d times", c.Reason(), n)
	}
}
