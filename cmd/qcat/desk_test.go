package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"qcat/api/client"
)

// TestDeskCommands: each command asks for what it says, and shows what comes back.
func TestDeskCommands(t *testing.T) {
	t.Setenv("USER", "ada")
	const check = `{"seq":9,"results":[{"accepted":false,"refusals":[{"code":"risk.max_qty","detail":"risk.max_qty: 11.000 is more than 10.000"}],` +
		`"after":{"levels":[{"scope":{"level":"account","account":"demo"},"state":"active","open_orders":2,"gross":"12.50000000","net":null,"unfilled":"3.00000000","leverage":"0.100000"}],` +
		`"margin":{"currency":"USDT","initial_margin":"60.00000000","reserved":"0.00000000","free":"940.00000000"}}}]}`
	for _, tt := range []struct {
		name, args, request, body, answer string
		says                              []string
	}{
		{"accounts", "accounts", "GET /api/v1/accounts", "",
			`[{"account":"demo","state":"active","position_mode":"one_way","equity":"1000000.50000000","free":"900000.00000000","margin_ratio":null,"leverage":"1.500000",` +
				`"wallets":[{"currency":"USDT","balance":"1000000.00000000","equity":"1000000.50000000","free":"900000.00000000"}]}]`,
			[]string{"ACCOUNT", "demo", "one_way", "1000000.5 ", "900000 ", " - ", "1.5 ", "USDT 1000000, 900000"}},
		{"one account", "accounts demo --json", "GET /api/v1/accounts?account=demo", "", `[]`, []string{"[]\n"}},
		{"transfer", "transfer demo USDT 250.5 --reason top-up", "POST /api/v1/accounts/demo/transfers",
			`{"amount":"250.5","by":"ada","currency":"USDT","reason":"top-up"}`, `{"seq":7}`, []string{"account demo: 250.5 USDT, journal sequence 7\n"}},
		{"withdrawal", "transfer --reason x --by bob demo USDT -- -1", "POST /api/v1/accounts/demo/transfers",
			`{"amount":"-1","by":"bob","currency":"USDT","reason":"x"}`, `{"seq":7}`, []string{"-1 USDT"}},
		{"leverage", "margin demo sim:BTCUSDT --leverage 20x --mode isolated", "PUT /api/v1/accounts/demo/margin",
			`{"by":"ada","instrument":"sim:BTCUSDT","leverage":"20","mode":"isolated"}`, `{"seq":8}`, []string{"account demo: changed, journal sequence 8\n"}},
		{"hedge mode", "margin demo --position-mode hedge --json", "PUT /api/v1/accounts/demo/margin",
			`{"by":"ada","position_mode":"hedge"}`, `{"seq":8}`, []string{`{"seq":8}`}},
		{"isolated margin", "margin demo sim:BTCUSDT --amount=-5 --position-side short", "PUT /api/v1/accounts/demo/margin",
			`{"amount":"-5","by":"ada","instrument":"sim:BTCUSDT","position_side":"short"}`, `{"seq":8}`, []string{"changed"}},
		{"funding", "funding sim:BTCUSDT 0.01% --price 60000.0", "POST /api/v1/funding",
			`{"instrument":"sim:BTCUSDT","price":"60000.0","rate":"0.000100000"}`, `{"seq":3}`, []string{"funding of 0.01% is paid, journal sequence 3\n"}},
		{"funding to longs", "funding sim:BTCUSDT -- -1bp", "POST /api/v1/funding",
			`{"instrument":"sim:BTCUSDT","rate":"-0.000100000"}`, `{"seq":3}`, []string{"is paid"}},
		{"check", "check --account demo --instrument sim:BTCUSDT --side buy --qty 11 --price 60000.0 --time-in-force ioc --reduce-only", "POST /api/v1/orders/check",
			`{"orders":[{"account":"demo","instrument":"sim:BTCUSDT","price":"60000.0","qty":"11","reduce_only":true,"side":"buy","time_in_force":"ioc","type":"limit"}]}`, check,
			[]string{"refused  risk.max_qty: 11.000 is more than 10.000\n", "account demo", "12.5 ", "0.1 ", " - ", "USDT: initial margin 60, reserved 0, free 940\n"}},
		{"check of a market order", "check --account demo --strategy mm --instrument sim:BTCUSDT --side sell --qty 1", "POST /api/v1/orders/check",
			`{"orders":[{"account":"demo","instrument":"sim:BTCUSDT","qty":"1","side":"sell","strategy":"mm","type":"market"}]}`,
			`{"seq":9,"results":[{"accepted":true,"refusals":[],"after":null}]}`, []string{"admitted\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var request, body string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				raw, _ := io.ReadAll(r.Body)
				request, body = r.Method+" "+r.URL.RequestURI(), string(raw)
				_, _ = io.WriteString(w, tt.answer)
			}))
			defer srv.Close()
			words := strings.Fields(tt.args)
			args := append([]string{words[0], "--addr", strings.TrimPrefix(srv.URL, "http://")}, words[1:]...)
			code, out, errs := inProcess(t, args...)
			if code != 0 || request != tt.request || !sameJSON(t, body, tt.body) {
				t.Errorf("exit code %d, %s\n%s\n%s\nwant %s\n%s", code, errs, request, body, tt.request, tt.body)
			}
			for _, want := range tt.says {
				if !strings.Contains(out, want) {
					t.Errorf("says\n%s\nwithout %q", out, want)
				}
			}
		})
	}
}

// TestDeskRefusals: what cannot be meant is said before anything is asked, and a refusal
// of the server is the command's.
func TestDeskRefusals(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"code":"risk.insufficient_funds","detail":"1000 is free"}`)
	}))
	defer srv.Close()
	addr := "--addr=" + strings.TrimPrefix(srv.URL, "http://")
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"transfer demo USDT 5000 --reason x", 1, "risk.insufficient_funds: 1000 is free"},
		{"transfer demo USDT 5000", 2, "reason"},
		{"margin demo sim:BTCUSDT", 2, "say what"},
		{"margin demo sim:BTCUSDT --mode both", 2, "mode"},
		{"funding sim:BTCUSDT 0.01", 2, "written with %"},
		{"check --account demo --instrument x --side up --qty 1", 2, "side"},
	} {
		code, _, errs := inProcess(t, append(strings.Fields(tt.args), addr)...)
		if code != tt.code || !strings.Contains(errs, tt.says) {
			t.Errorf("%s: exit code %d, %q", tt.args, code, errs)
		}
	}
}

// sameJSON compares two bodies by what they say.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	if a == "" || b == "" {
		return a == b
	}
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatalf("%v in %s", err, a)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return reflect.DeepEqual(x, y)
}

// TestDeskOnADemo: the commands against a real server.
func TestDeskOnADemo(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo", "--sim-inverse", "1")
	p.live(btc)
	says := func(want string, args ...string) {
		t.Helper()
		code, out, errs := qcat(t, append([]string{args[0], "--addr", p.addr}, args[1:]...)...)
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: exit code %d, %s\n%s\nwant %q", args, code, errs, out, want)
		}
	}
	order := []string{"check", "--account", "demo", "--instrument", btc, "--side", "buy", "--qty"}
	says("admitted", append(order, "1")...)
	says("risk.max_qty", append(order, "11")...)
	says("account demo", append(order, "11")...)
	says("USDT 1000000, 1000000", "accounts")
	p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "1.000"})
	eventually(t, "the position is there", func() bool {
		return strings.Contains(string(p.ask("GET", "/api/v1/positions", nil).body), `"qty":"1.000"`)
	})
	says("changed", "margin", "demo", btc, "--leverage", "20x")
	says("funding of 0.01% is paid", "funding", btc, "0.01%")
	says("2 BTC", "transfer", "demo", "BTC", "2", "--reason", "margin of inverse contracts")
	says("BTC 2, 2", "accounts", "demo")
	if code, _, errs := qcat(t, "accounts", "--addr", p.addr, "nobody"); code != 1 || !strings.Contains(errs, "no account nobody") {
		t.Errorf("an account that is not there: %d, %s", code, errs)
	}
	p.live("sim-inverse:BTCUSD")
	p.accepted(client.Order{Account: "demo", Instrument: "sim-inverse:BTCUSD", Side: "sell", Type: "market", Qty: "10"})
	if code, _, errs := qcat(t, "transfer", "--addr", p.addr, "demo", "USDT", "--reason", "x", "--", "-5000000"); code != 1 || !strings.Contains(errs, "risk.insufficient_funds") {
		t.Errorf("more than is free: %d, %s", code, errs)
	}
}
