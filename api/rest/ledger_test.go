package rest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
	"qcat/core/engine"
)

// past is a view that forgets, a store that lags, and the naive list of all there
// is: what both together are held against.
type past struct {
	t       *testing.T
	rng     *rand.Rand
	seed    uint64
	view    *engine.View
	seq     uint64
	orders  [][]version // by id, each version of it
	fills   []core.Execution
	filled  []uint64 // records of fills
	stored  uint64   // record that the store has come to
	touched map[core.OrderID]bool
	during  int // changes that happen while the store is asked
	failing bool
}

// version is an order as a record left it.
type version struct {
	seq   uint64
	order core.Order
}

var errStore = errors.New("no answer")

func newPast(t *testing.T, seed uint64) *past {
	rng := rand.New(rand.NewPCG(seed, 9))
	e := engine.New(engine.Config{Directory: core.NewDirectory(), Journal: engine.NewMemoryJournal(1 << 10), MaxOpenOrders: 4, KeepClosedOrders: 4})
	return &past{t: t, rng: rng, seed: seed, touched: map[core.OrderID]bool{},
		view: engine.NewView(e, engine.ViewConfig{KeepOrders: 1 + rng.IntN(40), KeepExecutions: 1 + rng.IntN(40)})}
}

func (p *past) change() {
	p.seq++
	n := len(p.orders)
	o := core.Order{ID: core.OrderID(n + 1), Account: core.AccountID(1 + p.rng.IntN(2)), Status: core.StatusNew, CreateTime: core.Nanos(p.seq)}
	ev := engine.Event{Kind: engine.EventOrder, Seq: p.seq}
	if n > 0 && p.rng.IntN(3) > 0 {
		i := max(n-1-p.rng.IntN(20), 0)
		if p.rng.IntN(10) == 0 {
			i = p.rng.IntN(n) // maybe a late fill of an order that is forgotten
		}
		all := p.orders[i]
		o = all[len(all)-1].order
		if o.Status.Open() && p.rng.IntN(2) == 0 {
			o.Status = core.StatusCancelled
		} else {
			o.CumQty++
			if !o.Status.Open() && p.rng.IntN(2) == 0 {
				o.Status = core.StatusFilled // by a late fill
			}
			ev.Kind = engine.EventExecution
			ev.Execution = core.Execution{ID: uint64(len(p.fills) + 1), Order: o.ID, Account: o.Account, Time: core.Nanos(p.seq)}
			p.fills, p.filled = append(p.fills, ev.Execution), append(p.filled, p.seq)
		}
	} else {
		p.orders = append(p.orders, nil)
	}
	p.orders[o.ID-1] = append(p.orders[o.ID-1], version{p.seq, o})
	p.touched[o.ID] = true
	ev.Order = o
	p.view.Observe(&ev)
}

// askStore returns the store's orders that match, as they were at its position.
func (p *past) askStore(f engine.OrderFilter) (out []core.Order, err error) {
	if p.failing {
		return nil, errStore
	}
	for i := len(p.orders) - 1; i >= 0 && len(out) < f.Limit; i-- {
		all := p.orders[i]
		n := len(all)
		for n > 0 && all[n-1].seq > p.stored {
			n--
		}
		if n > 0 && f.Matches(&all[n-1].order) {
			out = append(out, all[n-1].order)
		}
	}
	for range p.during {
		p.change()
	}
	return out, nil
}

func (p *past) parts() *orderParts {
	return &orderParts{view: p.view.OrderPage, known: p.view.Order, since: p.view.CompleteSince, store: p.askStore,
		followed: func() uint64 { return p.stored }}
}

// latest are the orders that match, as they are now, highest id first.
func (p *past) latest(f engine.OrderFilter) (out []core.Order) {
	for i := len(p.orders) - 1; i >= 0; i-- {
		all := p.orders[i]
		if o := all[len(all)-1].order; f.Matches(&o) {
			out = append(out, o)
		}
	}
	return out
}

func (p *past) orderFilter() engine.OrderFilter {
	f := engine.OrderFilter{Limit: 1 + p.rng.IntN(12)}
	switch p.rng.IntN(5) {
	case 0:
		f.Account = 1
	case 1:
		f.Status = core.StatusCancelled
	case 2:
		f.Status = []core.OrdStatus{core.StatusNew, core.StatusFilled}[p.rng.IntN(2)]
	case 3:
		f.From, f.To = core.Nanos(p.rng.Uint64N(p.seq+1)), core.Nanos(1+p.rng.Uint64N(p.seq+1))
	}
	return f
}

// page walks all pages of a list and compares it with the naive one.
func (p *past) walk() (behind bool) {
	p.t.Helper()
	f := p.orderFilter()
	want := p.latest(f)
	var got []core.Order
	for first := f; ; {
		rows, err := p.parts().page(first)
		if errors.Is(err, errBehind) {
			if p.stored >= p.view.CompleteSince() {
				p.t.Fatalf("seed %d: behind at %d, needed %d", p.seed, p.stored, p.view.CompleteSince())
			}
			return true
		}
		if err != nil {
			p.t.Fatalf("seed %d: %v", p.seed, err)
		}
		got = append(got, rows...)
		if len(rows) < f.Limit {
			break
		}
		first.Before = rows[len(rows)-1].ID
	}
	if !slices.Equal(got, want) {
		p.t.Fatalf("seed %d: %+v, store at %d of %d, complete since %d:\n got %v\nwant %v", p.seed, f, p.stored, p.seq, p.view.CompleteSince(), got, want)
	}
	return false
}

// Pages of orders, put together of a view that forgets and a store that lags, are
// those of one full list: nothing is missed or doubled at the seam, and a client
// reads its own writes.
func TestOrdersAcrossTheSeam(t *testing.T) {
	walks, behind := 0, 0
	for seed := range uint64(60) {
		p := newPast(t, seed)
		for range 150 + p.rng.IntN(150) {
			p.change()
			switch p.rng.IntN(8) {
			case 0:
				p.stored = p.seq
			case 1:
				p.stored = min(p.seq, p.stored+p.rng.Uint64N(30))
			case 2:
				walks++
				if p.walk() {
					behind++
				}
			}
		}
	}
	if behind == 0 || behind*2 > walks {
		t.Errorf("%d of %d walks were behind: that shows little", behind, walks)
	}
}

// While the store is asked orders come, change and are forgotten. Those that do not
// change meanwhile are on the page once, as they are.
func TestOrdersChangeWhileAsked(t *testing.T) {
	for seed := range uint64(150) {
		p := newPast(t, seed)
		for range 100 + p.rng.IntN(200) {
			p.change()
		}
		p.stored = p.seq - p.rng.Uint64N(p.seq-p.view.CompleteSince()+1)
		p.during = p.rng.IntN(60)
		clear(p.touched)
		f := p.orderFilter()
		want := p.latest(f)
		rows, err := p.parts().page(f)
		if errors.Is(err, errBehind) {
			continue // what was forgotten meanwhile had not been stored
		}
		if err != nil {
			t.Fatal(err)
		}
		end := core.OrderID(0) // the page says nothing of what is below
		if len(rows) == f.Limit {
			end = rows[len(rows)-1].ID
		}
		still := func(o core.Order) bool { return p.touched[o.ID] || o.ID < end }
		got := slices.DeleteFunc(slices.Clone(rows), still)
		if want = slices.DeleteFunc(want, still); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %+v\n got %v\nwant %v", seed, f, got, want)
		}
		for i := 1; i < len(rows); i++ {
			if rows[i].ID >= rows[i-1].ID {
				t.Fatalf("seed %d: order %d follows %d", seed, rows[i].ID, rows[i-1].ID)
			}
		}
	}
}

// Executions likewise.
func TestExecutionsAcrossTheSeam(t *testing.T) {
	asked := 0
	for seed := range uint64(50) {
		p := newPast(t, seed)
		for range 300 {
			p.change()
		}
		p.stored = p.seq - p.rng.Uint64N(p.seq-p.view.CompleteSince()+1)
		parts := executionParts{view: p.view.ExecutionPage, since: p.view.CompleteSince, followed: func() uint64 { return p.stored },
			store: func(f engine.ExecutionFilter) (out []core.Execution, err error) {
				asked++
				for i := len(p.fills) - 1; i >= 0 && len(out) < f.Limit; i-- {
					if p.filled[i] <= p.stored && f.Matches(&p.fills[i]) {
						out = append(out, p.fills[i])
					}
				}
				return out, nil
			}}
		f := engine.ExecutionFilter{Limit: 1 + p.rng.IntN(15), Account: core.AccountID(p.rng.IntN(3)), From: core.Nanos(p.rng.IntN(100))}
		var got, want []core.Execution
		for i := len(p.fills) - 1; i >= 0; i-- {
			if f.Matches(&p.fills[i]) {
				want = append(want, p.fills[i])
			}
		}
		for next := f; ; {
			rows, err := parts.page(next)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			got = append(got, rows...)
			if len(rows) < f.Limit {
				break
			}
			next.Before = rows[len(rows)-1].ID
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %+v\n got %v\nwant %v", seed, f, got, want)
		}
		p.stored = p.view.CompleteSince() - 1
		f = engine.ExecutionFilter{Limit: len(p.fills)}
		if _, err := parts.page(f); !errors.Is(err, errBehind) {
			t.Fatalf("seed %d: a store at %d of %d: %v", seed, p.stored, p.seq, err)
		}
	}
	if asked < 50 {
		t.Errorf("the store was asked %d times", asked)
	}
}

// A store that does not answer is no matter as long as the view has the page.
func TestStoreIsAskedOnlyWhenNeeded(t *testing.T) {
	p := newPast(t, 1)
	p.failing = true
	for range 5 {
		p.change()
	}
	if rows, err := p.parts().page(engine.OrderFilter{Limit: 100}); err != nil || len(rows) == 0 {
		t.Errorf("nothing was forgotten: %d rows, %v", len(rows), err)
	}
	for range 400 {
		p.change()
	}
	for _, c := range []struct {
		f    engine.OrderFilter
		want error
	}{
		{engine.OrderFilter{Limit: 1 << 20}, errStore},
		{engine.OrderFilter{Limit: 1 << 20, OpenOnly: true}, nil},
		{engine.OrderFilter{Limit: 1 << 20, Status: core.StatusNew}, nil},
		{engine.OrderFilter{Limit: 1 << 20, Status: core.StatusCancelled}, errStore},
	} {
		if _, err := p.parts().page(c.f); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.f, err, c.want)
		}
	}
}
