package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
)

// pastView is a view that forgets, and the naive list of all there ever was.
type pastView struct {
	*View
	rng    *rand.Rand
	seq    uint64
	orders []core.Order // by id
	seqs   []uint64     // of each order's last change
	fills  []core.Execution
	filled []uint64
}

// change has an order come, change or be filled.
func (p *pastView) change() {
	p.seq++
	at := core.Nanos(p.seq)
	if n := len(p.orders); n == 0 || p.rng.IntN(3) == 0 {
		o := core.Order{ID: core.OrderID(n + 1), Account: core.AccountID(1 + p.rng.IntN(2)), Instrument: 1, Side: core.Buy,
			Status: core.StatusNew, CreateTime: at}
		p.orders, p.seqs = append(p.orders, o), append(p.seqs, p.seq)
		p.Observe(&Event{Kind: EventOrder, Seq: p.seq, Order: o})
		return
	}
	i := max(len(p.orders)-1-p.rng.IntN(30), 0)
	o := &p.orders[i]
	if p.rng.IntN(4) == 0 {
		i = p.rng.IntN(len(p.orders)) // also a late fill of one that is forgotten
		o = &p.orders[i]
	}
	p.seqs[i] = p.seq
	if o.Status.Open() && p.rng.IntN(2) == 0 {
		o.Status = core.StatusCancelled
		p.Observe(&Event{Kind: EventOrder, Seq: p.seq, Order: *o})
		return
	}
	o.CumQty++
	x := core.Execution{ID: uint64(len(p.fills) + 1), Order: o.ID, Account: o.Account, Time: at}
	p.fills, p.filled = append(p.fills, x), append(p.filled, p.seq)
	p.Observe(&Event{Kind: EventExecution, Seq: p.seq, Order: *o, Execution: x})
}

// restore makes a new view of what the old one keeps, as a snapshot does: closed
// orders in the order in which they closed, then open ones.
func (p *pastView) restore(v *View) {
	old := p.View
	p.View = v
	for i := range old.closed.len() {
		v.Observe(&Event{Kind: EventOrder, Restored: true, Seq: p.seq, Order: p.orders[*old.closed.at(i)-1]})
	}
	for i := range p.orders {
		if p.orders[i].Status.Open() {
			v.Observe(&Event{Kind: EventOrder, Restored: true, Seq: p.seq, Order: p.orders[i]})
		}
	}
	v.Observe(&Event{Kind: EventPosition, Restored: true, Last: true, Seq: p.seq})
}

func (p *pastView) orderFilter() OrderFilter {
	f := OrderFilter{Limit: p.rng.IntN(20)}
	if p.rng.IntN(2) == 0 {
		f.Before = core.OrderID(1 + p.rng.IntN(len(p.orders)+5))
	}
	if p.rng.IntN(3) == 0 {
		f.Account = 1
	}
	if p.rng.IntN(4) == 0 {
		f.Status = []core.OrdStatus{core.StatusNew, core.StatusCancelled}[p.rng.IntN(2)]
	}
	if p.rng.IntN(4) == 0 {
		f.From = core.Nanos(p.rng.Uint64N(p.seq + 2))
	}
	if p.rng.IntN(4) == 0 {
		f.To = core.Nanos(1 + p.rng.Uint64N(p.seq+2))
	}
	return f
}

// checkOrders holds a page against the naive list: what is kept of it is there, in
// order, and a page that says that it is complete is.
func (p *pastView) checkOrders(t *testing.T, seed uint64) (complete bool) {
	t.Helper()
	f := p.orderFilter()
	var all, kept []core.Order
	for i := len(p.orders) - 1; i >= 0; i-- {
		o := p.orders[i]
		if !f.Matches(&o) {
			continue
		}
		if f.Limit == 0 || len(all) < f.Limit {
			all = append(all, o)
		}
		if p.View.orders.find(o.ID) != nil && (f.Limit == 0 || len(kept) < f.Limit) {
			kept = append(kept, o)
		}
	}
	got, complete := p.OrderPage(f)
	if !slices.Equal(got, kept) {
		t.Fatalf("seed %d: %+v\n got %v\nkept %v", seed, f, got, kept)
	}
	if complete && !slices.Equal(got, all) {
		t.Fatalf("seed %d: %+v is no complete page:\n got %v\nthere are %v", seed, f, got, all)
	}
	return complete
}

// checkExecutions does so for executions: nothing above the floor is missing.
func (p *pastView) checkExecutions(t *testing.T, seed uint64) {
	t.Helper()
	f := ExecutionFilter{Limit: p.rng.IntN(20)}
	if p.rng.IntN(2) == 0 {
		f.Before = uint64(1 + p.rng.IntN(len(p.fills)+5))
	}
	if p.rng.IntN(3) == 0 {
		f.Account = 1
	}
	if p.rng.IntN(4) == 0 {
		f.From = core.Nanos(p.rng.Uint64N(p.seq + 2))
	}
	got, floor := p.ExecutionPage(f)
	var want []core.Execution
	for i := len(p.fills) - 1; i >= 0; i-- {
		if x := p.fills[i]; x.ID >= floor && f.Matches(&x) && (f.Limit == 0 || len(want) < f.Limit) {
			want = append(want, x)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("seed %d: %+v above %d\n got %v\nwant %v", seed, f, floor, got, want)
	}
	known := len(p.fills) - p.View.executions.len() // below are forgotten
	if f.From == 0 && (f.Limit == 0 || len(got) < f.Limit) && floor != 1 && floor > uint64(known+1) && floor != f.Before &&
		floor != math.MaxUint64 && f.Before > uint64(known+1) {
		t.Fatalf("seed %d: %+v: floor %d, though all from %d are kept", seed, f, floor, known+1)
	}
}

// A view that has forgotten things says so: pages are held against the list of all
// orders and executions there ever were, before and after a restore.
func TestPagesSayWhatIsMissing(t *testing.T) {
	complete, partly := 0, 0
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 8))
		cfg := ViewConfig{KeepOrders: 1 + rng.IntN(60), KeepExecutions: 1 + rng.IntN(60)}
		_, v := newViewHarness(t, cfg)
		p := &pastView{View: v, rng: rng}
		for range 200 + rng.IntN(200) {
			p.change()
			if rng.IntN(150) == 0 {
				_, fresh := newViewHarness(t, cfg)
				p.restore(fresh)
			}
			if rng.IntN(4) == 0 {
				if p.checkOrders(t, seed) {
					complete++
				} else {
					partly++
				}
				p.checkExecutions(t, seed)
			}
		}
		// Whatever a later record changed is kept.
		since := p.CompleteSince()
		for i, seq := range p.seqs {
			if _, ok := p.Order(p.orders[i].ID); !ok && seq > since {
				t.Fatalf("seed %d: order %d of record %d is gone, and complete since %d", seed, i+1, seq, since)
			}
		}
		if n := len(p.filled) - p.View.executions.len(); n > 0 && p.filled[n-1] > since {
			t.Fatalf("seed %d: execution %d is gone, and complete since %d", seed, n, since)
		}
	}
	if complete < 300 || partly < 300 {
		t.Errorf("%d complete pages and %d others show little", complete, partly)
	}
}

// A long answer about executions lets the writer in, like one about orders.
func TestLongListOfExecutions(t *testing.T) {
	_, v := newViewHarness(t, ViewConfig{})
	const n = 2*walkChunk + 7
	for id := uint64(1); id <= n; id++ {
		v.Observe(&Event{Kind: EventExecution, Seq: id, Order: core.Order{ID: 1, Status: core.StatusNew}, Execution: core.Execution{ID: id}})
	}
	part, floor, more := v.executionChunk(&ExecutionFilter{}, 0, 0)
	if len(part) != walkChunk || floor != n-walkChunk+1 || !more {
		t.Errorf("%d in a chunk, down to %d, more %v", len(part), floor, more)
	}
	if all := v.Executions(ExecutionFilter{}); len(all) != n || all[0].ID != n || all[n-1].ID != 1 {
		t.Errorf("%d of %d", len(all), n)
	}
}

// A name that was used again names the last order that has it, also after a late
// fill has brought the first one back.
func TestNameUsedAgain(t *testing.T) {
	_, v := newViewHarness(t, ViewConfig{KeepOrders: 1})
	name, _ := core.MakeClOrdID("x")
	put := func(id core.OrderID, status core.OrdStatus) {
		v.Observe(&Event{Kind: EventOrder, Order: core.Order{ID: id, Account: 1, ClOrdID: name, Status: status}})
	}
	put(1, core.StatusCancelled)
	put(2, core.StatusCancelled) // forgets 1
	put(3, core.StatusNew)       // uses the name again
	put(1, core.StatusFilled)    // comes back
	got := v.Orders(OrderFilter{Account: 1, ClOrdID: name})
	if len(got) != 1 || got[0].ID != 3 {
		t.Errorf("named %v", got)
	}
}
