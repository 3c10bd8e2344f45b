package postgres_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

// rig is a store beside the naive one, and a source of batches that both get.
type rig struct {
	t     *testing.T
	store *postgres.Store
	naive *storetest.Memory
	dir   *core.Directory
	rng   *rand.Rand

	log    store.LogID
	seq    [store.NumStreams]uint64
	now    core.Nanos
	orders []history.Order
	execs  uint64
}

func newRig(t *testing.T, url string, patience time.Duration) *rig {
	t.Helper()
	r := &rig{t: t, naive: storetest.NewMemory(), dir: core.NewDirectory(), rng: rand.New(rand.NewPCG(1, 2)),
		log: store.LogID{1, 2, 3}, now: 1_700_000_000_000_000_000}
	if _, err := r.dir.AddInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}); err != nil {
		t.Fatal(err)
	}
	r.store = open(t, postgres.Config{URL: url, Directory: r.dir, ConnectTimeout: patience, WriteTimeout: patience, ReadTimeout: patience})
	return r
}

// journal is a batch of n orders, about half of them changes of earlier ones, and fills.
func (r *rig) journal(n int) *store.Batch {
	b := r.batch(store.Journal, n)
	if b.From == 1 {
		b.Instruments = []core.Instrument{*r.dir.Instrument(1)}
		b.Accounts = []core.Account{{ID: 1, Name: "demo"}}
	}
	changed := map[core.OrderID]bool{}
	for range n {
		var o *history.Order
		if len(r.orders) == 0 || r.rng.IntN(2) == 0 {
			r.orders = append(r.orders, history.Order{Order: core.Order{ID: core.OrderID(len(r.orders) + 1), Account: 1, Strategy: 1,
				Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Status: core.StatusNew, Price: 100, Qty: 1000, CreateTime: r.now}})
			o = &r.orders[len(r.orders)-1]
		} else {
			o = &r.orders[max(0, len(r.orders)-1-r.rng.IntN(200))]
			o.CumQty++
			o.Status = core.OrdStatus(2 + r.rng.IntN(3)) // late fills of closed ones included
		}
		if changed[o.ID] {
			continue
		}
		changed[o.ID] = true
		o.UpdateTime, o.Seq = r.now, b.To
		b.Orders = append(b.Orders, *o)
		r.execs++
		b.Executions = append(b.Executions, history.Execution{Execution: core.Execution{ID: r.execs, Order: o.ID, Account: 1, Strategy: 1,
			Instrument: 1, Side: core.Buy, Liquidity: core.Taker, LastPx: 100, LastQty: 1, Fee: -1, Time: r.now}, Seq: b.To})
	}
	b.Positions = []history.Position{{Account: 1, Strategy: 1, Instrument: 1, Seq: b.To, Time: r.now,
		Position: core.Position{Qty: core.Qty(r.execs), EntryNum: core.Int128From(100), EntryDen: 1, Fills: r.execs}}}
	b.Audit = []history.Audit{{Seq: b.To, Time: r.now, Action: "set_limits", Detail: "'); DROP TABLE audit; --"}}
	return b
}

func (r *rig) batch(s store.Stream, n int) *store.Batch {
	b := &store.Batch{Stream: s, Log: r.log, From: r.seq[s] + 1}
	r.seq[s] += uint64(n) + 1
	r.now += core.Nanos(time.Second)
	b.To, b.Time = r.seq[s], r.now
	return b
}

// ticks is a batch of n trades and as many quotes.
func (r *rig) ticks(n int) *store.Batch {
	b := r.batch(store.Ticks, 2*n)
	for i := range n {
		at := r.now + core.Nanos(i)
		tick := b.From + 2*uint64(i)
		b.Trades = append(b.Trades, history.Trade{Instrument: 1, ID: tick, Side: core.Sell, Price: core.Price(r.rng.IntN(1e6)), Qty: 1,
			ExchangeTime: at, ReceiveTime: at, Tick: tick})
		b.Quotes = append(b.Quotes, history.Quote{Instrument: 1, BidPrice: 1, AskPrice: 2, ReceiveTime: at, Tick: tick + 1})
	}
	b.Candles = []history.Candle{{Instrument: 1, Interval: 1e9, Candle: core.Candle{Open: 1, High: 2, Low: 1, Close: 2, Trades: uint32(n), OpenTime: r.now}}}
	return b
}

// either is a batch of one stream or the other.
func (r *rig) either(journal bool, orders, ticks int) *store.Batch {
	if journal {
		return r.journal(orders)
	}
	return r.ticks(ticks)
}

// follow does what a follower does: writes b until the store says that it has it, asking
// for its position after every failure. It returns the failures.
func (r *rig) follow(b *store.Batch) (failures []error) {
	r.t.Helper()
	ctx := r.t.Context()
	for {
		err := r.store.Write(ctx, b)
		if err == nil {
			break
		}
		failures = append(failures, err)
		if len(failures) > 500 {
			r.t.Fatalf("no progress: %v", err)
		}
		at, err := r.store.Position(ctx, b.Stream)
		for ; err != nil && ctx.Err() == nil; at, err = r.store.Position(ctx, b.Stream) {
			if r.t.Failed() { // the server does not come back
				r.t.FailNow()
			}
			time.Sleep(5 * time.Millisecond)
		}
		if at.Seq == b.To {
			break
		}
		if at.Seq != b.From-1 {
			r.t.Fatalf("the store is at %d after a batch from %d to %d: %v", at.Seq, b.From, b.To, failures)
		}
	}
	if err := r.naive.Write(ctx, b); err != nil {
		r.t.Fatal(err)
	}
	return failures
}

// same requires the same rows, by count and hash.
func (r *rig) same() {
	r.t.Helper()
	got, err := r.store.Digest(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	want, err := r.naive.Digest(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	if diff := want.Diff(got); diff != nil {
		r.t.Errorf("tables %v differ:\n got %v\nwant %v", diff, got, want)
	}
}

// TestCutAtEveryMessage cuts the connection at each message of a write in turn, from either
// side: at the connect, in the pipelines, in the middle of COPY, before and after COMMIT.
// (Postgres cut mid-COPY; cut after commit, before its answer: no row lost or doubled.)
func TestCutAtEveryMessage(t *testing.T) {
	t.Parallel()
	url := migrated(t, pgtest.URL(t))
	p, proxied := through(t, url)
	r := newRig(t, proxied, 5*time.Second)
	for _, fromClient := range []bool{true, false} {
		cuts, copies := 0, 0
		for at := 0; ; at++ {
			n, hit := 0, false
			p.set(func(m message) action {
				if m.fromClient != fromClient || hit {
					return pass
				}
				if n++; n <= at {
					return pass
				}
				hit = true
				if m.kind == 'd' {
					copies++
				}
				return cut
			})
			b := r.either(at%3 != 0, 30, 2000)
			failures := r.follow(b)
			if !hit {
				break
			}
			if len(failures) == 0 && fromClient {
				t.Fatalf("message %d was cut and nobody noticed", at)
			}
			cuts++
		}
		p.set(nil)
		if cuts < 25 || fromClient && copies == 0 {
			t.Errorf("%d cuts, %d of them in a COPY", cuts, copies)
		}
		r.same()
	}
}

// TestCutAfterCommit: the server commits and its answer is lost. The writer must not
// believe that the batch failed. (Postgres cut after commit, before its answer.)
func TestCutAfterCommit(t *testing.T) {
	t.Parallel()
	url := migrated(t, pgtest.URL(t))
	p, proxied := through(t, url)
	r := newRig(t, proxied, 5*time.Second)
	for i := range 20 {
		b := r.either(i%2 == 0, 20, 100)
		answered := false
		p.set(func(m message) action {
			if !m.fromClient && m.kind == 'C' && bytes.HasPrefix(m.body, []byte("COMMIT")) && !answered {
				answered = true
				return cut
			}
			return pass
		})
		err := r.store.Write(t.Context(), b)
		p.set(nil)
		if !answered || err == nil || errors.Is(err, store.ErrPosition) {
			t.Fatalf("the answer was lost (%v) and the write said %v", answered, err)
		}
		if at, err := r.store.Position(t.Context(), b.Stream); err != nil || at.Seq != b.To {
			t.Fatalf("position %v (%v), want %d", at, err, b.To)
		}
		if i%3 == 0 { // a follower that does not ask is refused
			if err := r.store.Write(t.Context(), b); !errors.Is(err, store.ErrPosition) {
				t.Fatalf("the batch is taken twice: %v", err)
			}
		}
		if err := r.naive.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	r.same()
}

// TestHalfOpen: the network swallows everything from the COMMIT on, and both ends stay open.
// The write ends with its deadline, and the server lets go of the position's row by
// itself. (Half-open TCP: found within the bound.)
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	const patience, hang = time.Second, 30 * time.Second
	url := migrated(t, pgtest.URL(t))
	p, proxied := through(t, url)
	r := newRig(t, proxied, patience)
	r.follow(r.journal(5))
	stalled := false
	p.set(func(m message) action {
		if m.fromClient && m.kind == 'P' && bytes.Contains(m.body, []byte("COMMIT")) && !stalled {
			stalled = true
			return stall
		}
		return pass
	})
	b := r.journal(5)
	start := time.Now()
	err := r.store.Write(t.Context(), b)
	// A write without a deadline, or a row that the server keeps, is held until the
	// system finds the connection dead, which takes minutes.
	if took := time.Since(start); err == nil || took > hang {
		t.Fatalf("the write said %v after %v", err, took)
	}
	if failures := r.follow(b); time.Since(start) > 2*hang {
		t.Errorf("the row was held for %v: %v", time.Since(start), failures)
	}
	r.same()
}

// TestKilledServer kills all of the server with SIGKILL under load, again and again.
// (Postgres killed: afterwards rows = log, by count and hash.)
func TestKilledServer(t *testing.T) {
	t.Parallel()
	srv := pgtest.Start(t)
	r := newRig(t, migrated(t, srv.Database(t)), 5*time.Second)
	rounds := 3
	if torture() {
		rounds = 50
	}
	for range rounds {
		after := time.Duration(r.rng.IntN(300)) * time.Millisecond
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			time.Sleep(after) // somewhere in the load
			srv.Kill(t)
			srv.Restart(t)
		}()
		failed := 0
		for running := true; running; {
			select {
			case <-killed:
				running = false
			default:
			}
			failed += len(r.follow(r.journal(50)))
			failed += len(r.follow(r.ticks(500)))
		}
		failed += len(r.follow(r.journal(50))) // the pool's connection is one of the killed server
		if failed == 0 {
			t.Error("a kill went unnoticed")
		}
	}
	r.same()
}

// TestPausedServer stops every process of the server with SIGSTOP while batches come.
// (Postgres stopped, SIGSTOP; 60 s in the long form.)
func TestPausedServer(t *testing.T) {
	t.Parallel()
	pause := time.Second // beyond what the questions before take
	if torture() {
		pause = 60 * time.Second
	}
	srv := pgtest.Start(t)
	r := newRig(t, migrated(t, srv.Database(t)), 500*time.Millisecond)
	r.follow(r.journal(50))
	srv.Pause(t)
	for _, s := range []store.Stream{store.Journal, store.Ticks} {
		if _, err := r.store.Position(t.Context(), s); err == nil {
			t.Error("a stopped server answers")
		}
	}
	if err := r.store.Ping(t.Context()); err == nil {
		t.Error("a stopped server is healthy")
	}
	b := r.journal(50)
	if err := r.store.Write(t.Context(), b); err == nil {
		t.Error("a stopped server writes")
	}
	resumed := time.AfterFunc(pause, func() { srv.Resume(t) }) // after the questions, however long they took
	defer resumed.Stop()
	r.follow(b)
	for range 5 {
		r.follow(r.journal(50))
		r.follow(r.ticks(500))
	}
	r.same()
}

// torture asks for the long forms.
func torture() bool { return os.Getenv("QCAT_TORTURE") == "1" }
