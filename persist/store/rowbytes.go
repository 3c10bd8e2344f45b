package store

import (
	"encoding/binary"

	"qcat/core"
	"qcat/core/history"
)

// The canonical bytes of rows, as docs/format/store-digest.md lists them. They are
// hashed and never read back.

var le = binary.LittleEndian

// The widths of what rows hold.

func appendBits(b []byte, flags ...bool) []byte {
	var v byte
	for i, f := range flags {
		if f {
			v |= 1 << i
		}
	}
	return append(b, v)
}

func append32[T ~uint32](b []byte, vs ...T) []byte {
	for _, v := range vs {
		b = le.AppendUint32(b, uint32(v))
	}
	return b
}

func append64[T ~uint64 | ~int64](b []byte, vs ...T) []byte {
	for _, v := range vs {
		b = le.AppendUint64(b, uint64(v))
	}
	return b
}

func append128(b []byte, v core.Int128) []byte {
	b = le.AppendUint64(b, v.Lo)
	return le.AppendUint64(b, uint64(v.Hi))
}

func appendText(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = append(le.AppendUint32(b, uint32(len(s))), s...)
	}
	return b
}

func appendScope(b []byte, s *history.Scope) []byte {
	b = append(b, s.Level)
	b = append32(b, uint32(s.Account), uint32(s.Strategy), uint32(s.Instrument))
	return b
}

// The rows.

func appendInstrument(b []byte, in *core.Instrument) []byte {
	b = append32(b, in.ID)
	b = appendText(b, in.Venue, in.Symbol, in.Base, in.Quote, in.Settle)
	b = append(b, byte(in.Kind), in.PriceScale, in.QtyScale, in.SettleScale)
	b = append64(b, in.ContractSize)
	b = append64(b, in.TickSize, in.MinPrice, in.MaxPrice)
	b = append64(b, in.StepSize, in.MinQty, in.MaxQty, in.MarketStepSize, in.MarketMinQty, in.MarketMaxQty)
	b = append64(b, in.MinNotional, in.MaxNotional)
	return append64(b, in.BidCollarUp, in.BidCollarDown, in.AskCollarUp, in.AskCollarDown)
}

func appendAccount(b []byte, a *core.Account) []byte {
	return appendText(append32(b, a.ID), a.Name)
}

func appendStrategy(b []byte, s *core.Strategy) []byte {
	return appendText(append32(append32(b, s.ID), s.Account), s.Name)
}

func appendOrder(b []byte, o *history.Order) []byte {
	b = append64(b, o.ID)
	b = append32(b, uint32(o.Account), uint32(o.Strategy), uint32(o.Instrument))
	b = append(b, byte(o.Side), byte(o.Type), byte(o.TIF), byte(o.Status), byte(o.Leg))
	b = appendBits(b, o.ReduceOnly, o.VenueAcked, o.PendingCxl, o.PendingRepl, o.Unknown, o.CancelOnDrop)
	b = append64(b, o.Price, o.NewPrice)
	b = append64(b, o.Qty, o.CumQty, o.NewQty)
	b = append128(b, o.CumCost)
	b = le.AppendUint32(b, o.Amends)
	b = le.AppendUint16(b, o.Reason)
	b = append64(b, o.ExpireTime, o.CreateTime, o.UpdateTime, o.Due)
	b = append64(b, o.Session)
	b = appendText(b, o.ClOrdID.String())
	return append64(b, o.Seq)
}

func appendExecution(b []byte, x *history.Execution) []byte {
	b = append64(b, x.ID, uint64(x.Order))
	b = append32(b, uint32(x.Account), uint32(x.Strategy), uint32(x.Instrument))
	b = append(b, byte(x.Side), byte(x.Liquidity), byte(x.Leg), byte(x.FeeIn))
	b = append64(b, int64(x.LastPx), int64(x.LastQty), int64(x.Fee), int64(x.VenueTime), int64(x.Time))
	b = appendText(b, x.ClOrdID.String())
	return append64(b, x.Seq)
}

func appendPosition(b []byte, p *history.Position) []byte {
	b = append32(b, uint32(p.Account), uint32(p.Strategy), uint32(p.Instrument))
	b = append(b, byte(p.Leg))
	q := &p.Position
	b = append64(b, q.Qty)
	b = append128(b, q.EntryNum)
	b = append64(b, q.EntryDen)
	b = append128(b, q.Cash)
	b = append64(b, q.Fees, q.Funding, q.BaseFees, q.Dust)
	b = append64(b, q.Volume)
	return append64(b, q.Fills, p.Seq, uint64(p.Time))
}

func appendMark(b []byte, m *Mark) []byte {
	return append64(append32(b, m.Instrument), int64(m.Price), int64(m.Time))
}

func appendTotal(b []byte, t *TransferTotal) []byte {
	return append64(appendText(append32(b, t.Account), t.Currency), t.Amount, int64(t.Time))
}

func appendTransfer(b []byte, t *history.Transfer) []byte {
	b = append64(b, t.Seq, uint64(t.Time))
	b = appendText(append32(b, t.Account), t.Currency)
	return appendText(append64(b, t.Amount, t.Balance), t.By, t.Note)
}

func appendEquity(b []byte, e *history.Equity) []byte {
	b = append32(b, e.Account)
	b = append(appendText(b, e.Settle), e.Scale)
	b = append64(b, e.Time)
	b = append64(b, e.Transfers, e.Realised, e.Unrealised, e.Fees, e.Funding)
	return append64(appendBits(b, e.Valued), e.Seq)
}

func appendRiskEvent(b []byte, e *history.RiskEvent) []byte {
	b = append64(b, e.Seq, uint64(e.Time))
	b = append(b, byte(e.Kind))
	b = append(appendScope(b, &e.Scope), e.State, e.Action)
	b = append32(b, e.Cancelled)
	b = append(le.AppendUint16(b, e.Code), e.Unit)
	b = append64(b, uint64(e.Limit), uint64(e.Value), uint64(e.Order))
	b = append32(b, uint32(e.Account), uint32(e.Strategy), uint32(e.Instrument))
	b = append(b, byte(e.Side))
	b = append64(b, int64(e.Price), int64(e.Qty))
	return appendText(b, e.ClOrdID.String(), e.Note)
}

func appendAudit(b []byte, a *history.Audit) []byte {
	b = append64(b, a.Seq, uint64(a.Time))
	b = appendText(b, a.Action)
	return appendText(appendScope(b, &a.Scope), a.Detail)
}

func appendTrade(b []byte, t *history.Trade) []byte {
	b = append(append32(b, t.Instrument), byte(t.Side))
	b = append64(b, t.ID)
	b = append64(b, int64(t.Price), int64(t.Qty), int64(t.ExchangeTime), int64(t.ReceiveTime))
	return append64(b, t.Tick)
}

func appendQuote(b []byte, q *history.Quote) []byte {
	b = appendBits(append32(b, q.Instrument), q.Stale)
	b = append64(b, int64(q.BidPrice), int64(q.BidQty), int64(q.AskPrice), int64(q.AskQty),
		int64(q.ExchangeTime), int64(q.ReceiveTime))
	return append64(b, q.Tick)
}

func appendCandle(b []byte, c *history.Candle) []byte {
	b = append64(append32(b, c.Instrument), c.Interval, c.OpenTime)
	b = append64(b, c.Open, c.High, c.Low, c.Close)
	b = append64(b, c.Volume)
	b = le.AppendUint32(b, c.Trades)
	return appendBits(b, c.Closed, c.Gap)
}

func appendGap(b []byte, g *history.Gap) []byte {
	b = append64(b, g.Tick, g.Lost, uint64(g.From), uint64(g.To))
	return appendText(b, g.Reason)
}

func appendStream(b []byte, s Stream, p Position) []byte {
	b = append(appendText(b, s.String()), p.Log[:]...)
	return append64(b, p.Seq, uint64(p.Time))
}
