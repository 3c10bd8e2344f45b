package main

import (
	"strings"
	"testing"

	"qcat/api/client"
)

// TestWatchShowsRisk: a line a node above the instruments, the firm first and an account
// before its strategies, each with the limit of which the most is used.
func TestWatchShowsRisk(t *testing.T) {
	s := newScreen([]string{"risk"})
	frame := func(data string) { s.update(0, &client.Message{Channel: "risk", Seq: 1, Data: []byte(data)}) }
	frame(`{"kind":"exposure","scopes":[{"scope":{"level":"strategy","account":"demo","strategy":"alpha"},"state":"active","gross":"1.00000000"},` +
		`{"scope":{"level":"instrument","instrument":"sim:BTCUSDT"},"state":"active"},` +
		`{"scope":{"level":"account","account":"demo"},"state":"reducing","cause":"risk.max_drawdown","equity":"999.50000000","gross":null,` +
		`"margin_ratio":"0.123456","utilisation":[{"limit":"max_open_orders","ratio":"0.100000"},{"limit":"max_leverage","ratio":"0.250000"},{"limit":"x","ratio":null}]},` +
		`{"scope":{"level":"firm"},"state":"active","pnl":"-1.50000000"}]}`)
	frame(`{"kind":"exposure","scopes":[{"scope":{"level":"firm"},"state":"halted","pnl":"-2.50000000"}]}`)
	frame(`{"kind":"state","state":"halted"}`)
	var out strings.Builder
	s.draw(&out, false)
	text := strings.ReplaceAll(out.String(), "\x1b[K", "")
	want := "  the firm: halted  pnl -2.5\n" +
		"  account demo: reducing (risk.max_drawdown)  equity 999.5  margin 12.3%  25.0% of max_leverage\n" +
		"  strategy demo/alpha: active  gross 1\n"
	if !strings.Contains(text, want) || strings.Contains(text, "BTCUSDT") || !strings.Contains(text, "kind state") {
		t.Errorf("shown:\n%s\nwant\n%s", text, want)
	}
}
