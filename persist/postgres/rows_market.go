package postgres

import (
	"qcat/core"
	"qcat/core/history"
)

// The tables of the tick log.

var trades = newTable("trades", []column[history.Trade]{
	counts("tick", func(r *history.Trade) *uint64 { return &r.Tick }),
	int64s("exchange_ns", func(r *history.Trade) *core.Nanos { return &r.ExchangeTime }),
	int64s("receive_ns", func(r *history.Trade) *core.Nanos { return &r.ReceiveTime }),
	counts("id", func(r *history.Trade) *uint64 { return &r.ID }),
	ids("instrument", func(r *history.Trade) *core.InstrumentID { return &r.Instrument }),
	enums("side", func(r *history.Trade) *core.Side { return &r.Side }),
	prices("price", func(r *history.Trade) (core.InstrumentID, *core.Price) { return r.Instrument, &r.Price }),
	qtys("qty", func(r *history.Trade) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.Qty }),
})

// All quotes that were sampled, and again the latest of each instrument.
var (
	quotes     = newTable("quotes", quoteColumns)
	quotesLast = newTable("quotes_last", quoteColumns, "instrument").onlyAbove("receive_ns")
)

var quoteColumns = []column[history.Quote]{
	counts("tick", func(r *history.Quote) *uint64 { return &r.Tick }),
	int64s("receive_ns", func(r *history.Quote) *core.Nanos { return &r.ReceiveTime }),
	int64s("exchange_ns", func(r *history.Quote) *core.Nanos { return &r.ExchangeTime }),
	ids("instrument", func(r *history.Quote) *core.InstrumentID { return &r.Instrument }),
	bools("stale", func(r *history.Quote) *bool { return &r.Stale }),
	prices("bid_price", func(r *history.Quote) (core.InstrumentID, *core.Price) { return r.Instrument, &r.BidPrice }),
	qtys("bid_qty", func(r *history.Quote) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.BidQty }),
	prices("ask_price", func(r *history.Quote) (core.InstrumentID, *core.Price) { return r.Instrument, &r.AskPrice }),
	qtys("ask_qty", func(r *history.Quote) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.AskQty }),
}

var candles = newTable("candles", []column[history.Candle]{
	ids("instrument", func(r *history.Candle) *core.InstrumentID { return &r.Instrument }),
	int64s("interval_ns", func(r *history.Candle) *core.Nanos { return &r.Interval }),
	int64s("open_ns", func(r *history.Candle) *core.Nanos { return &r.OpenTime }),
	prices("open", func(r *history.Candle) (core.InstrumentID, *core.Price) { return r.Instrument, &r.Open }),
	prices("high", func(r *history.Candle) (core.InstrumentID, *core.Price) { return r.Instrument, &r.High }),
	prices("low", func(r *history.Candle) (core.InstrumentID, *core.Price) { return r.Instrument, &r.Low }),
	prices("close", func(r *history.Candle) (core.InstrumentID, *core.Price) { return r.Instrument, &r.Close }),
	qtys("volume", func(r *history.Candle) (core.InstrumentID, *core.Qty) { return r.Instrument, &r.Volume }),
	uint32s("trades", func(r *history.Candle) *uint32 { return &r.Trades }),
	bools("closed", func(r *history.Candle) *bool { return &r.Closed }),
	bools("gap", func(r *history.Candle) *bool { return &r.Gap }),
}, "instrument", "interval_ns", "open_ns")

var gaps = newTable("tick_gaps", []column[history.Gap]{
	counts("tick", func(r *history.Gap) *uint64 { return &r.Tick }),
	counts("lost", func(r *history.Gap) *uint64 { return &r.Lost }),
	int64s("from_ns", func(r *history.Gap) *core.Nanos { return &r.From }),
	int64s("to_ns", func(r *history.Gap) *core.Nanos { return &r.To }),
	texts("reason", func(r *history.Gap) *string { return &r.Reason }),
})
