package wire

import (
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// Names gives the ids inside encoded objects their names. *core.Directory is one.
type Names interface {
	Instrument(core.InstrumentID) *core.Instrument
	Account(core.AccountID) *core.Account
	Strategy(core.StrategyID) *core.Strategy
}

// AppendOrder appends an order:
//
//	{"order_id","client_order_id","account","strategy","instrument","side","type",
//	 "position_side","time_in_force","price","qty","cum_qty","leaves_qty","avg_price",
//	 "status","reduce_only","created","updated"}
//
// and, where they apply, "cancel_on_disconnect":true, "expire_time", "pending":"cancel"|"amend", "unknown":true
// (its venue is being asked what it has of the order) and "reason", the code of a
// rejection. price is null for a market order, avg_price until
// something traded. The ids are 0 and "" when there are none.
func AppendOrder(dst []byte, d Names, o *core.Order) []byte {
	dst = AppendOrderFields(append(dst, '{'), d, o)
	return append(dst, '}')
}

// AppendOrderFields appends the members of AppendOrder without braces, so that
// others can stand beside them.
func AppendOrderFields(dst []byte, d Names, o *core.Order) []byte {
	in := instrumentOf(d, o.Instrument)
	dst = appendKeyUint(dst, `"order_id":`, uint64(o.ID))
	dst = append(dst, `,"client_order_id":"`...)
	dst = o.ClOrdID.Append(dst) // holds no byte that needs escaping
	dst = append(dst, '"')
	dst = appendOwner(append(dst, ','), d, o.Account, o.Strategy, in)
	dst = append(dst, `,"side":"`...)
	dst = append(dst, o.Side.String()...)
	dst = append(dst, `","position_side":"`...)
	dst = append(dst, o.Leg.String()...)
	dst = append(dst, `","type":"`...)
	dst = append(dst, o.Type.String()...)
	dst = append(dst, `","time_in_force":"`...)
	dst = append(dst, o.TIF.String()...)
	dst = append(dst, '"')
	dst = appendKeyKnownPrice(dst, `,"price":`, o.Price, in.PriceScale)
	dst = appendKeyDecimal(dst, `,"qty":`, int64(o.Qty), in.QtyScale)
	dst = appendKeyDecimal(dst, `,"cum_qty":`, int64(o.CumQty), in.QtyScale)
	dst = appendKeyDecimal(dst, `,"leaves_qty":`, int64(o.LeavesQty()), in.QtyScale)
	dst = appendAverage(append(dst, `,"avg_price":`...), in, o.CumCost, o.CumQty)
	dst = append(dst, `,"status":"`...)
	dst = append(dst, o.Status.String()...)
	dst = append(dst, '"')
	dst = appendKeyBool(dst, `,"reduce_only":`, o.ReduceOnly)
	dst = appendKeyInt(dst, `,"created":`, int64(o.CreateTime))
	dst = appendKeyInt(dst, `,"updated":`, int64(o.UpdateTime))
	return appendOrderRest(dst, o)
}

// appendOrderRest appends the members that only some orders have.
func appendOrderRest(dst []byte, o *core.Order) []byte {
	if o.CancelOnDrop {
		dst = append(dst, `,"cancel_on_disconnect":true`...)
	}
	if o.ExpireTime != 0 {
		dst = appendKeyInt(dst, `,"expire_time":`, int64(o.ExpireTime))
	}
	switch {
	case o.PendingCxl:
		dst = append(dst, `,"pending":"cancel"`...)
	case o.PendingRepl:
		dst = append(dst, `,"pending":"amend"`...)
	}
	if o.Unknown {
		dst = append(dst, `,"unknown":true`...)
	}
	if o.Reason != 0 {
		dst = append(dst, `,"reason":"`...)
		dst = append(dst, orderReason(o.Reason)...)
		dst = append(dst, '"')
	}
	return dst
}

// orderReason names Order.Reason: venue reasons are small numbers, risk codes
// start at 101.
func orderReason(n uint16) string {
	if n <= uint16(core.VenueReasonInvalid) {
		return core.VenueReason(n).String()
	}
	if s := risk.Code(n).String(); s != "" {
		return s
	}
	return core.VenueReason(n).String()
}

// AppendExecution appends a fill: {"exec_id","order_id","client_order_id",
// "account","strategy","instrument","side","position_side","price","qty","fee",
// "fee_currency","liquidity","venue_time","time"}.
func AppendExecution(dst []byte, d Names, x *core.Execution) []byte {
	in := instrumentOf(d, x.Instrument)
	dst = appendKeyUint(dst, `{"exec_id":`, x.ID)
	dst = appendKeyUint(dst, `,"order_id":`, uint64(x.Order))
	dst = append(dst, `,"client_order_id":"`...)
	dst = x.ClOrdID.Append(dst)
	dst = append(dst, '"')
	dst = appendOwner(append(dst, ','), d, x.Account, x.Strategy, in)
	dst = append(dst, `,"side":"`...)
	dst = append(dst, x.Side.String()...)
	dst = append(dst, `","position_side":"`...)
	dst = append(dst, x.Leg.String()...)
	dst = append(dst, '"')
	dst = appendKeyDecimal(dst, `,"price":`, int64(x.LastPx), in.PriceScale)
	dst = appendKeyDecimal(dst, `,"qty":`, int64(x.LastQty), in.QtyScale)
	dst = appendKeyDecimal(dst, `,"fee":`, int64(x.Fee), in.SettleScale)
	dst = appendKeyString(dst, `,"fee_currency":`, feeCurrency(in, x.FeeIn))
	dst = append(dst, `,"liquidity":"`...)
	dst = append(dst, x.Liquidity.String()...)
	dst = append(dst, '"')
	dst = appendKeyInt(dst, `,"venue_time":`, int64(x.VenueTime))
	dst = appendKeyInt(dst, `,"time":`, int64(x.Time))
	return append(dst, '}')
}

// feeCurrency is the name of the currency that a fee was taken in.
func feeCurrency(in *core.Instrument, c core.FeeCurrency) string {
	if c == core.FeeBase {
		return in.Base
	}
	return in.Settle
}

// avgDecimals is how many decimals an average entry price has beyond those of
// the instrument's prices.
const avgDecimals = 8

// AppendPosition appends {"account","strategy","instrument","position_side","qty",
// "avg_price","realised","fees","funding","volume","fills"}: qty is signed, avg_price null when flat,
// realised before fees and null should it not fit, money in the settlement
// currency.
func AppendPosition(dst []byte, d Names, s *engine.PositionState) []byte {
	in := instrumentOf(d, s.Instrument)
	p := &s.Position
	dst = appendOwner(append(dst, '{'), d, s.Account, s.Strategy, in)
	dst = append(append(append(dst, `,"position_side":"`...), s.Leg.String()...), '"')
	dst = appendKeyDecimal(dst, `,"qty":`, int64(p.Qty), in.QtyScale)
	dst = append(dst, `,"avg_price":`...)
	decimals := min(in.PriceScale+avgDecimals, core.MaxScale)
	if avg, ok := p.AvgEntry(in, decimals, core.RoundHalfEven); ok {
		dst = appendTrimmed(dst, avg, decimals, in.PriceScale)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"realised":`...)
	if v, ok := p.Realised(in, core.RoundHalfEven); ok {
		dst = appendDecimal(dst, int64(v), in.SettleScale)
	} else {
		dst = append(dst, "null"...)
	}
	dst = appendKeyDecimal(dst, `,"fees":`, int64(p.Fees), in.SettleScale)
	dst = appendKeyDecimal(dst, `,"funding":`, int64(p.Funding), in.SettleScale)
	dst = appendKeyDecimal(dst, `,"volume":`, int64(p.Volume), in.QtyScale)
	dst = appendKeyUint(dst, `,"fills":`, p.Fills)
	return append(dst, '}')
}

// appendOwner appends "account":…,"strategy":…,"instrument":….
func appendOwner(dst []byte, d Names, a core.AccountID, s core.StrategyID, in *core.Instrument) []byte {
	dst = appendKeyString(dst, `"account":`, accountName(d, a))
	dst = appendKeyString(dst, `,"strategy":`, strategyName(d, s))
	dst = append(dst, `,"instrument":`...)
	if in == &noInstrument {
		return append(dst, `""`...)
	}
	return appendInstrumentName(dst, in)
}

// noInstrument stands in for an id that no directory knows: whole numbers.
var noInstrument core.Instrument

func instrumentOf(d Names, id core.InstrumentID) *core.Instrument {
	if in := d.Instrument(id); in != nil {
		return in
	}
	return &noInstrument
}

func accountName(d Names, id core.AccountID) string {
	if a := d.Account(id); a != nil {
		return a.Name
	}
	return ""
}

func strategyName(d Names, id core.StrategyID) string {
	if s := d.Strategy(id); s != nil {
		return s.Name
	}
	return ""
}
