package wire

import (
	"qcat/core"
	"qcat/core/history"
	"qcat/risk"
)

// AppendCandleRecord appends AppendCandle's members and, when ticks of the
// interval are missing, "gap":true.
func AppendCandleRecord(dst []byte, in *core.Instrument, c *history.Candle) []byte {
	dst = AppendCandle(dst, in, &c.Candle)
	if c.Gap {
		dst = append(dst[:len(dst)-1], `,"gap":true}`...)
	}
	return dst
}

// AppendQuoteRecord appends AppendBBO's members and the quote's times: a row of
// the sampled history.
func AppendQuoteRecord(dst []byte, in *core.Instrument, q *history.Quote) []byte {
	dst = AppendBBO(dst, in, &BBO{BidPrice: q.BidPrice, AskPrice: q.AskPrice, BidQty: q.BidQty, AskQty: q.AskQty, Stale: q.Stale})
	dst = appendKeyInt(dst[:len(dst)-1], `,"ets":`, int64(q.ExchangeTime))
	dst = appendKeyInt(dst, `,"rts":`, int64(q.ReceiveTime))
	return append(dst, '}')
}

// AppendEquity appends {"account","time","currency","transfers","realised",
// "unrealised","fees","funding","total"}: unrealised and total are null when a position
// could not be valued.
func AppendEquity(dst []byte, d Names, e *history.Equity) []byte {
	dst = appendKeyString(dst, `{"account":`, accountName(d, e.Account))
	dst = appendKeyInt(dst, `,"time":`, int64(e.Time))
	dst = appendKeyString(dst, `,"currency":`, e.Settle)
	dst = appendKeyDecimal(dst, `,"transfers":`, int64(e.Transfers), e.Scale)
	dst = appendKeyDecimal(dst, `,"realised":`, int64(e.Realised), e.Scale)
	dst = appendKeyValued(dst, `,"unrealised":`, e.Unrealised, e)
	dst = appendKeyDecimal(dst, `,"fees":`, int64(e.Fees), e.Scale)
	dst = appendKeyDecimal(dst, `,"funding":`, int64(e.Funding), e.Scale)
	dst = appendKeyValued(dst, `,"total":`, e.Total(), e)
	return append(dst, '}')
}

func appendKeyValued(dst []byte, key string, v core.Notional, e *history.Equity) []byte {
	if !e.Valued {
		return append(append(dst, key...), "null"...)
	}
	return appendKeyDecimal(dst, key, int64(v), e.Scale)
}

// AppendTransfer appends {"seq","time","account","currency","amount","balance","by",
// "note"}: a negative amount was taken out.
func AppendTransfer(dst []byte, d Names, t *history.Transfer) []byte {
	dst = appendKeyUint(dst, `{"seq":`, t.Seq)
	dst = appendKeyInt(dst, `,"time":`, int64(t.Time))
	dst = appendKeyString(dst, `,"account":`, accountName(d, t.Account))
	dst = appendKeyString(dst, `,"currency":`, t.Currency)
	dst = appendKeyDecimal(dst, `,"amount":`, t.Amount, history.AmountScale)
	dst = appendKeyDecimal(dst, `,"balance":`, t.Balance, history.AmountScale)
	dst = appendKeyString(dst, `,"by":`, t.By)
	dst = appendKeyString(dst, `,"note":`, t.Note)
	return append(dst, '}')
}

// AppendRiskEvent appends {"seq","time","kind"} and, where the event has them,
// "scope", "state", "reason" (as AppendReason), "action", "cancelled", "unknown_orders", "order_id",
// "client_order_id", "account", "strategy", "instrument", "side", "price", "qty"
// and "note".
func AppendRiskEvent(dst []byte, d Names, e *history.RiskEvent) []byte {
	dst = appendKeyUint(dst, `{"seq":`, e.Seq)
	dst = appendKeyInt(dst, `,"time":`, int64(e.Time))
	dst = appendKeyString(dst, `,"kind":`, e.Kind.String())
	scope := scopeOf(e.Scope)
	if scope.Level != risk.LevelNone {
		dst = AppendScope(append(dst, `,"scope":`...), d, scope)
	}
	if e.Kind == history.RiskStateChanged || e.State != 0 {
		dst = appendKeyString(dst, `,"state":`, risk.TradingState(e.State).String())
	}
	if e.Code != 0 {
		r := risk.Reason{Code: risk.Code(e.Code), Unit: risk.Unit(e.Unit), Scope: scope, Limit: e.Limit, Value: e.Value}
		dst = AppendReason(append(dst, `,"reason":`...), d, d.Instrument(e.Instrument), &r)
	}
	if e.Action != 0 {
		dst = appendKeyString(dst, `,"action":`, risk.Action(e.Action).String())
	}
	if e.Kind == history.RiskBreached || e.Kind == history.RiskCountdownEnded {
		dst = appendKeyUint(dst, `,"cancelled":`, uint64(e.Cancelled))
	}
	if e.Kind == history.RiskRestarted {
		dst = appendKeyInt(dst, `,"unknown_orders":`, e.Value)
	}
	dst = appendRiskOrder(dst, d, e)
	if e.Note != "" {
		dst = appendKeyString(dst, `,"note":`, e.Note)
	}
	return append(dst, '}')
}

// appendRiskOrder appends what the event says of an order.
func appendRiskOrder(dst []byte, d Names, e *history.RiskEvent) []byte {
	if e.Order != 0 {
		dst = appendKeyUint(dst, `,"order_id":`, uint64(e.Order))
	}
	if e.ClOrdID.Len() > 0 {
		dst = append(e.ClOrdID.Append(append(dst, `,"client_order_id":"`...)), '"')
	}
	if e.Account != 0 {
		dst = appendKeyString(dst, `,"account":`, accountName(d, e.Account))
	}
	if e.Strategy != 0 {
		dst = appendKeyString(dst, `,"strategy":`, strategyName(d, e.Strategy))
	}
	in := instrumentOf(d, e.Instrument)
	if e.Instrument != 0 {
		dst = appendInstrumentName(append(dst, `,"instrument":`...), in)
	}
	if e.Side != 0 {
		dst = appendKeyString(dst, `,"side":`, e.Side.String())
	}
	if e.Price != 0 {
		dst = appendKeyDecimal(dst, `,"price":`, int64(e.Price), in.PriceScale)
	}
	if e.Qty != 0 {
		dst = appendKeyDecimal(dst, `,"qty":`, int64(e.Qty), in.QtyScale)
	}
	return dst
}

// AppendAudit appends {"seq","time","action","scope","detail"}, the scope only
// where there is one.
func AppendAudit(dst []byte, d Names, a *history.Audit) []byte {
	dst = appendKeyUint(dst, `{"seq":`, a.Seq)
	dst = appendKeyInt(dst, `,"time":`, int64(a.Time))
	dst = appendKeyString(dst, `,"action":`, a.Action)
	if scope := scopeOf(a.Scope); scope.Level != risk.LevelNone {
		dst = AppendScope(append(dst, `,"scope":`...), d, scope)
	}
	dst = appendKeyString(dst, `,"detail":`, a.Detail)
	return append(dst, '}')
}

func scopeOf(s history.Scope) risk.Scope {
	return risk.Scope{Level: risk.Level(s.Level), Account: s.Account, Strategy: s.Strategy, Instrument: s.Instrument}
}
