package postgres

import (
	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// The tables of the order journal, in the order of their columns in memory: what gives
// a later column its scale is read before it.

var instruments = newTable("instruments", []column[core.Instrument]{
	ids("id", func(r *core.Instrument) *core.InstrumentID { return &r.ID }),
	texts("venue", func(r *core.Instrument) *string { return &r.Venue }),
	texts("symbol", func(r *core.Instrument) *string { return &r.Symbol }),
	texts("base", func(r *core.Instrument) *string { return &r.Base }),
	texts("quote", func(r *core.Instrument) *string { return &r.Quote }),
	texts("settle", func(r *core.Instrument) *string { return &r.Settle }),
	enums("kind", func(r *core.Instrument) *core.ContractKind { return &r.Kind }),
	enums("price_scale", func(r *core.Instrument) *uint8 { return &r.PriceScale }),
	enums("qty_scale", func(r *core.Instrument) *uint8 { return &r.QtyScale }),
	enums("settle_scale", func(r *core.Instrument) *uint8 { return &r.SettleScale }),
	int64s("contract_size", func(r *core.Instrument) *int64 { return &r.ContractSize }),
	decimals("tick_size", func(r *core.Instrument) (uint8, *core.Price) { return r.PriceScale, &r.TickSize }),
	decimals("min_price", func(r *core.Instrument) (uint8, *core.Price) { return r.PriceScale, &r.MinPrice }),
	decimals("max_price", func(r *core.Instrument) (uint8, *core.Price) { return r.PriceScale, &r.MaxPrice }),
	decimals("step_size", func(r *core.Instrument) (uint8, *core.Qty) { return r.QtyScale, &r.StepSize }),
	decimals("min_qty", func(r *core.Instrument) (uint8, *core.Qty) { return r.QtyScale, &r.MinQty }),
	decimals("max_qty", func(r *core.Instrument) (uint8, *core.Qty) { return r.QtyScale, &r.MaxQty }),
	decimals("market_step_size", func(r *core.Instrument) (uint8, *core.Qty) { return r.QtyScale, &r.MarketStepSize }),
	decimals("market_min_qty", func(r *core.Instrument) (uint8, *core.Qty) { return r.QtyScale, &r.MarketMinQty }),
	decimals("market_max_qty", func(r *core.Instrument) (uint8, *core.Qty) { return r.QtyScale, &r.MarketMaxQty }),
	decimals("min_notional", func(r *core.Instrument) (uint8, *core.Notional) { return r.SettleScale, &r.MinNotional }),
	decimals("max_notional", func(r *core.Instrument) (uint8, *core.Notional) { return r.SettleScale, &r.MaxNotional }),
	int64s("bid_collar_up", func(r *core.Instrument) *int64 { return &r.BidCollarUp }),
	int64s("bid_collar_down", func(r *core.Instrument) *int64 { return &r.BidCollarDown }),
	int64s("ask_collar_up", func(r *core.Instrument) *int64 { return &r.AskCollarUp }),
	int64s("ask_collar_down", func(r *core.Instrument) *int64 { return &r.AskCollarDown }),
}, "id")

var accounts = newTable("accounts", []column[core.Account]{
	ids("id", func(r *core.Account) *core.AccountID { return &r.ID }),
	texts("name", func(r *core.Account) *string { return &r.Name }),
}, "id")

var strategies = newTable("strategies", []column[core.Strategy]{
	ids("id", func(r *core.Strategy) *core.StrategyID { return &r.ID }),
	ids("account", func(r *core.Strategy) *core.AccountID { return &r.Account }),
	texts("name", func(r *core.Strategy) *string { return &r.Name }),
}, "id")

// Orders that are closed; those that are open have the same columns.
var (
	orders     = newTable("orders", orderColumns)
	ordersOpen = newTable("orders_open", orderColumns)
)

var orderColumns = []column[history.Order]{
	counts("id", func(r *history.Order) *core.OrderID { return &r.ID }),
	ids("account", func(r *history.Order) *core.AccountID { return &r.Account }),
	ids("strategy", func(r *history.Order) *core.StrategyID { return &r.Strategy }),
	ids("instrument", func(r *history.Order) *core.InstrumentID { return &r.Instrument }),
	enums("side", func(r *history.Order) *core.Side { return &r.Side }),
	enums("type", func(r *history.Order) *core.OrdType { return &r.Type }),
	enums("tif", func(r *history.Order) *core.TimeInForce { return &r.TIF }),
	enums("status", func(r *history.Order) *core.OrdStatus { return &r.Status }),
	bools("reduce_only", func(r *history.Order) *bool { return &r.ReduceOnly }),
	bools("venue_acked", func(r *history.Order) *bool { return &r.VenueAcked }),
	bools("pending_cancel", func(r *history.Order) *bool { return &r.PendingCxl }),
	bools("pending_replace", func(r *history.Order) *bool { return &r.PendingRepl }),
	bools("unknown", func(r *history.Order) *bool { return &r.Unknown }),
	codes("reason", func(r *history.Order) *uint16 { return &r.Reason }),
	uint32s("amends", func(r *history.Order) *uint32 { return &r.Amends }),
	int64s("expire_ns", func(r *history.Order) *core.Nanos { return &r.ExpireTime }),
	int64s("create_ns", func(r *history.Order) *core.Nanos { return &r.CreateTime }),
	int64s("update_ns", func(r *history.Order) *core.Nanos { return &r.UpdateTime }),
	int64s("due_ns", func(r *history.Order) *core.Nanos { return &r.Due }),
	counts("seq", func(r *history.Order) *uint64 { return &r.Seq }),
	prices("price", func(r *history.Order) (core.InstrumentID, *core.Price) { return r.Instrument, &r.Price }),
	qtys("qty", func(r *history.Order) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.Qty }),
	qtys("cum_qty", func(r *history.Order) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.CumQty }),
	wides("cum_cost", scale.product, func(r *history.Order) (core.InstrumentID, *core.Int128) { return r.Instrument, &r.CumCost }),
	prices("new_price", func(r *history.Order) (core.InstrumentID, *core.Price) { return r.Instrument, &r.NewPrice }),
	qtys("new_qty", func(r *history.Order) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.NewQty }),
	clOrdIDs("cl_ord_id", func(r *history.Order) *core.ClOrdID { return &r.ClOrdID }),
	enums("leg", func(r *history.Order) *core.Leg { return &r.Leg }),
	bools("cancel_on_drop", func(r *history.Order) *bool { return &r.CancelOnDrop }),
	counts("session", func(r *history.Order) *core.SessionID { return &r.Session }),
}

var executions = newTable("executions", []column[history.Execution]{
	counts("id", func(r *history.Execution) *uint64 { return &r.ID }),
	counts("order_id", func(r *history.Execution) *core.OrderID { return &r.Order }),
	ids("account", func(r *history.Execution) *core.AccountID { return &r.Account }),
	ids("strategy", func(r *history.Execution) *core.StrategyID { return &r.Strategy }),
	ids("instrument", func(r *history.Execution) *core.InstrumentID { return &r.Instrument }),
	enums("side", func(r *history.Execution) *core.Side { return &r.Side }),
	enums("liquidity", func(r *history.Execution) *core.Liquidity { return &r.Liquidity }),
	int64s("venue_ns", func(r *history.Execution) *core.Nanos { return &r.VenueTime }),
	int64s("time_ns", func(r *history.Execution) *core.Nanos { return &r.Time }),
	counts("seq", func(r *history.Execution) *uint64 { return &r.Seq }),
	prices("last_px", func(r *history.Execution) (core.InstrumentID, *core.Price) { return r.Instrument, &r.LastPx }),
	qtys("last_qty", func(r *history.Execution) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.LastQty }),
	amounts("fee", func(r *history.Execution) (core.InstrumentID, *core.Notional) { return r.Instrument, &r.Fee }),
	clOrdIDs("cl_ord_id", func(r *history.Execution) *core.ClOrdID { return &r.ClOrdID }),
	enums("leg", func(r *history.Execution) *core.Leg { return &r.Leg }),
	enums("fee_in", func(r *history.Execution) *core.FeeCurrency { return &r.FeeIn }),
})

var positions = newTable("positions", []column[history.Position]{
	ids("account", func(r *history.Position) *core.AccountID { return &r.Account }),
	ids("strategy", func(r *history.Position) *core.StrategyID { return &r.Strategy }),
	ids("instrument", func(r *history.Position) *core.InstrumentID { return &r.Instrument }),
	qtys("qty", func(r *history.Position) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.Position.Qty }),
	wides("entry_num", scale.entry, func(r *history.Position) (core.InstrumentID, *core.Int128) {
		return r.Instrument, &r.Position.EntryNum
	}),
	words("entry_den", func(r *history.Position) *uint64 { return &r.Position.EntryDen }),
	wides("cash", scale.cash, func(r *history.Position) (core.InstrumentID, *core.Int128) {
		return r.Instrument, &r.Position.Cash
	}),
	amounts("fees", func(r *history.Position) (core.InstrumentID, *core.Notional) { return r.Instrument, &r.Position.Fees }),
	qtys("volume", func(r *history.Position) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.Position.Volume }),
	counts("fills", func(r *history.Position) *uint64 { return &r.Position.Fills }),
	int64s("time_ns", func(r *history.Position) *core.Nanos { return &r.Time }),
	counts("seq", func(r *history.Position) *uint64 { return &r.Seq }),
	enums("leg", func(r *history.Position) *core.Leg { return &r.Leg }),
	amounts("funding", func(r *history.Position) (core.InstrumentID, *core.Notional) {
		return r.Instrument, &r.Position.Funding
	}),
	amounts("base_fees", func(r *history.Position) (core.InstrumentID, *core.Notional) {
		return r.Instrument, &r.Position.BaseFees
	}),
	amounts("dust", func(r *history.Position) (core.InstrumentID, *core.Notional) { return r.Instrument, &r.Position.Dust }),
}, "strategy", "instrument", "leg")

var marks = newTable("marks", []column[store.Mark]{
	ids("instrument", func(r *store.Mark) *core.InstrumentID { return &r.Instrument }),
	prices("price", func(r *store.Mark) (core.InstrumentID, *core.Price) { return r.Instrument, &r.Price }),
	int64s("time_ns", func(r *store.Mark) *core.Nanos { return &r.Time }),
}, "instrument")

var totals = newTable("transfer_totals", []column[store.TransferTotal]{
	ids("account", func(r *store.TransferTotal) *core.AccountID { return &r.Account }),
	texts("currency", func(r *store.TransferTotal) *string { return &r.Currency }),
	decimals("amount", func(r *store.TransferTotal) (uint8, *int64) { return history.AmountScale, &r.Amount }),
	int64s("time_ns", func(r *store.TransferTotal) *core.Nanos { return &r.Time }),
}, "account", "currency")

var transfers = newTable("transfers", []column[history.Transfer]{
	counts("seq", func(r *history.Transfer) *uint64 { return &r.Seq }),
	int64s("time_ns", func(r *history.Transfer) *core.Nanos { return &r.Time }),
	ids("account", func(r *history.Transfer) *core.AccountID { return &r.Account }),
	texts("currency", func(r *history.Transfer) *string { return &r.Currency }),
	decimals("amount", func(r *history.Transfer) (uint8, *int64) { return history.AmountScale, &r.Amount }),
	decimals("balance", func(r *history.Transfer) (uint8, *int64) { return history.AmountScale, &r.Balance }),
	texts("by_whom", func(r *history.Transfer) *string { return &r.By }),
	texts("note", func(r *history.Transfer) *string { return &r.Note }),
})

var equity = newTable("equity", []column[history.Equity]{
	ids("account", func(r *history.Equity) *core.AccountID { return &r.Account }),
	int64s("time_ns", func(r *history.Equity) *core.Nanos { return &r.Time }),
	texts("settle", func(r *history.Equity) *string { return &r.Settle }),
	enums("scale", func(r *history.Equity) *uint8 { return &r.Scale }),
	decimals("transfers", func(r *history.Equity) (uint8, *core.Notional) { return r.Scale, &r.Transfers }),
	decimals("realised", func(r *history.Equity) (uint8, *core.Notional) { return r.Scale, &r.Realised }),
	decimals("unrealised", func(r *history.Equity) (uint8, *core.Notional) { return r.Scale, &r.Unrealised }),
	decimals("fees", func(r *history.Equity) (uint8, *core.Notional) { return r.Scale, &r.Fees }),
	decimals("funding", func(r *history.Equity) (uint8, *core.Notional) { return r.Scale, &r.Funding }),
	bools("valued", func(r *history.Equity) *bool { return &r.Valued }),
	counts("seq", func(r *history.Equity) *uint64 { return &r.Seq }),
})
