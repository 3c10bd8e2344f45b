package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"qcat/api/client"
	"qcat/core"
	"qcat/core/history"
	"qcat/feed/fakevenue"
	"qcat/persist/journal"
	"qcat/persist/sqlite"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
	"qcat/persist/vfs"
)

// small makes the files of a data directory small: tests copy them.
var small = []string{"--journal-segment=1MiB", "--journal-buffer=64KiB", "--tick-log-size=16MiB"}

// kill ends the process as a crash would.
func (p *process) kill() {
	p.t.Helper()
	p.once.Do(func() { _ = p.cmd.Process.Signal(syscall.SIGKILL) })
	<-p.ended
	p.code = 0 // it was the test's doing
}

// stopped stops the process, which must end in order.
func (p *process) stopped() {
	p.t.Helper()
	if code := p.stop(); code != 0 {
		p.t.Fatalf("exit code %d:\n%s", code, p.stderr.String())
	}
}

// logField is a field of the first line of the log with this message, nil when
// there is none.
func (p *process) logField(msg, field string) any {
	for line := range strings.Lines(p.stderr.String()) {
		l := map[string]any{}
		if json.Unmarshal([]byte(line), &l) == nil && l["msg"] == msg {
			return l[field]
		}
	}
	return nil
}

// rows are the objects of a list, with only the fields that are asked for: others
// move with the market.
func (p *process) rows(path string, fields ...string) (list []map[string]any) {
	p.t.Helper()
	a := p.ask("GET", path, nil)
	if a.status != http.StatusOK {
		p.t.Fatalf("%s: status %d, %s", path, a.status, a.body)
	}
	a.into(p.t, &list)
	if len(fields) == 0 {
		return list
	}
	for _, row := range list {
		for name := range row {
			if !slices.Contains(fields, name) {
				delete(row, name)
			}
		}
	}
	return list
}

// order returns one order.
func (p *process) order(id uint64) (st client.OrderState) {
	p.t.Helper()
	a := p.ask("GET", "/api/v1/orders/"+strconv.FormatUint(id, 10), nil)
	if a.status != http.StatusOK {
		p.t.Fatalf("order %d: status %d, %s", id, a.status, a.body)
	}
	a.into(p.t, &st)
	return st
}

// until waits for an order to be in a status.
func (p *process) until(id uint64, status string) (st client.OrderState) {
	p.t.Helper()
	eventuallyOr(p.t, func() string { return "order is " + status + ", not " + st.Status }, func() bool {
		st = p.order(id)
		return st.Status == status && st.Pending == ""
	})
	return st
}

// component is a part of /health.
func (p *process) component(name string) (status, detail string) {
	p.t.Helper()
	_, h := p.health()
	c := h.Components[name]
	return c.Status, c.Detail
}

// untilComponent waits for a part of /health to be in a status.
func (p *process) untilComponent(name, status string) (detail string) {
	p.t.Helper()
	got := ""
	eventuallyOr(p.t, func() string { return name + " is " + status + ", not " + got + ": " + detail }, func() bool {
		got, detail = p.component(name)
		return got == status
	})
	return detail
}

// dumped are the records of a journal from one on, as `qcat journal dump` has them.
func dumped(t *testing.T, dataDir string, from uint64) (records []map[string]any) {
	t.Helper()
	out := mustRun(t, "journal", "dump", "--data-dir", dataDir, "--from", strconv.FormatUint(from, 10))
	for line := range strings.Lines(out) {
		var r map[string]any
		into(t, line, &r)
		records = append(records, r)
	}
	return records
}

// hashOf is what `qcat journal hash` says of a data directory.
func hashOf(t *testing.T, dataDir string, args ...string) (hash string, seq uint64) {
	t.Helper()
	var out struct {
		Hash string
		Seq  uint64
	}
	into(t, mustRun(t, append([]string{"journal", "hash", "--json", "--data-dir", dataDir}, args...)...), &out)
	return out.Hash, out.Seq
}

// projected is what the journal of a data directory makes of a store that knew
// nothing.
func projected(t *testing.T, dataDir string) store.Store {
	t.Helper()
	log, err := journal.OpenReadOnly(journalDir(dataDir), journalName, vfs.OS{})
	if err != nil {
		t.Fatal(err)
	}
	want, ctx := storetest.NewMemory(), context.Background()
	find := func(id core.OrderID) (history.Order, bool, error) { return want.Order(ctx, id) }
	p := store.NewJournalProjection(log.ID(), &store.State{}, find)
	p.Tell(journalTexts)
	for rec, err := range log.Records(1, log.Last()) {
		if err == nil {
			err = p.Apply(rec)
		}
		if err == nil && p.Rows() > 1000 {
			err = want.Write(ctx, p.Take())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := want.Write(ctx, p.Take()); err != nil {
		t.Fatal(err)
	}
	return want
}

// ofTicks are the tables that the journal does not fill, or not alone.
var ofTicks = []string{"trades", "quotes", "candles", "tick_gaps", "stream_positions"}

// sameAsJournal wants a store to hold what the journal gives, row for row, and
// returns how many rows that are.
func sameAsJournal(t *testing.T, dataDir string, have store.Store) (rows uint64) {
	t.Helper()
	got, err := have.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := projected(t, dataDir).Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, table := range want.Tables {
		if slices.Contains(ofTicks, table.Table) {
			continue
		}
		if got.Tables[i] != table {
			t.Errorf("table %s: the store has %+v, the journal gives %+v", table.Table, got.Tables[i], table)
		}
		rows += table.Rows
	}
	return rows
}

// sameEmbedded is sameAsJournal for the embedded store of a server that has ended.
func sameEmbedded(t *testing.T, dataDir string) (rows uint64) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Config{Path: embeddedPath(dataDir)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	return sameAsJournal(t, dataDir, st)
}

// seen is what clients can ask for and what must be the same after a start.
func (p *process) seen() map[string]any {
	p.t.Helper()
	plain := func(path string) (v any) {
		p.ask("GET", path, nil).into(p.t, &v)
		return v
	}
	var limits struct {
		Limits []struct{ Scope, Limits any }
	}
	p.ask("GET", "/api/v1/risk/limits", nil).into(p.t, &limits)
	if len(limits.Limits) < 2 {
		p.t.Fatalf("limits: %+v", limits)
	}
	return map[string]any{
		"orders":     p.rows("/api/v1/orders?account=demo", "order_id", "client_order_id", "strategy", "status", "price", "qty", "cum_qty", "avg_price", "created"),
		"executions": p.rows("/api/v1/executions?account=demo"),
		"positions":  p.rows("/api/v1/positions", "account", "strategy", "instrument", "qty", "avg_entry", "fees", "volume", "fills"),
		"limits":     limits.Limits, // what is used of them moves with the market
		"states":     plain("/api/v1/risk/state"),
	}
}

// sameSeen compares what was seen before and after, list by list.
func sameSeen(t *testing.T, before, after map[string]any) {
	t.Helper()
	for name, want := range before {
		if got := after[name]; !bytes.Equal(encoded(t, got), encoded(t, want)) {
			t.Errorf("%s: %s\ninstead of %s", name, encoded(t, got), encoded(t, want))
		}
	}
}

// TestStartGoesOnWhereTheStopWas stops a server in order and starts it again: the
// state, what clients see of it and what they may repeat are the same, and nothing
// that is known is recorded again.
func TestStartGoesOnWhereTheStopWas(t *testing.T) {
	t.Parallel()
	args := append([]string{"--demo", "--no-cancel-on-shutdown"}, small...)
	p := serve(t, args...)
	p.live(btc)
	filled := client.Order{Account: "demo", Strategy: "alpha", Instrument: btc, Side: "buy", Type: "market", Qty: "0.100", ClientOrderID: "filled"}
	first := p.accepted(filled)
	rests, gone := p.accepted(p.resting("rests")), p.accepted(p.resting("gone"))
	p.until(first.OrderID, "filled")
	p.ask("DELETE", "/api/v1/orders/"+strconv.FormatUint(gone.OrderID, 10), nil)
	p.until(gone.OrderID, "cancelled")
	p.until(rests.OrderID, "new")
	mustRun(t, "halt", "--addr", p.addr, "--instrument", "sim:ETHUSDT", "--reason", "a drill")
	before := p.seen()
	p.stopped()

	hash, seq := hashOf(t, p.dataDir)
	if again, at := hashOf(t, p.dataDir, "--no-snapshots"); again != hash || at != seq {
		t.Fatalf("the journal alone gives %s at record %d, with the snapshot it is %s at %d", again, at, hash, seq)
	}
	q := serveIn(t, p.dataDir, args...)
	if got := q.logField("recovered", "state_hash"); got != hash {
		t.Errorf("recovered state %v, it was %s", got, hash)
	}
	q.live(btc)
	q.untilComponent("orders", "ok")
	sameSeen(t, before, q.seen())
	a := q.ask("POST", "/api/v1/orders", filled)
	var again client.OrderState
	a.into(t, &again)
	if again.OrderID != first.OrderID || a.header.Get("Idempotent-Replay") != "true" {
		t.Errorf("the same order again: status %d, %s", a.status, a.body)
	}
	halted := q.refused(client.Order{Account: "demo", Instrument: "sim:ETHUSDT", Side: "buy", Type: "market", Qty: "0.100"})
	if !strings.Contains(halted.Code, "halted") || !strings.Contains(string(q.ask("GET", "/api/v1/risk/state", nil).body), "a drill") {
		t.Errorf("the halt is gone: %+v", halted)
	}
	q.stopped()
	for _, r := range dumped(t, p.dataDir, seq+1) {
		switch r["record"] {
		case "restart", "report", "mark", "new", "clock":
		default:
			t.Errorf("recorded again: %v", r)
		}
	}
	if rows := sameEmbedded(t, p.dataDir); rows == 0 {
		t.Error("no rows")
	}
}

// TestInstrumentsKeepTheirIDs gives the feeds in another order, and leaves one out:
// ids are those of the first start, and what is held of an instrument that is not
// followed any more is shown, while orders for it are refused.
func TestInstrumentsKeepTheirIDs(t *testing.T) {
	t.Parallel()
	venue, err := fakevenue.New(fakevenue.Synthetic(fakevenue.SyntheticConfig{Symbols: []string{"BTCUSDT"}}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = venue.Close() })
	other := []string{"--feed", "binance-usdm:BTCUSDT"}
	start := func(dataDir string, feeds ...string) *process {
		urls := []string{"--binance-usdm-ws-url", venue.WS(), "--binance-usdm-rest-url", venue.REST()}
		return serveIn(t, dataDir, slices.Concat([]string{"--demo"}, feeds, urls, small)...)
	}
	dir := t.TempDir()
	p := start(dir, append([]string{"--feed", "sim"}, other...)...)
	p.live(btc)
	p.until(p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"}).OrderID, "filled")
	p.stopped()
	defined := func() (n int) {
		for _, r := range dumped(t, dir, 0) {
			if r["record"] == "instrument" {
				n++
			}
		}
		return n
	}
	known := defined()

	p = start(dir, append(other, "--feed", "sim")...)
	held := func() []map[string]any { return p.rows("/api/v1/positions", "instrument", "qty") }
	if rows := held(); len(rows) != 1 || rows[0]["instrument"] != btc || rows[0]["qty"] != "0.010" {
		t.Errorf("held: %v", rows)
	}
	p.stopped()
	p = start(dir, other...)
	if rows := held(); len(rows) != 1 || rows[0]["instrument"] != btc || rows[0]["qty"] != "0.010" {
		t.Errorf("held of what is not followed: %v", rows)
	}
	r := p.refused(client.Order{Account: "demo", Instrument: btc, Side: "sell", Type: "market", Qty: "0.010"})
	if r.Code != "risk.stale_reference" {
		t.Errorf("order for what is not followed: %+v", r)
	}
	p.stopped()
	if n := defined(); n != known {
		t.Errorf("%d instruments are defined, it were %d", n, known)
	}
}

// copyOf copies a data directory.
func copyOf(t *testing.T, dataDir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dataDir)); err != nil {
		t.Fatal(err)
	}
	return to
}
