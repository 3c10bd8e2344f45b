package engine

import (
	"context"
	"testing"
	"time"

	"qcat/core"
	"qcat/ringbuf"
)

// ackSink counts accepted answers for one waiting goroutine.
type ackSink struct {
	ring *ringbuf.SPSC[Reply]
}

func (s *ackSink) Deliver(r *Reply) { s.ring.Push(r) }

// nullGateway takes everything.
type nullGateway struct{ n int }

func (g *nullGateway) Ready() bool { return true }

func (g *nullGateway) Submit(*core.VenueCommand) bool { g.n++; return true }

// BenchmarkOrderCycle is one new order and its venue's rejection through the
// engine's duty cycle on one goroutine, with MemoryJournal: ring, check, record,
// table, gateway, reply and two events, and the closing of the order. No limits
// are set. Checks the number of answers and of orders sent.
func BenchmarkOrderCycle(b *testing.B) {
	gateway := &nullGateway{}
	h := newHarness(b, func(c *Config) {
		c.Gateways = map[string]Gateway{"sim": gateway}
		c.Journal = NewMemoryJournal(1 << 20)
		c.KeepClosedOrders = 1024
	})
	sink := &countSink{}
	to, _ := h.e.RegisterSink(sink)
	c := h.limit(core.Buy, 9990, 1, "")
	c.Reply = to
	report := Command{Kind: CmdReport, Report: core.ExecReport{Type: core.ExecRejected, Instrument: h.btc.ID}}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		h.e.Submit(&c)
		h.e.duty()
		report.Report.Order++
		h.e.Submit(&report)
		h.e.duty()
		n++
	}
	if sink.accepted != n || gateway.n != n || h.e.m.orders.open.len != 0 {
		b.Fatalf("%d orders: %d accepted, %d sent, %d still open", n, sink.accepted, gateway.n, h.e.m.orders.open.len)
	}
}

// promptGateway reports every order as cancelled before Submit returns.
type promptGateway struct {
	submit func(*Command) bool
	report Command
}

func (g *promptGateway) Ready() bool { return true }

func (g *promptGateway) Submit(c *core.VenueCommand) bool {
	g.report = Command{Kind: CmdReport, Report: core.ExecReport{Type: core.ExecCancelled, Order: c.Order, Instrument: c.Instrument, Time: c.Time}}
	return g.submit(&g.report)
}

// BenchmarkExecute is one order of an idle engine by the goroutine that wants its
// answer, with MemoryJournal and the system's clock: its duty cycles, the last of
// which take the venue's report and find nothing left. Checks the number of answers
// and that no order is left open.
func BenchmarkExecute(b *testing.B) {
	gateway := &promptGateway{}
	h := newHarness(b, func(c *Config) {
		c.Clock = core.SystemClock()
		c.Gateways = map[string]Gateway{"sim": gateway}
		c.Journal = NewMemoryJournal(1 << 20)
		c.KeepClosedOrders = 1024
	})
	gateway.submit = h.e.Submit
	h.e.turn.free()
	sink := &countSink{}
	to, _ := h.e.RegisterSink(sink)
	c := h.limit(core.Buy, 9990, 1, "")
	c.Reply = to
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		h.e.Execute(&c)
		n++
	}
	if sink.accepted != n || h.e.m.orders.open.len != 0 {
		b.Fatalf("%d orders: %d accepted, %d still open", n, sink.accepted, h.e.m.orders.open.len)
	}
}

type countSink struct{ accepted int }

func (s *countSink) Deliver(r *Reply) {
	if r.Reason.OK() {
		s.accepted++
	}
}

// BenchmarkOrderToAck is one order from Submit to its answer through the rings of
// a running engine, one at a time, with MemoryJournal and adaptive waiting: the
// latency of an unloaded lane. Each order is rejected by the venue afterwards.
func BenchmarkOrderToAck(b *testing.B) {
	h := newHarness(b, func(c *Config) {
		c.Clock = core.SystemClock()
		c.Gateways = map[string]Gateway{"sim": &nullGateway{}}
		c.Journal = NewMemoryJournal(1 << 20)
		c.KeepClosedOrders = 1024
	})
	h.e.stop()
	waiter := ringbuf.NewWaiter(ringbuf.Adaptive)
	sink := &ackSink{ringbuf.NewSPSC[Reply](16)}
	sink.ring.Notify(waiter)
	to, _ := h.e.RegisterSink(sink)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.e.Run(ctx) }()
	c := h.limit(core.Buy, 9990, 1, "")
	c.Reply = to
	var r Reply
	n, accepted := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		q := core.SystemClock().Now()
		c.Received = q
		if !h.e.Submit(&c) {
			b.Fatal("shed")
		}
		for !sink.ring.Pop(&r) {
			waiter.Wait(sink.ring.Ready, time.Millisecond)
		}
		n++
		if r.Reason.OK() {
			accepted++
			h.e.Submit(&Command{Kind: CmdReport, Report: core.ExecReport{Type: core.ExecRejected, Instrument: h.btc.ID, Order: r.Order.ID}})
		}
	}
	cancel()
	if err := <-done; err != nil || accepted != n {
		b.Fatalf("%d of %d accepted: %v, last %+v", accepted, n, err, r.Reason)
	}
}
