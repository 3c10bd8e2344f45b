package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"qcat/core"
	"qcat/risk"
)

// newViewHarness is a harness with a view that the test polls.
func newViewHarness(t *testing.T, cfg ViewConfig) (*harness, *View) {
	t.Helper()
	h := newHarness(t)
	v := NewView(h.e, cfg)
	return h, v
}

func (v *View) pollAll() {
	for v.poll() > 0 {
	}
}

func TestViewShowsOrdersExecutionsPositions(t *testing.T) {
	h, v := newViewHarness(t, ViewConfig{})
	eth := h.defineInstrument("ETHUSDT")
	h.quote(eth.ID, 2000, 2002)
	named := h.ask(h.limit(core.Buy, 10000, 10, "mine")).Order
	h.fill(named.ID, 1, 9998, 4)
	c := h.limit(core.Sell, 10005, 3, "")
	sell := h.ask(c).Order.ID
	c.Instrument, c.Price = eth.ID, 2001
	h.ask(c)
	v.pollAll()
	for _, q := range []struct {
		name string
		f    OrderFilter
		want []core.OrderID
	}{
		{"all, newest first", OrderFilter{}, []core.OrderID{3, 2, 1}},
		{"the newest two", OrderFilter{Limit: 2}, []core.OrderID{3, 2}},
		{"one instrument", OrderFilter{Instrument: h.btc.ID}, []core.OrderID{2, 1}},
		{"sells", OrderFilter{Side: core.Sell}, []core.OrderID{3, 2}},
		{"partially filled", OrderFilter{Status: core.StatusPartiallyFilled}, []core.OrderID{1}},
		{"by client order id", OrderFilter{ClOrdID: named.ClOrdID}, []core.OrderID{1}},
		{"by account and client order id", OrderFilter{Account: h.account.ID, ClOrdID: named.ClOrdID}, []core.OrderID{1}},
		{"of nobody", OrderFilter{Account: 9}, nil},
		{"of another strategy", OrderFilter{Strategy: 9}, nil},
	} {
		var got []core.OrderID
		for _, o := range v.Orders(q.f) {
			got = append(got, o.ID)
		}
		if len(got) != len(q.want) {
			t.Errorf("%s: %v, want %v", q.name, got, q.want)
			continue
		}
		for i := range got {
			if got[i] != q.want[i] {
				t.Errorf("%s: %v, want %v", q.name, got, q.want)
			}
		}
	}
	if x := v.Executions(ExecutionFilter{Order: named.ID}); len(x) != 1 || x[0].LastQty != 4 || x[0].ClOrdID != named.ClOrdID {
		t.Errorf("executions %+v", x)
	}
	if x := v.Executions(ExecutionFilter{Order: sell}); len(x) != 0 {
		t.Errorf("executions %+v", x)
	}
	p := v.Positions(PositionFilter{Account: h.account.ID})
	// 4 units of 0.001 at 99.98, marked at the mid of 100.00 and 100.02.
	if len(p) != 1 || p[0].Mark != 10001 || p[0].AvgEntry != 9998_00000000 || p[0].AvgEntryScale != 10 ||
		p[0].Unrealised != 12_000 || p[0].Realised != 0 || !p[0].Valued {
		t.Errorf("positions %+v", p)
	}
	s := v.Account(h.account.ID)
	if len(s) != 1 || s[0].OpenOrders != 3 || s[0].Positions != 1 || s[0].Fees != 1 || s[0].Unrealised != 12_000 || !s[0].Valued {
		t.Errorf("summary %+v", s)
	}
}

func TestViewKeepsABoundedPast(t *testing.T) {
	h, v := newViewHarness(t, ViewConfig{KeepOrders: 3, KeepExecutions: 2})
	for range 6 {
		id := h.order(core.Buy, 10000, 1)
		h.fill(id, 1, 10000, 1)
	}
	open := h.order(core.Buy, 9990, 1)
	v.pollAll()
	if got := v.Orders(OrderFilter{}); len(got) != 4 || got[0].ID != open {
		t.Errorf("%d orders kept", len(got))
	}
	if got := v.Executions(ExecutionFilter{}); len(got) != 2 || got[0].ID != 6 || got[1].ID != 5 {
		t.Errorf("executions kept: %+v", got)
	}
	if n := slots(&v.orders.byName); v.orders.len != 4 || slots(&v.orders.byID) != 4 || n != 0 {
		t.Errorf("%d orders, %d names in memory", v.orders.len, n)
	}
}

func TestViewShowsStates(t *testing.T) {
	h, v := newViewHarness(t, ViewConfig{})
	h.state(risk.FirmScope(), risk.StateHalted, false)
	h.state(risk.AccountScope(h.account.ID), risk.StateReducing, false)
	h.state(risk.FirmScope(), risk.StateActive, false)
	v.pollAll()
	s := v.States()
	if len(s) != 2 || s[0].State != risk.StateActive || s[1].State != risk.StateReducing || s[0].Note.String() != "test" {
		t.Errorf("states %+v", s)
	}
	if v.State(risk.AccountScope(h.account.ID)) != risk.StateReducing || v.State(risk.FirmScope()) != risk.StateActive {
		t.Error("a scope's state is not what was set")
	}
}

// A client that waits for its reply's sequence reads its own write, also when the
// record made no event.
func TestViewReadsOwnWrites(t *testing.T) {
	h := newHarness(t)
	h.e.stop()
	v := NewView(h.e, ViewConfig{})
	ctx, cancel := context.WithCancel(context.Background())
	viewCtx, cancelView := context.WithCancel(context.Background())
	engineDone, viewDone := make(chan error, 1), make(chan struct{})
	go func() { engineDone <- h.e.Run(ctx) }()
	go func() { defer close(viewDone); v.Run(viewCtx) }()
	answers := make(chan Reply, 1)
	to, _ := h.e.RegisterSink(chanSink(answers))
	for i := range 200 {
		c := h.limit(core.Buy, 9990, 1, "")
		if i%3 == 1 {
			c.Kind, c.Scope = CmdCancelAll, risk.AccountScope(h.account.ID+1)
		}
		c.Reply = to
		if !h.e.Submit(&c) {
			t.Fatal("shed")
		}
		r := <-answers
		// Somebody who does not know the reply, but asks after it was given.
		if e := h.e.Answered(); e < r.Seq {
			t.Fatalf("answered %d, but Answered is %d", r.Seq, e)
		}
		if err := v.WaitFor(ctx, h.e.Answered()); err != nil {
			t.Fatal(err)
		}
		if _, ok := v.Order(r.Order.ID); !ok && r.Kind == CmdNew {
			t.Fatalf("order %d is not in the view at %d", r.Order.ID, v.Applied())
		}
	}
	short, cancelShort := context.WithTimeout(ctx, time.Millisecond)
	defer cancelShort()
	if err := v.WaitFor(short, 1<<60); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for the future: %v", err)
	}
	cancel()
	if err := <-engineDone; err != nil {
		t.Error(err)
	}
	cancelView()
	<-viewDone
	if err := v.WaitFor(context.Background(), 1<<60); !errors.Is(err, ErrViewStopped) {
		t.Errorf("after the end: %v", err)
	}
}

type chanSink chan Reply

func (s chanSink) Deliver(r *Reply) { s <- *r }

// A view that stands still for longer than the ring lasts loses nothing: the
// engine holds its events back.
func TestStalledViewLosesNothing(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.EventRing = 16; c.MaxStaged = 64 })
	v := NewView(h.e, ViewConfig{})
	for range 200 {
		c := h.limit(core.Buy, 9990, 1, "")
		if !h.e.Submit(&c) {
			t.Fatal("shed")
		}
	}
	h.run()
	if taken := h.e.m.orders.open.len; taken >= 200 {
		t.Errorf("%d orders taken with nobody reading", taken)
	}
	for range 1000 {
		h.run()
		v.pollAll()
	}
	if got := len(v.Orders(OrderFilter{})); got != 200 {
		t.Errorf("%d orders in the view, want 200", got)
	}
}

// What is committed is published although the journal has failed since, so that
// a reader who waits for what was answered gets it; nothing else is.
func TestCommittedEventsOutliveTheJournal(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.EventRing = 16 })
	v := NewView(h.e, ViewConfig{})
	for range 60 {
		h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.OK)
	}
	h.journal.hold = true
	h.submit(h.limit(core.Buy, 9990, 1, ""))
	h.run()
	answered := h.e.Answered()
	if h.e.Published() >= answered {
		t.Fatal("the event ring holds nothing back")
	}
	h.journal.broken = errBroken
	h.run()
	h.journal.commit() // what the disk did before it broke, known too late
	for range 20 {
		h.run()
		v.pollAll()
	}
	if p, a := h.e.Published(), h.e.Answered(); p != answered || a != answered || v.Applied() != answered {
		t.Errorf("answered %d, then %d; published %d; the view is at %d", answered, a, p, v.Applied())
	}
	if n := len(v.Orders(OrderFilter{})); n != 60 {
		t.Errorf("%d orders in the view, want 60", n)
	}
	if n := h.e.m.out.len(); n != 0 {
		t.Errorf("%d outputs left", n)
	}
}
