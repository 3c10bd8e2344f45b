package store

import (
	"cmp"
	"math"
	"slices"

	"qcat/core"
	"qcat/core/history"
)

const minute = core.Nanos(60e9)

// heldTable keeps the positions of all strategies: to look up, and in the order in
// which equity adds them up.
type heldTable struct {
	at     map[heldKey]*heldRow
	sorted []*heldRow // by account, strategy, instrument, leg
}

type heldKey struct {
	strategy   core.StrategyID
	instrument core.InstrumentID
	leg        core.Leg
}

type heldRow struct {
	history.Position
	changed bool // in the batch in hand
}

func newHeldTable() heldTable { return heldTable{at: map[heldKey]*heldRow{}} }

func (t *heldTable) add(h *heldRow) {
	t.at[heldKey{h.Strategy, h.Instrument, h.Leg}] = h
	i, _ := slices.BinarySearchFunc(t.sorted, h, func(a, b *heldRow) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Strategy, b.Strategy), cmp.Compare(a.Instrument, b.Instrument),
			cmp.Compare(a.Leg, b.Leg))
	})
	t.sorted = slices.Insert(t.sorted, i, h)
}

// get returns the position, made flat when there is none.
func (t *heldTable) get(a core.AccountID, s core.StrategyID, in core.InstrumentID, leg core.Leg) *heldRow {
	h := t.at[heldKey{s, in, leg}]
	if h == nil {
		h = &heldRow{Position: history.Position{Account: a, Strategy: s, Instrument: in, Leg: leg}}
		t.add(h)
	}
	return h
}

// closeMinute makes the equity rows of the minute of the last record when now lies
// in a later one: of every account that held, traded or was given something in it.
func (p *JournalProjection) closeMinute(now core.Nanos) {
	began := core.CandleOpenTime(p.pos.Time, minute)
	if p.pos.Seq == 0 || core.CandleOpenTime(now, minute) == began {
		return
	}
	held, totals := p.held.sorted, p.totals.sorted
	for len(held) > 0 || len(totals) > 0 {
		account := core.AccountID(math.MaxUint32)
		if len(held) > 0 {
			account = held[0].Account
		}
		if len(totals) > 0 {
			account = min(account, totals[0].Account)
		}
		h, t := 0, 0
		for h < len(held) && held[h].Account == account {
			h++
		}
		for t < len(totals) && totals[t].Account == account {
			t++
		}
		p.equity(account, held[:h], totals[:t], began)
		held, totals = held[h:], totals[t:]
	}
}

// equity adds the rows of one account, whose positions and totals these all are.
func (p *JournalProjection) equity(account core.AccountID, held []*heldRow, totals []*totalRow, began core.Nanos) {
	first := len(p.batch.Equity)
	for _, h := range held {
		if h.Position.Position.Qty != 0 || h.Time >= began {
			p.equityRow(first, account, p.instruments[h.Instrument].Settle, began)
		}
	}
	for _, t := range totals {
		if t.Time >= began {
			p.equityRow(first, account, t.Currency, began)
		}
	}
	rows := p.batch.Equity[first:]
	for _, h := range held {
		in := p.instruments[h.Instrument]
		if e := equityIn(rows, in.Settle); e != nil {
			p.value(e, h, in)
		}
	}
	for _, t := range totals {
		if e := equityIn(rows, t.Currency); e != nil {
			e.Transfers = core.Notional(t.Amount)
		}
	}
}

// equityRow makes a row for the currency unless there is one.
func (p *JournalProjection) equityRow(first int, account core.AccountID, currency string, began core.Nanos) {
	if equityIn(p.batch.Equity[first:], currency) == nil {
		p.batch.Equity = append(p.batch.Equity, history.Equity{Account: account, Settle: currency, Scale: history.AmountScale,
			Time: began + minute, Valued: true, Seq: p.pos.Seq})
	}
}

// equityIn returns the row of a currency, or nil.
func equityIn(rows []history.Equity, currency string) *history.Equity {
	for i := range rows {
		if rows[i].Settle == currency {
			return &rows[i]
		}
	}
	return nil
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
	ok3 := ok1 && sumAmount(&e.Realised, realised, in)
	ok4 := ok2 && sumAmount(&e.Unrealised, unrealised, in)
	ok5 := sumAmount(&e.Fees, pos.Fees, in)
	ok6 := sumAmount(&e.Funding, pos.Funding, in)
	e.Valued = e.Valued && ok3 && ok4 && ok5 && ok6
}

// sumAmount adds v, which is in the settlement currency of in at its scale, to a total at
// AmountScale, rounded half to even. It leaves the total and returns false when that does
// not fit.
func sumAmount(total *core.Notional, v core.Notional, in *core.Instrument) bool {
	magnitude, ok := core.MulDiv(int64(max(v, -v)), core.Pow10(history.AmountScale), core.Pow10(in.SettleScale), core.RoundHalfEven)
	if v < 0 {
		magnitude = -magnitude
	}
	return ok && sum(total, core.Notional(magnitude))
}

// sum adds v to total, and leaves it and returns false when that does not fit.
func sum[T ~int64](total *T, v T) bool {
	s := *total + v
	if (s > *total) != (v > 0) && v != 0 {
		return false
	}
	*total = s
	return true
}
