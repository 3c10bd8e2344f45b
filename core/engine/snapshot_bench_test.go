package engine

import (
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// fullState is the snapshot of an engine with so many open and closed limit orders
// with client order ids, of one strategy in one instrument. They are entered in
// turn, one that stays and one that the venue rejects in the end, in random order.
func fullState(b testing.TB, open, closed int) (Config, []byte) {
	b.Helper()
	gateway := &nullGateway{}
	h := newHarness(b, func(c *Config) {
		c.Gateways = map[string]Gateway{"sim": gateway}
		c.Journal = NewMemoryJournal(1 << 20)
		c.MaxOpenOrders, c.KeepClosedOrders = open+closed, max(closed, 1)
	})
	bounds := h.cfg
	bounds.MaxOpenOrders, bounds.KeepClosedOrders = DefaultMaxOpenOrders, DefaultKeepClosedOrders
	c := h.limit(core.Buy, 9990, 1, "")
	report := Command{Kind: CmdReport, Report: core.ExecReport{Type: core.ExecRejected, Instrument: h.btc.ID}}
	var name []byte
	var closing []core.OrderID
	for i := range max(open, closed) {
		for _, stays := range []bool{false, true} {
			if (stays && i >= open) || (!stays && i >= closed) {
				continue
			}
			report.Report.Order++
			name = append(name[:0], "client-order-"...)
			for n := uint64(report.Report.Order); n > 0; n /= 10 {
				name = append(name, byte('0'+n%10))
			}
			c.ClOrdID, _ = core.MakeClOrdID(name)
			h.e.Submit(&c)
			h.run()
			if !stays {
				closing = append(closing, report.Report.Order)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	rng.Shuffle(len(closing), func(i, j int) { closing[i], closing[j] = closing[j], closing[i] })
	for _, report.Report.Order = range closing {
		h.e.Submit(&report)
		h.run()
	}
	if o := &h.e.m.orders; o.open.len != open || o.closed.len != closed {
		b.Fatalf("%d open and %d closed orders", o.open.len, o.closed.len)
	}
	h.e.stop()
	return bounds, h.e.AppendSnapshot(nil)
}

// BenchmarkRestore restores 131 072 open and 131 072 closed orders, the bounds of
// a default engine, into a new engine each time, without a view. Checks the hash.
func BenchmarkRestore(b *testing.B) {
	cfg, snapshot := fullState(b, DefaultMaxOpenOrders, DefaultKeepClosedOrders)
	want, _ := SnapshotHash(snapshot)
	b.SetBytes(int64(len(snapshot)))
	b.ReportAllocs()
	var e *Engine
	for b.Loop() {
		e = New(cfg.shadow())
		if err := e.Restore(snapshot, nil); err != nil {
			b.Fatal(err)
		}
	}
	if e.StateHash() != want {
		b.Fatal("another state")
	}
	b.ReportMetric(float64(e.m.orders.open.len+e.m.orders.closed.len), "orders")
}

// BenchmarkRestoreIntoView is the same with a view that is told of it.
func BenchmarkRestoreIntoView(b *testing.B) {
	cfg, snapshot := fullState(b, DefaultMaxOpenOrders, DefaultKeepClosedOrders)
	b.SetBytes(int64(len(snapshot)))
	var view *View
	for b.Loop() {
		e := New(cfg.shadow())
		view = NewView(e, ViewConfig{})
		if err := e.Restore(snapshot, view.Observe); err != nil {
			b.Fatal(err)
		}
	}
	if n, want := len(view.Orders(OrderFilter{})), DefaultMaxOpenOrders+DefaultViewOrders; n != want {
		b.Fatalf("the view has %d orders, want %d", n, want)
	}
}

// BenchmarkSnapshot puts the same state together. Checks the hash.
func BenchmarkSnapshot(b *testing.B) {
	cfg, snapshot := fullState(b, DefaultMaxOpenOrders, DefaultKeepClosedOrders)
	want, _ := SnapshotHash(snapshot)
	e := New(cfg.shadow())
	if err := e.Restore(snapshot, nil); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(snapshot)))
	b.ReportAllocs()
	for b.Loop() {
		snapshot = e.AppendSnapshot(snapshot[:0])
	}
	if got, _ := SnapshotHash(snapshot); got != want {
		b.Fatal("another state")
	}
}
