package store

import (
	"cmp"
	"slices"

	"qcat/core"
	"qcat/core/history"
)

const minute = core.Nanos(60e9)

// heldTable keeps the positions of all strategies: to look up, and in the order in
// which equity adds them up.
type heldTable struct {
	at     map[heldKey]*heldRow
	sorted []*heldRow // by account, strategy, instrument
}

type heldKey struct {
	strategy   core.StrategyID
	instrument core.InstrumentID
}

type heldRow struct {
	history.Position
	changed bool // in the batch in hand
}

func newHeldTable() heldTable { return heldTable{at: map[heldKey]*heldRow{}} }

func (t *heldTable) add(h *heldRow) {
	t.at[heldKey{h.Strategy, h.Instrument}] = h
	i, _ := slices.BinarySearchFunc(t.sorted, h, func(a, b *heldRow) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Strategy, b.Strategy), cmp.Compare(a.Instrument, b.Instrument))
	})
	t.sorted = slices.Insert(t.sorted, i, h)
}

// get returns the position, made flat when there is none.
func (t *heldTable) get(a core.AccountID, s core.StrategyID, in core.InstrumentID) *heldRow {
	h := t.at[heldKey{s, in}]
	if h == nil {
		h = &heldRow{Position: history.Position{Account: a, Strategy: s, Instrument: in}}
		t.add(h)
	}
	return h
}

// closeMinute makes the equity rows of the minute of the last record when now lies
// in a later one: of every account that held or traded something in it.
func (p *JournalProjection) closeMinute(now core.Nanos) {
	began := core.CandleOpenTime(p.pos.Time, minute)
	if p.pos.Seq == 0 || core.CandleOpenTime(now, minute) == began {
		return
	}
	for rest := p.held.sorted; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Account == rest[0].Account {
			n++
		}
		p.equity(rest[:n], began)
		rest = rest[n:]
	}
}

// equity adds the rows of one account, which are positions of it all.
func (p *JournalProjection) equity(held []*heldRow, began core.Nanos) {
	first := len(p.batch.Equity)
	for _, h := range held {
		if h.Position.Position.Qty != 0 || h.Time >= began {
			p.equityRow(first, h, began)
		}
	}
	for _, h := range held {
		in := p.instruments[h.Instrument]
		for i := first; i < len(p.batch.Equity); i++ {
			if e := &p.batch.Equity[i]; e.Settle == in.Settle && e.Scale == in.SettleScale {
				p.value(e, h, in)
			}
		}
	}
}

// equityRow makes a row for the position's currency unless there is one.
func (p *JournalProjection) equityRow(first int, h *heldRow, began core.Nanos) {
	in := p.instruments[h.Instrument]
	for _, e := range p.batch.Equity[first:] {
		if e.Settle == in.Settle && e.Scale == in.SettleScale {
			return
		}
	}
	p.batch.Equity = append(p.batch.Equity, history.Equity{Account: h.Account, Settle: in.Settle, Scale: in.SettleScale,
		Time: began + minute, Valued: true, Seq: p.pos.Seq})
}

// value adds what a position is worth at its instrument's last mark.
func (p *JournalProjection) value(e *history.Equity, h *heldRow, in *core.Instrument) {
	pos := &h.Position.Position
	mark := core.Price(0)
	if m := p.marks[h.Instrument]; m != nil {
		mark = m.Price
	}
	realised, ok1 := pos.Realised(in, core.RoundHalfEven)
	unrealised, ok2 := pos.Unrealised(in, mark, core.RoundHalfEven)
	ok3 := ok1 && sum(&e.Realised, realised)
	ok4 := ok2 && sum(&e.Unrealised, unrealised)
	ok5 := sum(&e.Fees, pos.Fees)
	e.Valued = e.Valued && ok3 && ok4 && ok5
}

// sum adds v to total, and leaves it and returns false when that does not fit.
func sum(total *core.Notional, v core.Notional) bool {
	s := *total + v
	if (s > *total) != (v > 0) && v != 0 {
		return false
	}
	*total = s
	return true
}
