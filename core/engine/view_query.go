package engine

import (
	"math"
	"sort"

	"qcat/core"
)

// Order returns one order, if it is kept.
func (v *View) Order(id core.OrderID) (core.Order, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if o := v.orders.find(id); o != nil {
		return o.order, true
	}
	return core.Order{}, false
}

// Orders returns the orders that match and are kept, highest id first. A long
// answer is put together while the view goes on: an order that was kept all the
// while is in it once, as it was at some moment of the call and not before it.
func (v *View) Orders(f OrderFilter) []core.Order {
	out, _ := v.OrderPage(f)
	return out
}

// OrderPage is Orders, and whether it is everything: false when an order that the
// filter might select, and that comes before the last one returned or, without
// Limit of them, anywhere, is no longer kept. Open orders always are.
//
// Account and ClOrdID together name one order: the last that had this id.
func (v *View) OrderPage(f OrderFilter) (orders []core.Order, complete bool) {
	if f.ClOrdID.Len() > 0 && f.Account != 0 {
		return v.named(&f)
	}
	p := orderPage{filter: &f}
	for w := newOrderWalk(v, f.Before); w.more(); {
		p.part = p.part[:0]
		w.next(func(o *core.Order) bool { return p.visit(v, o) })
		p.out = append(p.out, p.part...) // grows while nobody waits for the lock
	}
	return p.out, p.complete(v)
}

// orderPage is an answer in the making. Ids are given without a gap, so that one
// that is passed over is an order no longer kept.
type orderPage struct {
	filter  *OrderFilter
	out     []core.Order
	part    []core.Order // of the chunk under way
	started bool
	next    uint64 // the id that is to come
	hole    bool   // one was passed over, or may have been
	over    bool   // no older order can match
}

func (p *orderPage) start(v *View) {
	var known bool
	p.next, known = v.edge.orders.below(uint64(p.filter.Before))
	p.started, p.hole = true, !known
}

// visit takes an order in and reports whether the next one is wanted. The view is
// locked.
func (p *orderPage) visit(v *View, o *core.Order) bool {
	if !p.started {
		p.start(v)
	}
	f := p.filter
	p.hole = p.hole || uint64(o.ID) != p.next
	p.next = uint64(o.ID) - 1
	if o.CreateTime < f.From {
		p.over = true // ids and times ascend together
		return false
	}
	if f.Matches(o) {
		p.part = append(p.part, *o)
	}
	p.over = f.Limit > 0 && len(p.out)+len(p.part) >= f.Limit
	return !p.over
}

// complete is the second result of OrderPage.
func (p *orderPage) complete(v *View) bool {
	if p.filter.OpenOnly || p.filter.Status.Open() {
		return true
	}
	if !p.started {
		v.mu.RLock()
		defer v.mu.RUnlock()
		p.start(v)
	}
	return !p.hole && (p.over || p.next == 0)
}

// named is the order of an account's client order id, if it matches. One that is
// not kept may be in a store.
func (v *View) named(f *OrderFilter) (orders []core.Order, complete bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	o := v.orders.named(f.Account, &f.ClOrdID)
	if o == nil {
		return nil, f.OpenOnly || f.Status.Open() || v.edge.since == 0
	}
	if !f.Matches(&o.order) {
		return nil, true
	}
	return []core.Order{o.order}, true
}

// Matches reports whether the filter selects o; Limit plays no part.
func (f *OrderFilter) Matches(o *core.Order) bool {
	return (f.Account == 0 || f.Account == o.Account) &&
		(f.Strategy == 0 || f.Strategy == o.Strategy) &&
		(f.Instrument == 0 || f.Instrument == o.Instrument) &&
		(f.Side == 0 || f.Side == o.Side) &&
		(f.Status == 0 || f.Status == o.Status) &&
		(!f.OpenOnly || o.Status.Open()) &&
		(f.ClOrdID.Len() == 0 || f.ClOrdID == o.ClOrdID) &&
		(f.Before == 0 || o.ID < f.Before) &&
		o.CreateTime >= f.From && (f.To == 0 || o.CreateTime < f.To)
}

// Executions returns the executions that match and are kept, newest first. Like
// Orders it lets the view go on meanwhile.
func (v *View) Executions(f ExecutionFilter) []core.Execution {
	out, _ := v.ExecutionPage(f)
	return out
}

// ExecutionPage is Executions, and the lowest id down to which that is everything:
// 1 when nothing older can match, f.Before, or one above the highest there is, when
// the view knows nothing. Below it a store has to be asked, unless Limit of them
// were returned.
func (v *View) ExecutionPage(f ExecutionFilter) (out []core.Execution, floor uint64) {
	for before := f.Before; ; before = floor {
		part, low, more := v.executionChunk(&f, before, len(out))
		out = append(out, part...)
		if floor = low; !more {
			return out, floor
		}
	}
}

// executionChunk visits a chunk of the executions below before, have being how
// many were found before it.
func (v *View) executionChunk(f *ExecutionFilter, before uint64, have int) (part []core.Execution, floor uint64, more bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	last, known := v.edge.executions.below(before)
	if floor = last + 1; !known {
		if floor = f.Before; floor == 0 {
			floor = math.MaxUint64
		}
		return nil, floor, false
	}
	n := v.executions.len()
	i := sort.Search(n, func(i int) bool { return v.executions.at(i).ID >= floor })
	for stop := max(i-walkChunk, 0); i > stop; {
		i--
		x := v.executions.at(i)
		floor = x.ID
		if x.Time < f.From {
			return part, 1, false // ids and times ascend together
		}
		if f.Matches(&x.Execution) {
			if part = append(part, x.Execution); f.Limit > 0 && have+len(part) >= f.Limit {
				return part, floor, false
			}
		}
	}
	return part, floor, i > 0
}

// Matches reports whether the filter selects x; Limit plays no part.
func (f *ExecutionFilter) Matches(x *core.Execution) bool {
	return (f.Account == 0 || f.Account == x.Account) && (f.Strategy == 0 || f.Strategy == x.Strategy) &&
		(f.Instrument == 0 || f.Instrument == x.Instrument) && (f.Order == 0 || f.Order == x.Order) &&
		(f.Before == 0 || x.ID < f.Before) && x.Time >= f.From && (f.To == 0 || x.Time < f.To)
}

// Positions returns the positions that match, valued at the quote table's prices
// of this moment, in the order of their first fill.
func (v *View) Positions(f PositionFilter) []PositionView {
	v.mu.RLock()
	var out []PositionView
	for i := range v.positions {
		p := &v.positions[i]
		if (f.Account == 0 || f.Account == p.Account) && (f.Strategy == 0 || f.Strategy == p.Strategy) &&
			(f.Instrument == 0 || f.Instrument == p.Instrument) && (!f.OpenOnly || p.Position.Qty != 0) {
			out = append(out, PositionView{PositionState: *p})
		}
	}
	v.mu.RUnlock()
	for i := range out {
		v.value(&out[i])
	}
	return out
}

// Value fills in what a position is worth now. It serves an event's position as
// well as the view's own.
func (v *View) Value(p PositionState) PositionView {
	out := PositionView{PositionState: p}
	v.value(&out)
	return out
}

// extraDecimals is how many decimals an average entry is shown with beyond its
// instrument's prices.
const extraDecimals = 8

func (v *View) value(p *PositionView) {
	in := v.dir.Instrument(p.Instrument)
	if in == nil {
		return
	}
	var q core.Quote
	if quotes := v.engine.cfg.Quotes; quotes != nil && quotes.Load(p.Instrument, &q) {
		p.Mark, _ = valuation(&q)
	}
	p.AvgEntryScale = min(in.PriceScale+extraDecimals, core.MaxScale)
	var realised, unrealised bool
	p.AvgEntry, _ = p.Position.AvgEntry(in, p.AvgEntryScale, core.RoundHalfEven)
	p.Realised, realised = p.Position.Realised(in, core.RoundHalfEven)
	p.Unrealised, unrealised = p.Position.Unrealised(in, p.Mark, core.RoundHalfEven)
	p.Valued = realised && unrealised
}

// Account adds up an account's positions, one summary a settlement currency and
// scale, in the order of first fills.
func (v *View) Account(id core.AccountID) []AccountSummary {
	var out []AccountSummary
	for _, p := range v.Positions(PositionFilter{Account: id}) {
		in := v.dir.Instrument(p.Instrument)
		if in == nil {
			continue
		}
		s := summaryFor(&out, id, in)
		s.Realised += p.Realised
		s.Unrealised += p.Unrealised
		s.Fees += p.Position.Fees
		s.Positions += boolToInt(p.Position.Qty != 0)
		s.Valued = s.Valued && p.Valued
	}
	for w := (orderWalk{view: v}); w.more(); {
		w.next(func(o *core.Order) bool {
			if o.Account == id && o.Status.Open() {
				if in := v.dir.Instrument(o.Instrument); in != nil {
					summaryFor(&out, id, in).OpenOrders++
				}
			}
			return true
		})
	}
	return out
}

func summaryFor(all *[]AccountSummary, id core.AccountID, in *core.Instrument) *AccountSummary {
	for i := range *all {
		if s := &(*all)[i]; s.Settle == in.Settle && s.SettleScale == in.SettleScale {
			return s
		}
	}
	*all = append(*all, AccountSummary{Account: id, Settle: in.Settle, SettleScale: in.SettleScale, Valued: true})
	return &(*all)[len(*all)-1]
}
