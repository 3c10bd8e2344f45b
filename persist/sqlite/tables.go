package sqlite

import (
	"slices"
	"strings"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// table describes how rows of type T are stored.
type table[T any] struct {
	name    string
	columns []string // as fields names them
	fields  func(*fields, *T)
	selects string // begins a query for rows
	one     string // writes one row
	many    string // writes batch rows
	batch   int
}

// maxArgs bounds the arguments of one statement. From here on longer ones gain
// nothing, and SQLite takes 32 766.
const maxArgs = 1024

// newTable describes a table whose rows are added, or, with a key, replaced by it.
func newTable[T any](name store.Table, describe func(*fields, *T), key ...string) *table[T] {
	t := addTable(name.String(), describe)
	if len(key) == 0 {
		return t
	}
	var set []string
	for _, c := range t.columns {
		if !slices.Contains(key, c) {
			set = append(set, c+" = excluded."+c)
		}
	}
	return t.onConflict(key, set)
}

// addTable describes a table whose rows are added.
func addTable[T any](name string, describe func(*fields, *T)) *table[T] {
	var f fields
	var zero T
	describe(&f, &zero)
	list := strings.Join(f.names, ", ")
	slots := "(" + strings.Repeat("?, ", len(f.names)-1) + "?)"
	t := &table[T]{name: name, columns: f.names, fields: describe, batch: maxArgs / len(f.names)}
	t.selects = "SELECT " + list + " FROM " + name
	t.one = "INSERT INTO " + name + " (" + list + ") VALUES " + slots
	t.many = t.one + strings.Repeat(", "+slots, t.batch-1)
	return t
}

// onConflict makes t change the row that has the same key.
func (t *table[T]) onConflict(key, set []string) *table[T] {
	end := " ON CONFLICT (" + strings.Join(key, ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
	t.one, t.many = t.one+end, t.many+end
	return t
}

var (
	instruments = newTable(store.TableInstruments, instrumentFields, "id")
	accounts    = newTable(store.TableAccounts, accountFields, "id")
	strategies  = newTable(store.TableStrategies, strategyFields, "id")
	orders      = newTable(store.TableOrders, orderFields, "id")
	executions  = newTable(store.TableExecutions, executionFields)
	positions   = newTable(store.TablePositions, positionFields, "strategy", "instrument", "leg")
	marks       = newTable(store.TableMarks, markFields, "instrument")
	totals      = newTable(store.TableTotals, totalFields, "account", "currency")
	transfers   = newTable(store.TableTransfers, transferFields)
	equity      = newTable(store.TableEquity, equityFields)
	riskEvents  = newTable(store.TableRiskEvents, riskEventFields)
	audit       = newTable(store.TableAudit, auditFields)
	trades      = newTable(store.TableTrades, tradeFields)
	quotes      = newTable(store.TableQuotes, quoteFields)
	candles     = newTable(store.TableCandles, candleFields, "instrument", "interval_ns", "open_ns")
	gaps        = newTable(store.TableGaps, gapFields)
)

func instrumentFields(f *fields, in *core.Instrument) {
	number(f, "id", &in.ID)
	text(f, "venue", &in.Venue)
	text(f, "symbol", &in.Symbol)
	text(f, "base", &in.Base)
	text(f, "quote", &in.Quote)
	text(f, "settle", &in.Settle)
	number(f, "kind", &in.Kind)
	number(f, "price_scale", &in.PriceScale)
	number(f, "qty_scale", &in.QtyScale)
	number(f, "settle_scale", &in.SettleScale)
	number(f, "contract_size", &in.ContractSize)
	number(f, "tick_size", &in.TickSize)
	number(f, "min_price", &in.MinPrice)
	number(f, "max_price", &in.MaxPrice)
	number(f, "step_size", &in.StepSize)
	number(f, "min_qty", &in.MinQty)
	number(f, "max_qty", &in.MaxQty)
	number(f, "market_step_size", &in.MarketStepSize)
	number(f, "market_min_qty", &in.MarketMinQty)
	number(f, "market_max_qty", &in.MarketMaxQty)
	number(f, "min_notional", &in.MinNotional)
	number(f, "max_notional", &in.MaxNotional)
	number(f, "bid_collar_up", &in.BidCollarUp)
	number(f, "bid_collar_down", &in.BidCollarDown)
	number(f, "ask_collar_up", &in.AskCollarUp)
	number(f, "ask_collar_down", &in.AskCollarDown)
}

func accountFields(f *fields, a *core.Account) {
	number(f, "id", &a.ID)
	text(f, "name", &a.Name)
}

func strategyFields(f *fields, s *core.Strategy) {
	number(f, "id", &s.ID)
	number(f, "account", &s.Account)
	text(f, "name", &s.Name)
}

func orderFields(f *fields, o *history.Order) {
	number(f, "id", &o.ID)
	number(f, "account", &o.Account)
	number(f, "strategy", &o.Strategy)
	number(f, "instrument", &o.Instrument)
	number(f, "side", &o.Side)
	number(f, "type", &o.Type)
	number(f, "tif", &o.TIF)
	number(f, "status", &o.Status)
	flag(f, "reduce_only", &o.ReduceOnly)
	flag(f, "venue_acked", &o.VenueAcked)
	flag(f, "pending_cancel", &o.PendingCxl)
	flag(f, "pending_replace", &o.PendingRepl)
	flag(f, "unknown", &o.Unknown)
	number(f, "price", &o.Price)
	number(f, "qty", &o.Qty)
	number(f, "cum_qty", &o.CumQty)
	wide(f, "cum_cost", &o.CumCost)
	number(f, "new_price", &o.NewPrice)
	number(f, "new_qty", &o.NewQty)
	number(f, "amends", &o.Amends)
	number(f, "reason", &o.Reason)
	number(f, "expire_ns", &o.ExpireTime)
	number(f, "create_ns", &o.CreateTime)
	number(f, "update_ns", &o.UpdateTime)
	clOrdID(f, "cl_ord_id", &o.ClOrdID)
	number(f, "due_ns", &o.Due)
	number(f, "seq", &o.Seq)
	number(f, "leg", &o.Leg)
	flag(f, "cancel_on_drop", &o.CancelOnDrop)
	number(f, "session", &o.Session)
}

func executionFields(f *fields, x *history.Execution) {
	number(f, "id", &x.ID)
	number(f, "order_id", &x.Order)
	number(f, "account", &x.Account)
	number(f, "strategy", &x.Strategy)
	number(f, "instrument", &x.Instrument)
	number(f, "side", &x.Side)
	number(f, "liquidity", &x.Liquidity)
	number(f, "last_px", &x.LastPx)
	number(f, "last_qty", &x.LastQty)
	number(f, "fee", &x.Fee)
	number(f, "venue_ns", &x.VenueTime)
	number(f, "time_ns", &x.Time)
	clOrdID(f, "cl_ord_id", &x.ClOrdID)
	number(f, "seq", &x.Seq)
	number(f, "leg", &x.Leg)
	number(f, "fee_in", &x.FeeIn)
}

func positionFields(f *fields, p *history.Position) {
	number(f, "account", &p.Account)
	number(f, "strategy", &p.Strategy)
	number(f, "instrument", &p.Instrument)
	number(f, "leg", &p.Leg)
	number(f, "qty", &p.Position.Qty)
	wide(f, "entry_num", &p.Position.EntryNum)
	number(f, "entry_den", &p.Position.EntryDen)
	wide(f, "cash", &p.Position.Cash)
	number(f, "fees", &p.Position.Fees)
	number(f, "funding", &p.Position.Funding)
	number(f, "base_fees", &p.Position.BaseFees)
	number(f, "dust", &p.Position.Dust)
	number(f, "volume", &p.Position.Volume)
	number(f, "fills", &p.Position.Fills)
	number(f, "time_ns", &p.Time)
	number(f, "seq", &p.Seq)
}

func markFields(f *fields, m *store.Mark) {
	number(f, "instrument", &m.Instrument)
	number(f, "price", &m.Price)
	number(f, "time_ns", &m.Time)
}

func totalFields(f *fields, t *store.TransferTotal) {
	number(f, "account", &t.Account)
	text(f, "currency", &t.Currency)
	number(f, "amount", &t.Amount)
	number(f, "time_ns", &t.Time)
}

func transferFields(f *fields, t *history.Transfer) {
	number(f, "seq", &t.Seq)
	number(f, "time_ns", &t.Time)
	number(f, "account", &t.Account)
	text(f, "currency", &t.Currency)
	number(f, "amount", &t.Amount)
	number(f, "balance", &t.Balance)
	text(f, "by_whom", &t.By)
	text(f, "note", &t.Note)
}

func equityFields(f *fields, e *history.Equity) {
	number(f, "account", &e.Account)
	number(f, "time_ns", &e.Time)
	text(f, "settle", &e.Settle)
	number(f, "scale", &e.Scale)
	number(f, "transfers", &e.Transfers)
	number(f, "realised", &e.Realised)
	number(f, "unrealised", &e.Unrealised)
	number(f, "fees", &e.Fees)
	number(f, "funding", &e.Funding)
	flag(f, "valued", &e.Valued)
	number(f, "seq", &e.Seq)
}

func riskEventFields(f *fields, e *history.RiskEvent) {
	number(f, "seq", &e.Seq)
	number(f, "time_ns", &e.Time)
	number(f, "kind", &e.Kind)
	scope(f, &e.Scope)
	number(f, "state", &e.State)
	number(f, "action", &e.Action)
	number(f, "cancelled", &e.Cancelled)
	number(f, "code", &e.Code)
	number(f, "unit", &e.Unit)
	number(f, "limit_value", &e.Limit)
	number(f, "value", &e.Value)
	number(f, "order_id", &e.Order)
	number(f, "account", &e.Account)
	number(f, "strategy", &e.Strategy)
	number(f, "instrument", &e.Instrument)
	number(f, "side", &e.Side)
	number(f, "price", &e.Price)
	number(f, "qty", &e.Qty)
	clOrdID(f, "cl_ord_id", &e.ClOrdID)
	text(f, "note", &e.Note)
}

func auditFields(f *fields, a *history.Audit) {
	number(f, "seq", &a.Seq)
	number(f, "time_ns", &a.Time)
	text(f, "action", &a.Action)
	scope(f, &a.Scope)
	text(f, "detail", &a.Detail)
}

func tradeFields(f *fields, t *history.Trade) {
	number(f, "instrument", &t.Instrument)
	number(f, "exchange_ns", &t.ExchangeTime)
	number(f, "id", &t.ID)
	number(f, "tick", &t.Tick)
	number(f, "side", &t.Side)
	number(f, "price", &t.Price)
	number(f, "qty", &t.Qty)
	number(f, "receive_ns", &t.ReceiveTime)
}

func quoteFields(f *fields, q *history.Quote) {
	number(f, "instrument", &q.Instrument)
	number(f, "receive_ns", &q.ReceiveTime)
	number(f, "tick", &q.Tick)
	flag(f, "stale", &q.Stale)
	number(f, "bid_price", &q.BidPrice)
	number(f, "bid_qty", &q.BidQty)
	number(f, "ask_price", &q.AskPrice)
	number(f, "ask_qty", &q.AskQty)
	number(f, "exchange_ns", &q.ExchangeTime)
}

func candleFields(f *fields, c *history.Candle) {
	number(f, "instrument", &c.Instrument)
	number(f, "interval_ns", &c.Interval)
	number(f, "open_ns", &c.OpenTime)
	number(f, "open", &c.Open)
	number(f, "high", &c.High)
	number(f, "low", &c.Low)
	number(f, "close", &c.Close)
	number(f, "volume", &c.Volume)
	number(f, "trades", &c.Trades)
	flag(f, "closed", &c.Closed)
	flag(f, "gap", &c.Gap)
}

func gapFields(f *fields, g *history.Gap) {
	number(f, "tick", &g.Tick)
	number(f, "lost", &g.Lost)
	number(f, "from_ns", &g.From)
	number(f, "to_ns", &g.To)
	text(f, "reason", &g.Reason)
}
