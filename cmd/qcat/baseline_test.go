package main

import (
	"fmt"
	"strconv"
	"testing"

	"qcat/api/client"
	"qcat/core"
	"qcat/core/history"
	"qcat/persist/journal"
	"qcat/persist/sqlite"
	"qcat/persist/store"
	"qcat/persist/vfs"
)

// TestStoreBeginsWithASnapshot loses the embedded store when the journal has let go
// of its first records: the start goes on, and the new store has the state that
// orders and positions were in, and everything that happens afterwards.
func TestStoreBeginsWithASnapshot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	flags := []string{"--demo", "--journal-segment=128KiB", "--journal-buffer=64KiB", "--journal-retention=1ns",
		"--snapshot-keep=1", "--no-cancel-on-shutdown", "--no-tick-log"}
	p := serveIn(t, dir, flags...)
	p.live(btc)
	const eth = "sim:ETHUSDT" // where no market order would trade with it
	q := p.live(eth)
	c := dial(t, p.addr)
	resting := client.Order{Account: "demo", Instrument: eth, Side: "buy", Type: "limit", TimeInForce: "gtd",
		Price: btcPrice(t, q.BidPrice, 99), Qty: "0.100", ClientOrderID: "resting",
		ExpireTime: int64(core.SystemClock().Now()) + 3600e9}
	rests, err := c.Order(t.Context(), resting)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 800 {
		o := client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.001", ClientOrderID: "m" + strconv.Itoa(i)}
		if i%2 == 1 {
			o.Side = "sell"
		}
		if _, err := c.Order(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	p.stopped()
	serveIn(t, dir, flags...).stopped() // retention
	if log, err := journal.OpenReadOnly(journalDir(dir), journalName, vfs.OS{}); err != nil || log.First() == 1 {
		t.Fatalf("the journal is whole: nothing is tried (%v)", err)
	}
	remove(t, embeddedPath(dir))

	p = serveIn(t, dir, flags...)
	p.logged("the store is new and the journal's first records are gone: it begins with the state of a snapshot; what happened before is not in it")
	p.live(btc)
	want := map[core.OrderID]string{}
	for _, o := range p.rows("/api/v1/orders?limit=1000") {
		want[core.OrderID(o["order_id"].(float64))] = fmt.Sprint(o["status"])
	}
	later, err := dial(t, p.addr).Order(t.Context(), client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.001"})
	if err != nil {
		t.Fatal(err)
	}
	want[core.OrderID(later.OrderID)] = p.until(later.OrderID, "filled").Status
	p.stopped()

	st, err := sqlite.Open(t.Context(), sqlite.Config{Path: embeddedPath(dir)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }() // only read
	rows, err := st.Orders(t.Context(), history.OrderQuery{Limit: 2000})
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if s := want[rows[i].ID]; s != rows[i].Status.String() {
			t.Errorf("order %d is %s in the store and %q to clients", rows[i].ID, rows[i].Status, s)
		}
		delete(want, rows[i].ID)
	}
	if len(want) > 0 {
		t.Errorf("%d orders are not in the store: %v", len(want), want)
	}
	if state, err := st.Load(t.Context(), store.Journal); err != nil || len(state.Totals) == 0 {
		t.Errorf("what the demo account was given is not in the store: %v", err)
	}
	if o, found, err := st.Order(t.Context(), core.OrderID(rests.OrderID)); err != nil || !found || !o.Status.Open() || o.Due != core.Nanos(resting.ExpireTime) {
		t.Errorf("the resting order is %+v, %v, %v", o, found, err)
	}
}
