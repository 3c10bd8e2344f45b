package rest_test

import (
	"fmt"
	"strings"
	"testing"
)

type wallet struct {
	Currency, Balance, Free, Isolated string
}

type account struct {
	Account      string
	PositionMode string `json:"position_mode"`
	Equity       *string
	Wallets      []wallet
}

func (s *server) account(name string) account {
	s.t.Helper()
	var all []account
	s.ask("GET", "/api/v1/accounts?account="+name, "").into(&all)
	if len(all) != 1 {
		s.t.Fatalf("%d accounts %q", len(all), name)
	}
	return all[0]
}

// TestTransfers: money comes in and goes out as far as it is free, and the client that
// was answered sees it.
func TestTransfers(t *testing.T) {
	s := serve(t)
	const path = "/api/v1/accounts/demo/transfers"
	if r := s.ask("POST", path, `{"currency":"USDT","amount":"1000.5","by":"ann","reason":"seed"}`); r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := s.ask("POST", path, `{"currency":"USDT","amount":"-0.50000001"}`); r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	a := s.account("demo")
	if len(a.Wallets) != 1 || a.Wallets[0] != (wallet{"USDT", "999.99999999", "999.99999999", "0.00000000"}) || a.Equity == nil || *a.Equity != "999.99999999" {
		t.Errorf("%+v", a)
	}
	p := s.ask("POST", path, `{"currency":"USDT","amount":"-1000"}`).refused(422, "risk.insufficient_funds")
	if p.Limit != "999.99999999" || p.Value != "1000.00000000" || p.Unit != "amount" {
		t.Errorf("%+v", p)
	}
	for body, code := range map[string]string{
		`{"currency":"USDT"}`:                                         "request.missing_field",
		`{"currency":"USDT","amount":1}`:                              "request.type",
		`{"currency":"USDT","amount":"1e3"}`:                          "request.value",
		`{"currency":"USDT","amount":"0.000000001"}`:                  "request.precision",
		`{"currency":"USDT","amount":"99999999999999"}`:               "request.range",
		`{"currency":"","amount":"1"}`:                                "request.value",
		`{"currency":"` + strings.Repeat("x", 65) + `","amount":"1"}`: "request.too_long",
		`{"currency":"USDT","amount":"1","account":"demo"}`:           "request.not_applicable",
	} {
		s.ask("POST", path, body).refused(400, code)
	}
	s.ask("POST", path, `{"currency":"USDT","amount":"0"}`).refused(422, "risk.invalid_setting")
	s.ask("POST", "/api/v1/accounts/nobody/transfers", `{"currency":"USDT","amount":"1"}`).refused(422, "risk.unknown_account")
	s.ask("POST", "/api/v1/accounts//transfers", `{"currency":"USDT","amount":"1"}`).refused(404, "not_found")
	s.ask("GET", path, "").refused(405, "http.method")
	if got := s.account("demo"); got.Wallets[0].Balance != "999.99999999" {
		t.Errorf("refused transfers moved money: %+v", got)
	}
}

// TestMarginSettings: each setting alone and together, and what is refused.
func TestMarginSettings(t *testing.T) {
	s := serve(t)
	const path = "/api/v1/accounts/demo/margin"
	for _, body := range []string{
		`{"instrument":"sim:BTCUSDT","leverage":"5"}`,
		`{"instrument":"sim:BTCUSDT","mode":"isolated","leverage":"2.5","by":"ann"}`,
		`{"position_mode":"hedge"}`,
	} {
		if r := s.ask("PUT", path, body); r.status != 200 {
			t.Fatalf("%s: %d %s", body, r.status, r.body)
		}
	}
	if a := s.account("demo"); a.PositionMode != "hedge" {
		t.Errorf("%+v", a)
	}
	for body, code := range map[string]string{
		`{}`:                           "request.missing_field",
		`{"leverage":"5"}`:             "request.missing_field",
		`{"instrument":"sim:BTCUSDT"}`: "request.missing_field",
		`{"position_mode":"both"}`:     "request.value",
		`{"instrument":"sim:BTCUSDT","mode":"shared"}`: "request.value",
		`{"instrument":"sim:BTCUSDT","leverage":5}`:    "request.type",
	} {
		s.ask("PUT", path, body).refused(400, code)
	}
	s.ask("PUT", path, `{"instrument":"sim:NOTHING","leverage":"5"}`).refused(422, "risk.unknown_instrument")
	s.ask("PUT", path, `{"instrument":"sim:BTCUSDT","leverage":"0"}`).refused(422, "risk.invalid_setting")
}

// TestPositionsHaveMargin: a position tells its account's leverage and margin.
func TestPositionsHaveMargin(t *testing.T) {
	s := serve(t)
	s.ask("POST", "/api/v1/accounts/demo/transfers", `{"currency":"USDT","amount":"100"}`)
	s.ask("POST", ordersPath, `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"market","qty":"0.500"}`).ordered(201)
	var held []struct {
		PositionSide string  `json:"position_side"`
		MarginMode   *string `json:"margin_mode"`
		Leverage     *string
		Initial      *string `json:"initial_margin"`
		Apart        *string `json:"isolated_margin"`
	}
	s.eventually("the fill", func() bool {
		s.ask("GET", "/api/v1/positions?open=true", "").into(&held)
		return len(held) == 1
	})
	if p := held[0]; p.PositionSide != "both" || p.MarginMode == nil || *p.MarginMode != "cross" || p.Leverage == nil || p.Initial == nil || p.Apart != nil {
		t.Errorf("%+v", p)
	}
	if r := s.ask("POST", "/api/v1/funding", `{"instrument":"sim:BTCUSDT","rate":"0.0001","price":"100.00"}`); r.status != 201 {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.ask("POST", "/api/v1/funding", `{"instrument":"sim:BTCUSDT"}`).refused(400, "request.missing_field")
	s.ask("POST", "/api/v1/funding", `{"instrument":"sim:NOTHING","rate":"0.1"}`).refused(422, "risk.unknown_instrument")
}

// TestIsolatedPositionHasItsMargin: it tells what is set aside for it, which is what its
// account has in isolated positions.
func TestIsolatedPositionHasItsMargin(t *testing.T) {
	s := serve(t)
	s.ask("POST", "/api/v1/accounts/demo/transfers", `{"currency":"USDT","amount":"100"}`)
	if r := s.ask("PUT", "/api/v1/accounts/demo/margin", `{"instrument":"sim:BTCUSDT","mode":"isolated"}`); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	s.ask("POST", ordersPath, `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"market","qty":"0.500"}`).ordered(201)
	var held []struct {
		MarginMode string `json:"margin_mode"`
		Apart      string `json:"isolated_margin"`
	}
	s.eventually("the fill", func() bool {
		s.ask("GET", "/api/v1/positions?open=true", "").into(&held)
		return len(held) == 1
	})
	got := s.account("demo").Wallets[0].Isolated
	if p := held[0]; p.MarginMode != "isolated" || p.Apart != got || got == "" || strings.Trim(got, "0.") == "" {
		t.Errorf("%+v, and the account has %q in isolated positions", p, got)
	}
}

// TestCountdownsAreListed: those that are armed, the one that fires first before the others.
func TestCountdownsAreListed(t *testing.T) {
	s := serve(t)
	const path, list = ordersPath + "/countdown", "/api/v1/risk/countdowns"
	arm := func(body string) int64 {
		var got struct{ Deadline int64 }
		s.ask("POST", path, body).into(&got)
		return got.Deadline
	}
	later := arm(`{"timeout_ms":120000}`)
	sooner := arm(`{"account":"demo","timeout_ms":60000}`)
	node := func(scope string, ms, ends int64) string {
		return fmt.Sprintf(`{"scope":%s,"timeout_ms":%d,"deadline":%d}`, scope, ms, ends)
	}
	firm, demo := node(`{"level":"firm"}`, 120_000, later), node(`{"level":"account","account":"demo"}`, 60_000, sooner)
	for _, c := range []struct{ query, want string }{
		{"", demo + "," + firm},
		{"?account=demo", demo},
		{"?account=nobody", ""},
		{"?instrument=sim:BTCUSDT", ""},
	} {
		if r := s.ask("GET", list+c.query, ""); r.status != 200 || !strings.HasSuffix(r.body, `,"countdowns":[`+c.want+`]}`) {
			t.Errorf("%s: %d %s, want %s", c.query, r.status, r.body, c.want)
		}
	}
	renewed := arm(`{"account":"demo","timeout_ms":240000}`)
	if r := s.ask("GET", list, ""); !strings.HasSuffix(r.body, `[`+firm+","+node(`{"level":"account","account":"demo"}`, 240_000, renewed)+`]}`) {
		t.Errorf("once one is renewed: %s", r.body)
	}
	arm(`{"timeout_ms":0}`)
	arm(`{"account":"demo","timeout_ms":0}`)
	if r := s.ask("GET", list, ""); !strings.HasSuffix(r.body, `,"countdowns":[]}`) {
		t.Errorf("none is armed: %s", r.body)
	}
	s.ask("GET", list+"?limit=1", "").refused(400, "request.query")
}

// TestCountdown: it answers with its end; 0 disarms.
func TestCountdown(t *testing.T) {
	s := serve(t)
	const path = ordersPath + "/countdown"
	var got struct{ Deadline *int64 }
	if s.ask("POST", path, `{"account":"demo","timeout_ms":60000}`).into(&got); got.Deadline == nil || *got.Deadline < 60e9 {
		t.Errorf("%+v", got)
	}
	got.Deadline = nil
	if r := s.ask("POST", path, `{"account":"demo","timeout_ms":0}`); r.status != 200 || r.body != `{"deadline":null}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.ask("POST", path, `{"account":"demo"}`).refused(400, "request.missing_field")
	s.ask("POST", path, `{"account":"nobody","timeout_ms":1}`).refused(422, "risk.unknown_account")
}
