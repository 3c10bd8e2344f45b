package postgres

import (
	"qcat/core"
	"qcat/core/history"
)

var riskEvents = newTable("risk_events", []column[history.RiskEvent]{
	counts("seq", func(r *history.RiskEvent) *uint64 { return &r.Seq }),
	int64s("time_ns", func(r *history.RiskEvent) *core.Nanos { return &r.Time }),
	enums("kind", func(r *history.RiskEvent) *history.RiskEventKind { return &r.Kind }),
	enums("scope_level", func(r *history.RiskEvent) *uint8 { return &r.Scope.Level }),
	ids("scope_account", func(r *history.RiskEvent) *core.AccountID { return &r.Scope.Account }),
	ids("scope_strategy", func(r *history.RiskEvent) *core.StrategyID { return &r.Scope.Strategy }),
	ids("scope_instrument", func(r *history.RiskEvent) *core.InstrumentID { return &r.Scope.Instrument }),
	enums("state", func(r *history.RiskEvent) *uint8 { return &r.State }),
	enums("action", func(r *history.RiskEvent) *uint8 { return &r.Action }),
	uint32s("cancelled", func(r *history.RiskEvent) *uint32 { return &r.Cancelled }),
	codes("code", func(r *history.RiskEvent) *uint16 { return &r.Code }),
	enums("unit", func(r *history.RiskEvent) *uint8 { return &r.Unit }),
	int64s("limit_value", func(r *history.RiskEvent) *int64 { return &r.Limit }),
	int64s("value", func(r *history.RiskEvent) *int64 { return &r.Value }),
	counts("order_id", func(r *history.RiskEvent) *core.OrderID { return &r.Order }),
	ids("account", func(r *history.RiskEvent) *core.AccountID { return &r.Account }),
	ids("strategy", func(r *history.RiskEvent) *core.StrategyID { return &r.Strategy }),
	ids("instrument", func(r *history.RiskEvent) *core.InstrumentID { return &r.Instrument }),
	enums("side", func(r *history.RiskEvent) *core.Side { return &r.Side }),
	// What was refused may name an instrument that nobody knows: its numbers are kept
	// whole, and each is read back with the decimals that it carries.
	{"price", numeric,
		func(e *encoder, r *history.RiskEvent) { e.decimal(int64(r.Price), e.ofAny(r.Instrument).price) },
		func(d *decoder, r *history.RiskEvent) { r.Price = core.Price(d.decimal(ownScale)) }},
	{"qty", numeric,
		func(e *encoder, r *history.RiskEvent) { e.decimal(int64(r.Qty), e.ofAny(r.Instrument).qty) },
		func(d *decoder, r *history.RiskEvent) { r.Qty = core.Qty(d.decimal(ownScale)) }},
	clOrdIDs("cl_ord_id", func(r *history.RiskEvent) *core.ClOrdID { return &r.ClOrdID }),
	texts("note", func(r *history.RiskEvent) *string { return &r.Note }),
})

var audit = newTable("audit", []column[history.Audit]{
	counts("seq", func(r *history.Audit) *uint64 { return &r.Seq }),
	int64s("time_ns", func(r *history.Audit) *core.Nanos { return &r.Time }),
	texts("action", func(r *history.Audit) *string { return &r.Action }),
	enums("scope_level", func(r *history.Audit) *uint8 { return &r.Scope.Level }),
	ids("scope_account", func(r *history.Audit) *core.AccountID { return &r.Scope.Account }),
	ids("scope_strategy", func(r *history.Audit) *core.StrategyID { return &r.Scope.Strategy }),
	ids("scope_instrument", func(r *history.Audit) *core.InstrumentID { return &r.Scope.Instrument }),
	texts("detail", func(r *history.Audit) *string { return &r.Detail }),
})
