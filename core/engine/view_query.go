package engine

import "qcat/core"

// Order returns one order, if it is kept.
func (v *View) Order(id core.OrderID) (core.Order, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if o := v.orders[id]; o != nil {
		return o.order, true
	}
	return core.Order{}, false
}

// Orders returns the orders that match, newest first. A long answer is put together
// while the view goes on: an order that was kept all the while is in it once, as it
// was at some moment of the call and not before it.
func (v *View) Orders(f OrderFilter) []core.Order {
	if f.ClOrdID.Len() > 0 && f.Account != 0 {
		return v.named(&f)
	}
	var out, part []core.Order
	for w := (orderWalk{view: v}); w.more(); {
		part = part[:0]
		w.next(func(o *core.Order) bool {
			if f.Matches(o) {
				part = append(part, *o)
			}
			return f.Limit <= 0 || len(out)+len(part) < f.Limit
		})
		out = append(out, part...) // grows while nobody waits for the lock
	}
	return out
}

// named is the order of an account's client order id, if it matches.
func (v *View) named(f *OrderFilter) []core.Order {
	v.mu.RLock()
	defer v.mu.RUnlock()
	o := v.orders[v.byClOrdID[clOrdKey{f.Account, f.ClOrdID}]]
	if o == nil || !f.Matches(&o.order) {
		return nil
	}
	return []core.Order{o.order}
}

// Matches reports whether the filter selects o; Limit plays no part.
func (f *OrderFilter) Matches(o *core.Order) bool {
	return (f.Account == 0 || f.Account == o.Account) &&
		(f.Strategy == 0 || f.Strategy == o.Strategy) &&
		(f.Instrument == 0 || f.Instrument == o.Instrument) &&
		(f.Side == 0 || f.Side == o.Side) &&
		(f.Status == 0 || f.Status == o.Status) &&
		(!f.OpenOnly || o.Status.Open()) &&
		(f.ClOrdID.Len() == 0 || f.ClOrdID == o.ClOrdID)
}

// Executions returns the executions that match, newest first.
func (v *View) Executions(f ExecutionFilter) []core.Execution {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []core.Execution
	for i := v.executions.len() - 1; i >= 0 && (f.Limit <= 0 || len(out) < f.Limit); i-- {
		x := v.executions.at(i)
		if (f.Account == 0 || f.Account == x.Account) && (f.Strategy == 0 || f.Strategy == x.Strategy) &&
			(f.Instrument == 0 || f.Instrument == x.Instrument) && (f.Order == 0 || f.Order == x.Order) {
			out = append(out, *x)
		}
	}
	return out
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
		p.Mark = valuation(&q)
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
