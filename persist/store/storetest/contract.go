package storetest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// Open opens an empty store that knows the instruments of dir, and closes it when
// the test ends.
type Open func(t *testing.T, dir *core.Directory) store.Store

// seeds are those of the random tests: fixed, so that a failure comes again.
var seeds = [...]uint64{1, 2, 3}

// Run is the contract suite.
func Run(t *testing.T, open Open) {
	t.Run("empty", func(t *testing.T) { testEmpty(t, open) })
	t.Run("extreme values come back", func(t *testing.T) { testExtremes(t, open) })
	t.Run("answers equal the naive store's", func(t *testing.T) { testQueries(t, open) })
	t.Run("pages make up the list", func(t *testing.T) { testPaging(t, open) })
	t.Run("rows are replaced", func(t *testing.T) { testUpserts(t, open) })
	t.Run("positions", func(t *testing.T) { testPositions(t, open) })
	t.Run("a write that is given up", func(t *testing.T) { testCancelledWrite(t, open) })
	t.Run("readers see whole batches", func(t *testing.T) { testConcurrentReaders(t, open) })
	t.Run("followers of failing calls", func(t *testing.T) { testFollowers(t, open) })
	t.Run("closed", func(t *testing.T) { testClosed(t, open) })
}

// pair is the store under test beside the naive one that is given the same.
type pair struct {
	t     *testing.T
	store store.Store
	naive *Memory
	world *world
}

func newPair(t *testing.T, open Open, seed uint64) *pair {
	t.Helper()
	w := newWorld(t, seed)
	return &pair{t, open(t, w.dir), NewMemory(), w}
}

// write gives both stores the batch.
func (p *pair) write(b *store.Batch) {
	p.t.Helper()
	if err := p.store.Write(p.t.Context(), b); err != nil {
		p.t.Fatalf("%s %d to %d: %v", b.Stream, b.From, b.To, err)
	}
	if err := p.naive.Write(p.t.Context(), b); err != nil {
		p.t.Fatal(err)
	}
}

// fill writes the definitions and n batches of each stream.
func (p *pair) fill(n, rows int) {
	p.t.Helper()
	p.write(p.world.definitions())
	for range n {
		p.write(p.world.journal(rows))
		p.write(p.world.ticks(rows))
	}
}

// same requires both stores to hold the same: digests, positions, states.
func (p *pair) same() {
	p.t.Helper()
	ctx := p.t.Context()
	got, err := p.store.Digest(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	want, _ := p.naive.Digest(ctx)
	if diff := want.Diff(got); diff != nil {
		p.t.Errorf("digests differ in %v:\n got %v\nwant %v", diff, got, want)
	}
	for s := range store.NumStreams {
		got, err := p.store.Position(ctx, s)
		if want, _ := p.naive.Position(ctx, s); err != nil || got != want {
			p.t.Errorf("%s stands at %v, want %v (%v)", s, got, want, err)
		}
		p.sameState(s)
	}
}

func (p *pair) sameState(s store.Stream) {
	p.t.Helper()
	got, err := p.store.Load(p.t.Context(), s)
	if err != nil {
		p.t.Fatalf("load %s: %v", s, err)
	}
	want, _ := p.naive.Load(p.t.Context(), s)
	if got.Position != want.Position {
		p.t.Errorf("%s: state at %v, want %v", s, got.Position, want.Position)
	}
	// A State's lists have no order.
	sameSet(p.t, "instruments", got.Instruments, want.Instruments)
	sameSet(p.t, "accounts", got.Accounts, want.Accounts)
	sameSet(p.t, "strategies", got.Strategies, want.Strategies)
	sameSet(p.t, "open orders", got.Open, want.Open)
	sameSet(p.t, "positions", got.Positions, want.Positions)
	sameSet(p.t, "marks", got.Marks, want.Marks)
	sameSet(p.t, "transfer totals", got.Totals, want.Totals)
	sameSet(p.t, "last quotes", got.Quotes, want.Quotes)
	sameSet(p.t, "last candles", got.Candles, want.Candles)
	sameSet(p.t, "recent gaps", got.Gaps, want.Gaps)
}

func sameSet[R comparable](t *testing.T, what string, got, want []R) {
	t.Helper()
	missing := map[R]int{}
	for _, r := range want {
		missing[r]++
	}
	for _, r := range got {
		if missing[r]--; missing[r] < 0 {
			t.Errorf("%s: %+v is not there in the naive store", what, r)
			return
		}
	}
	if len(got) != len(want) {
		for r, n := range missing {
			if n > 0 {
				t.Errorf("%s: %d rows, want %d; one that is missing is %+v", what, len(got), len(want), r)
				return
			}
		}
	}
}

// sameRows requires equal rows in equal order.
func sameRows[R comparable](t *testing.T, what string, q any, got, want []R) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s %+v: row %d of %d is\n     %+v\nwant %+v", what, q, i, len(want), got[i], want[i])
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s %+v: %d rows, want %d", what, q, len(got), len(want))
	}
}

func testEmpty(t *testing.T, open Open) {
	p := newPair(t, open, 1)
	p.same()
	p.everything()
	if o, ok, err := p.store.Order(t.Context(), 1); ok || err != nil {
		t.Errorf("an empty store has order 1: %+v (%v)", o, err)
	}
	if err := p.store.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func testExtremes(t *testing.T, open Open) {
	for _, seed := range seeds {
		p := newPair(t, open, seed)
		p.world.extreme = true
		p.fill(4, 15)
		p.same()
		p.everything()
		for _, o := range p.world.orders {
			if got, ok, err := p.store.Order(t.Context(), o.ID); !ok || err != nil || got != o {
				t.Errorf("order %d is %+v (%v, %v)\nwant %+v", o.ID, got, ok, err, o)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// everything compares all rows of all lists.
func (p *pair) everything() {
	p.t.Helper()
	const all = 1 << 20
	ctx := p.t.Context()
	compare(p, "orders", history.OrderQuery{Limit: all}, history.Reader.Orders)
	compare(p, "executions", history.ExecutionQuery{Limit: all}, history.Reader.Executions)
	compare(p, "transfers", history.TransferQuery{Limit: all}, history.Reader.Transfers)
	compare(p, "risk events", history.EventQuery{Limit: all}, history.Reader.RiskEvents)
	compare(p, "audit", history.EventQuery{Limit: all}, history.Reader.Audit)
	for _, in := range p.world.dir.Instruments() {
		compare(p, "trades", history.TradeQuery{Instrument: in.ID, Limit: all}, history.Reader.Trades)
		compare(p, "quotes", history.QuoteQuery{Instrument: in.ID, Limit: all}, history.Reader.Quotes)
		for _, interval := range history.CandleIntervals {
			compare(p, "candles", history.CandleQuery{Instrument: in.ID, Interval: interval, Limit: all}, history.Reader.Candles)
		}
	}
	for _, a := range p.world.dir.Accounts() {
		compare(p, "equity", history.EquityQuery{Account: a.ID, Limit: all}, history.Reader.Equity)
	}
	if err := ctx.Err(); err != nil {
		p.t.Fatal(err)
	}
}

// compare asks both stores the same and returns the answer of the one under test.
func compare[Q any, R comparable](p *pair, what string, q Q, ask func(history.Reader, context.Context, Q) ([]R, error)) []R {
	p.t.Helper()
	got, err := ask(p.store, p.t.Context(), q)
	if err != nil {
		p.t.Fatalf("%s %+v: %v", what, q, err)
	}
	want, err := ask(p.naive, p.t.Context(), q)
	if err != nil {
		p.t.Fatal(err)
	}
	sameRows(p.t, what, q, got, want)
	return got
}

func testClosed(t *testing.T, open Open) {
	p := newPair(t, open, 1)
	p.fill(1, 3)
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, errOrders := p.store.Orders(ctx, history.OrderQuery{Limit: 1})
	_, errPosition := p.store.Position(ctx, store.Journal)
	for what, err := range map[string]error{"ping": p.store.Ping(ctx), "write": p.store.Write(ctx, p.world.journal(1)),
		"orders": errOrders, "position": errPosition} {
		if err == nil {
			t.Errorf("%s of a closed store succeeds", what)
		}
	}
}

// refused requires a write to fail with want and to leave no trace.
func (p *pair) refused(what string, b *store.Batch, want error) {
	p.t.Helper()
	if err := p.store.Write(p.t.Context(), b); !errors.Is(err, want) {
		p.t.Errorf("%s: %v, want %v", what, err, want)
	}
	p.same()
}

// clone is a deep copy of a batch.
func clone(b *store.Batch) *store.Batch {
	out := *b
	v := reflect.ValueOf(&out).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice {
			f.Set(reflect.AppendSlice(reflect.Zero(f.Type()), f))
		}
	}
	return &out
}
