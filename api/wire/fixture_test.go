package wire_test

import (
	"testing"

	"qcat/core"
)

// directory has one linear instrument, an account "demo" and its strategies.
func directory(t testing.TB) (*core.Directory, *core.Instrument) {
	t.Helper()
	d := core.NewDirectory()
	in, err := d.AddInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 4, ContractSize: 1, TickSize: 1, StepSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.AddAccount("demo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.AddStrategy(a.ID, "maker"); err != nil {
		t.Fatal(err)
	}
	return d, in
}
