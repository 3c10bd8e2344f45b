package main

import (
	"strings"
	"testing"

	"qcat/core"
)

// killDirectory has what the signal files of these tests name.
func killDirectory(t *testing.T) *core.Directory {
	t.Helper()
	d := core.NewDirectory()
	a, err := d.AddAccount("demo")
	if err == nil {
		_, err = d.AddStrategy(a.ID, "mm")
	}
	if err == nil {
		_, err = d.AddInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Kind: core.Linear, Base: "BTC", Quote: "USDT", Settle: "USDT",
			PriceScale: 2, QtyScale: 3, SettleScale: 8, TickSize: 10, StepSize: 1, MinQty: 1, ContractSize: 1})
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSignalFileSays: what a signal file says is done, and what nobody understands
// halts the firm beside it.
func TestSignalFileSays(t *testing.T) {
	dir := killDirectory(t)
	const firm = "halted 1/0/0/0"
	for _, tt := range []struct{ name, text, want, fault string }{
		{"nothing", "", firm, ""},
		{"white space", " \n\t\r\n", firm, ""},
		{"the firm", "firm", firm, ""},
		{"said in full", "halt firm\n", firm, ""},
		{"to reduce", "reduce firm\n", "reducing 1/0/0/0", ""},
		{"an account", "account demo\r\n", "halted 2/1/0/0", ""},
		{"a strategy", "strategy demo/mm", "halted 3/1/2/0", ""},
		{"an instrument", "instrument sim:BTCUSDT", "halted 4/0/0/1", ""},
		{"of an account", "reduce account demo instrument sim:BTCUSDT", "reducing 4/1/0/1", ""},
		{"of a strategy", "strategy demo/mm  instrument\tsim:BTCUSDT", "halted 4/1/2/1", ""},
		{"two lines", "account demo\n\nreduce instrument sim:BTCUSDT\n", "halted 2/1/0/0 reducing 4/0/0/1", ""},
		{"no such account", "account nobody", firm, "there is no account nobody"},
		{"no such strategy", "strategy demo/nothing", firm, "account demo has no strategy nothing"},
		{"a strategy of nobody", "strategy nobody/mm", firm, "there is no account nobody"},
		{"a strategy alone", "strategy mm", firm, "account/strategy"},
		{"no such instrument", "instrument sim:NOSUCH", firm, "there is no instrument sim:NOSUCH"},
		{"an instrument twice", "instrument sim:BTCUSDT instrument sim:BTCUSDT", firm, "instrument"},
		{"the wrong way round", "instrument sim:BTCUSDT account demo", firm, "account may not follow instrument"},
		{"half a line", "account", firm, "want firm"},
		{"only a verb", "reduce", firm, "want firm"},
		{"a word too much", "halt firm now", firm, "firm is none of"},
		{"another language", "stoppt alles", firm, "stoppt is none of"},
		{"one line of two", "account demo\naccount nobody", firm + " halted 2/1/0/0", "there is no account nobody"},
		{"never resumed", "resume firm", firm, "resume is none of"},
		{"too many lines", strings.Repeat("account demo\n", maxKillLines+1), firm + strings.Repeat(" halted 2/1/0/0", maxKillLines), "more than"},
		{"too long", strings.Repeat(" ", maxKillBytes+1), firm, "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			orders, err := parseKill(tt.text, dir)
			var got []string
			for _, o := range orders {
				s := o.scope
				got = append(got, o.state.String()+" "+strings.Join([]string{itoa(int(s.Level)), itoa(int(s.Account)), itoa(int(s.Strategy)), itoa(int(s.Instrument))}, "/"))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%q does %v, want %s", tt.text, got, tt.want)
			}
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("error %v, want %q", err, tt.fault)
			}
		})
	}
}

func itoa(n int) string { return core.FormatDecimal(int64(n), 0) }
