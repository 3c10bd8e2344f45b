package store_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
	"qcat/core/engine"
	"qcat/core/history"
	"qcat/core/record"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
	"qcat/risk"
)

var testLog = store.LogID{1, 2, 3}

// finder looks orders up in a store.
func finder(t *testing.T, s store.Store) store.OrderFinder {
	return func(id core.OrderID) (history.Order, bool, error) { return s.Order(t.Context(), id) }
}

// project writes records to s from where it stands, in batches of random size, and
// begins anew from the stored state after each with the chance of one in restart.
func project(t *testing.T, s store.Store, records [][]byte, rng *rand.Rand, restart int) {
	t.Helper()
	var p *store.JournalProjection
	at, err := s.Position(t.Context(), store.Journal)
	if err != nil {
		t.Fatal(err)
	}
	for next := int(at.Seq); next < len(records); {
		if p == nil || rng.IntN(restart) == 0 {
			state, err := s.Load(t.Context(), store.Journal)
			if err != nil {
				t.Fatal(err)
			}
			p = store.NewJournalProjection(testLog, state, finder(t, s))
		}
		for range min(1+rng.IntN(30), len(records)-next) {
			if err := p.Apply(records[next]); err != nil {
				t.Fatal(err)
			}
			next++
		}
		rows := p.Rows()
		b := p.Take()
		if b.Rows() != rows {
			t.Fatalf("%d rows were announced, the batch has %d", rows, b.Rows())
		}
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// truth is what a fresh engine makes of records.
type truth struct {
	orders     map[core.OrderID]core.Order
	executions []core.Execution
	positions  []engine.PositionState
	deposits   []store.TransferTotal
	refused    int
}

func replay(t *testing.T, records [][]byte) *truth {
	t.Helper()
	l := load{clock: core.NewManualClock(testStart)}
	cfg := l.config()
	cfg.Journal, cfg.Quotes, cfg.Gateways = nil, nil, nil
	e := engine.New(cfg)
	out := &truth{orders: map[core.OrderID]core.Order{}}
	err := e.Recover(slices.Values(records), func(ev *engine.Event) {
		switch ev.Kind {
		case engine.EventExecution:
			out.executions = append(out.executions, ev.Execution)
			out.orders[ev.Order.ID] = ev.Order
		case engine.EventOrder:
			out.orders[ev.Order.ID] = ev.Order
		case engine.EventRefused:
			out.refused++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	out.positions = e.Positions()
	for _, a := range e.Directory().Accounts() {
		e.Query(func(tree *risk.Tree, _ uint64) {
			for _, w := range tree.Wallets(a.ID) {
				out.deposits = append(out.deposits, store.TransferTotal{Account: a.ID, Currency: w.Currency, Amount: w.Deposits})
			}
		})
	}
	return out
}

// compare holds what is stored against what the engine says.
func compare(t *testing.T, s store.Store, want *truth) {
	t.Helper()
	ctx := t.Context()
	orders, err := s.Orders(ctx, history.OrderQuery{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if len(orders) != len(want.orders) {
		t.Errorf("%d orders, want %d", len(orders), len(want.orders))
	}
	for _, o := range orders {
		if o.Order != want.orders[o.ID] {
			t.Fatalf("order %d is\n     %+v\nwant %+v", o.ID, o.Order, want.orders[o.ID])
		}
	}
	executions, err := s.Executions(ctx, history.ExecutionQuery{Limit: 1 << 20})
	if err != nil || len(executions) != len(want.executions) {
		t.Fatalf("%d executions, want %d (%v)", len(executions), len(want.executions), err)
	}
	slices.Reverse(executions)
	for i := range executions {
		if executions[i].Execution != want.executions[i] {
			t.Fatalf("execution %d is\n     %+v\nwant %+v", i, executions[i].Execution, want.executions[i])
		}
	}
	state, err := s.Load(ctx, store.Journal)
	if err != nil || len(state.Positions) != len(want.positions) {
		t.Fatalf("%d positions, want %d (%v)", len(state.Positions), len(want.positions), err)
	}
	for _, p := range want.positions {
		if !slices.ContainsFunc(state.Positions, func(h history.Position) bool {
			return engine.PositionState{Account: h.Account, Strategy: h.Strategy, Instrument: h.Instrument, Leg: h.Leg, Position: h.Position} == p
		}) {
			t.Fatalf("position %+v is not stored: %+v", p, state.Positions)
		}
	}
	totals := map[store.TransferTotal]bool{}
	for _, d := range state.Totals {
		d.Time = 0
		totals[d] = true
	}
	for _, d := range want.deposits {
		if d.Amount != 0 && !totals[d] {
			t.Fatalf("%+v is not stored: %+v", d, state.Totals)
		}
	}
	refused := 0
	events, err := s.RiskEvents(ctx, history.EventQuery{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind <= history.RiskCancelRefused {
			refused++
		}
	}
	if refused != want.refused {
		t.Errorf("%d refusals, want %d", refused, want.refused)
	}
}

// The rows of a journal say what the engine says of every order, execution and
// position, at its end and at any point before, and whether the projection went
// through in one go or began anew from what was stored after any batch.
func TestJournalRowsAreWhatTheEngineSays(t *testing.T) {
	total := map[string]int{}
	for seed := range uint64(6) {
		records := runLoad(t, seed, 800)
		for k, n := range countTypes(t, records) {
			total[k] += n
		}
		rng := rand.New(rand.NewPCG(seed, 8))
		straight := storetest.NewMemory()
		parts := []int{len(records)}
		for range 8 {
			parts = append(parts, rng.IntN(len(records)))
		}
		slices.Sort(parts)
		for _, part := range parts {
			project(t, straight, records[:part], rng, 1<<30)
			compare(t, straight, replay(t, records[:part]))
		}
		want, _ := straight.Digest(t.Context())
		for _, restart := range []int{1, 5} {
			again := storetest.NewMemory()
			project(t, again, records, rng, restart)
			if got, _ := again.Digest(t.Context()); !got.Equal(want) {
				t.Errorf("begun anew after one batch in %d: other rows of %v", restart, want.Diff(got))
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%6d %s", total[k], k)
	}
	for _, k := range []string{"late fill", "stray", "invalid", "repeated", "due", "unknown", "mark", "cancel_all", "state",
		"transfer", "margin", "funded", "breach", "countdown", "cancelled countdown", "cancelled session_dropped", "proposal", "decision", "ended"} {
		if total[k] == 0 {
			t.Errorf("the load made no %s", k)
		}
	}
}

// A record that does not follow, or whose outcome is not what the rows say, stops
// the projection; the wrong row is never made.
func TestJournalProjectionRefusesWhatDoesNotFit(t *testing.T) {
	records := runLoad(t, 3, 300)
	none := func(core.OrderID) (history.Order, bool, error) { return history.Order{}, false, nil }
	fresh := func(n int) *store.JournalProjection {
		p := store.NewJournalProjection(testLog, &store.State{}, none)
		for _, rec := range records[:n] {
			if err := p.Apply(rec); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	if err := fresh(5).Apply(records[6]); !errors.Is(err, store.ErrRecord) {
		t.Errorf("a record left out: %v", err)
	}
	if err := fresh(5).Apply(records[4]); !errors.Is(err, store.ErrRecord) {
		t.Errorf("a record again: %v", err)
	}
	if err := fresh(5).Apply(records[5][:7]); !errors.Is(err, store.ErrRecord) || !errors.Is(err, record.ErrMalformed) {
		t.Errorf("half a record: %v", err)
	}
	head := record.Header{Seq: 21, Time: 1 << 62}
	for what, r := range map[string]record.Record{
		"a cancel of no order":      {Cancel: record.Cancel{Found: 1 << 40, Sent: true}},
		"more cancels than orders":  {CancelAll: record.CancelAll{Scope: record.Scope{Level: 1}, Cancelled: 1 << 20}},
		"more due than orders":      {Clock: record.Clock{Expired: 1 << 20}},
		"more unknown than orders":  {Restart: record.Restart{Unknown: 1 << 20}},
		"an amend of no order":      {Amend: record.Amend{Found: 1 << 40}},
		"a fill of no order":        {Report: record.Report{Report: core.ExecReport{Type: core.ExecTrade, Order: 1 << 40}, Disposition: record.Applied}},
		"a late fill of no order":   {Report: record.Report{Report: core.ExecReport{Type: core.ExecTrade, Order: 1 << 40}, Disposition: record.Late}},
		"a disposition nobody gave": {Report: record.Report{Disposition: 99}},
		"an order without an id":    {New: record.New{}},
	} {
		r.Header = head
		r.Type = map[string]record.Type{"a cancel of no order": record.TypeCancel, "more cancels than orders": record.TypeCancelAll,
			"more due than orders": record.TypeClock, "more unknown than orders": record.TypeRestart,
			"an amend of no order": record.TypeAmend, "an order without an id": record.TypeNew}[what]
		if r.Type == 0 {
			r.Type = record.TypeReport
		}
		if err := fresh(20).Apply(r.Append(nil)); !errors.Is(err, store.ErrRecord) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// While an order cannot be looked up nothing changes, and the same record can be
// applied again.
func TestJournalProjectionWaitsForALookUp(t *testing.T) {
	records := runLoad(t, 5, 900)
	memory := storetest.NewMemory()
	want := storetest.NewMemory()
	project(t, want, records, rand.New(rand.NewPCG(1, 1)), 1<<30)
	failed, errDown := 0, errors.New("down")
	down := false
	p := store.NewJournalProjection(testLog, &store.State{}, func(id core.OrderID) (history.Order, bool, error) {
		if down = !down; down {
			failed++
			return history.Order{}, false, errDown
		}
		return memory.Order(t.Context(), id)
	})
	for _, rec := range records {
		rows, pos := p.Rows(), p.Position()
		err := p.Apply(rec)
		if errors.Is(err, store.ErrLookup) && errors.Is(err, errDown) {
			if p.Rows() != rows || p.Position() != pos {
				t.Fatal("a look-up that failed left a trace")
			}
			err = p.Apply(rec)
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Rows() > 3 {
			if err := memory.Write(t.Context(), p.Take()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if b := p.Take(); b != nil {
		if err := memory.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if failed == 0 {
		t.Fatal("nothing was looked up")
	}
	if p.Take() != nil {
		t.Error("a batch without a record")
	}
	got, _ := memory.Digest(t.Context())
	if w, _ := want.Digest(t.Context()); !got.Equal(w) {
		t.Errorf("other rows of %v", w.Diff(got))
	}
}
