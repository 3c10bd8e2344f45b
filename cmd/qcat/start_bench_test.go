package main

import (
	"fmt"
	"strings"
	"testing"

	"qcat/core"
	"qcat/core/engine"
)

// startAccounts is how many accounts the benchmarks of a start have.
const startAccounts = 10_000

// manyAccounts is the configuration of n accounts, each with money, the limits of the
// demo and a strategy with one of its own.
func manyAccounts(n int) []byte {
	var b strings.Builder
	b.WriteString("firm:\n  limits: {max_exposure_gross: \"20000000\"}\naccounts:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: desk%d\n    balances: {USDT: \"1000000\"}\n    leverage: 10x\n"+
			"    limits: {price_collar_buy_up: 2%%, price_collar_buy_down: 4%%, price_collar_sell_up: 4%%, price_collar_sell_down: 2%%, "+
			"market_slippage: 1%%, max_notional: \"1000000\", max_open_orders: 500, max_amends: 100, max_exposure_gross: \"10000000\", "+
			"max_exposure_net: \"5000000\", message_rate: 2000/1s, order_rate: 1000/1s, margin_required: true, max_leverage: 10x, "+
			"self_trade: cancel_newest, max_loss_daily: \"100000\", max_drawdown: \"200000\", loss_action: reduce, loss_confirmations: 3, "+
			"max_scenario_loss: \"750000\"}\n    strategies:\n      - name: alpha\n        limits: {max_open_orders: 50}\n", i)
	}
	return []byte(b.String())
}

// BenchmarkParseFile reads the configuration of ten thousand accounts, 6.5 MB.
func BenchmarkParseFile(b *testing.B) {
	raw := manyAccounts(startAccounts)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		file, err := parseFile(raw, nil)
		if err != nil || len(file.sections.Accounts) != startAccounts {
			b.Fatal(len(file.sections.Accounts), err)
		}
	}
}

// BenchmarkDefine defines ten thousand accounts as a first start does, with a journal
// in memory.
func BenchmarkDefine(b *testing.B) {
	who := manySections(b)
	b.ReportAllocs()
	for b.Loop() {
		if e := definedBy(b, who); len(e.Directory().Strategies()) != 2*startAccounts {
			b.Fatal(len(e.Directory().Strategies()))
		}
	}
}

// BenchmarkOthersInForce compares the limits in force with those of ten thousand
// accounts, as every start does.
func BenchmarkOthersInForce(b *testing.B) {
	who := manySections(b)
	e := definedBy(b, who)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if n, err := who.othersInForce(e); n != 0 || err != nil {
			b.Fatal(n, err)
		}
	}
}

func manySections(b *testing.B) *sections {
	b.Helper()
	file, err := parseFile(manyAccounts(startAccounts), nil)
	if err != nil {
		b.Fatal(err)
	}
	return &file.sections
}

// definedBy is an engine with one derivative in which who has been defined.
func definedBy(b *testing.B, who *sections) *engine.Engine {
	b.Helper()
	cfg := stateConfig()
	cfg.Directory, cfg.Clock, cfg.Journal = core.NewDirectory(), core.SystemClock(), engine.NewMemoryJournal(0)
	e := engine.New(cfg)
	if _, err := e.DefineInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT", Kind: core.Linear,
		PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1, MinQty: 1}); err != nil {
		b.Fatal(err)
	}
	if err := who.define(e); err != nil {
		b.Fatal(err)
	}
	return e
}
