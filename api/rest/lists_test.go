package rest_test

import (
	"fmt"
	"strings"
	"testing"
)

// filled returns a server with a position, an open order of each account and a
// halted instrument.
func filled(t *testing.T) *server {
	s := serve(t)
	s.ask("POST", ordersPath, `{"account":"demo","strategy":"maker","instrument":"sim:BTCUSDT","side":"buy","type":"market","qty":"0.500","client_order_id":"m"}`).ordered(201)
	s.ask("POST", ordersPath, strings.Replace(limitOrder, "{", `{"client_order_id":"d",`, 1)).ordered(201)
	s.ask("POST", ordersPath, `{"account":"other","instrument":"sim:ETHUSDT","side":"sell","type":"limit","price":"101.00","qty":"1.000","client_order_id":"o"}`).ordered(201)
	s.eventually("the fill", func() bool { return s.count("/api/v1/executions") == 1 })
	if r := s.ask("POST", "/api/v1/risk/state", `{"scope":"instrument","instrument":"sim:ETHUSDT","state":"halted","reason":"drill","cancel_open":true}`); r.status != 200 || r.body != `{"cancelled":1}` {
		t.Fatalf("halt: %d %s", r.status, r.body)
	}
	return s
}

func TestLists(t *testing.T) {
	s := filled(t)
	for path, want := range map[string]int{
		"orders":                                3,
		"orders?limit=2":                        2,
		"orders?account=demo":                   2,
		"orders?account=demo&strategy=maker":    1,
		"orders?account=demo&strategy=nope":     0,
		"orders?account=nobody":                 0,
		"orders?account=nobody&strategy=maker":  0,
		"orders?instrument=sim:BTCUSDT":         2,
		"orders?instrument=sim%3ADOGE":          0,
		"orders?side=sell":                      1,
		"orders?status=filled":                  1,
		"orders?client_order_id=o":              1,
		"orders?account=demo&client_order_id=o": 0,
		"orders?order_id=1":                     1,
		"orders?order_id=1&side=sell":           0,
		"orders?order_id=99":                    0,
		"executions":                            1,
		"executions?order_id=1":                 1,
		"executions?order_id=2":                 0,
		"executions?account=demo&strategy=maker&instrument=sim:BTCUSDT": 1,
		"executions?account=other":                                      0,
		"positions":                                                     1,
		"positions?open=true":                                           1,
		"positions?open=false":                                          1,
		"positions?account=other":                                       0,
		"accounts":                                                      2,
		"accounts?account=demo":                                         1,
		"accounts?account=nobody":                                       0,
		"strategies":                                                    3,
		"strategies?account=demo":                                       2,
		"instruments":                                                   2,
		"instruments?venue=sim":                                         2,
		"instruments?venue=moon":                                        0,
		"instruments?instrument=sim:ETHUSDT":                            1,
		"quotes":                                                        2,
		"quotes?instrument=sim:ETHUSDT":                                 1,
		"quotes?instrument=sim:DOGE":                                    0,
		"risk/state":                                                    1,
		"trades/sim:BTCUSDT":                                            3,
		"candles/sim:BTCUSDT?limit=1":                                   1,
	} {
		if n := s.count("/api/v1/" + path); n != want {
			t.Errorf("%s: %d elements, want %d", path, n, want)
		}
	}
}

func TestBadQueries(t *testing.T) {
	s := serve(t)
	for _, path := range []string{
		"orders?acount=demo", "orders?account=", "orders?account", "orders?account=demo&account=other", "orders?=x",
		"orders?side=up", "orders?status=odd", "orders?limit=0", "orders?limit=-1", "orders?limit=10001", "orders?limit=x", "orders?order_id=0",
		"orders?order_id=x", "orders?strategy=maker", "orders?client_order_id=" + strings.Repeat("a", 37),
		"orders?client_order_id=%22", "orders/1?account=demo",
		"executions?status=open", "executions?strategy=maker", "positions?open=yes", "positions?limit=1",
		"accounts?limit=1", "strategies?strategy=maker", "instruments?symbol=x", "quotes?venue=sim",
		"risk/limits?scope=firm", "risk/limits?strategy=maker", "risk/exposure?limit=1001", "risk/state?scope=firm",
		"book/sim:BTCUSDT?depth=", "book/sim:BTCUSDT?limit=5", "trades/sim:BTCUSDT?limit=1&limit=2",
	} {
		t.Run(path, func(t *testing.T) {
			r := s.ask("GET", "/api/v1/"+path, "")
			r.t = t
			r.refused(400, "request.query")
		})
	}
}

func TestRiskLists(t *testing.T) {
	s := filled(t)
	var limits struct {
		Limits    []struct{ Scope map[string]string }
		Effective []map[string]any
	}
	for query, want := range map[string][2]int{
		"":                                     {1, 0},
		"?account=demo":                        {1, 0},
		"?account=other":                       {0, 0},
		"?instrument=sim:ETHUSDT":              {0, 0},
		"?account=demo&instrument=sim:BTCUSDT": {1, 1},
		"?account=nobody":                      {0, 0},
	} {
		limits.Limits, limits.Effective = nil, nil
		s.ask("GET", "/api/v1/risk/limits"+query, "").into(&limits)
		if got := [2]int{len(limits.Limits), len(limits.Effective)}; got != want {
			t.Errorf("limits%s: %d limits and %d effective, want %d", query, got[0], got[1], want)
		}
	}
	var exposure struct {
		Seq    uint64
		Scopes []map[string]any
	}
	s.ask("GET", "/api/v1/risk/exposure?account=demo&strategy=maker&instrument=sim:BTCUSDT", "").into(&exposure)
	if exposure.Seq == 0 || len(exposure.Scopes) != 1 {
		t.Errorf("exposure: %+v", exposure)
	}
	s.ask("GET", "/api/v1/risk/exposure?account=nobody", "").into(&exposure)
	if len(exposure.Scopes) != 0 {
		t.Errorf("exposure of nobody: %+v", exposure)
	}
}

func TestState(t *testing.T) {
	s := serve(t)
	const path = "/api/v1/risk/state"
	for _, c := range []struct {
		body   string
		status int
		code   string
	}{
		{``, 400, "request.syntax"},
		{`{"scope":"firm"}`, 400, "request.missing_field"},
		{`{"scope":"moon","state":"halted"}`, 400, "request.value"},
		{`{"scope":"firm","state":"off"}`, 400, "request.value"},
		{`{"scope":"firm","account":"demo","state":"halted"}`, 400, "request.not_applicable"},
		{`{"scope":"account","state":"halted"}`, 400, "request.missing_field"},
		{`{"scope":"account","account":"nobody","state":"halted"}`, 422, "risk.unknown_account"},
		{`{"scope":"firm","state":"halted","reason":"` + strings.Repeat("a", 65) + `"}`, 400, "request.too_long"},
	} {
		s.ask("POST", path, c.body).refused(c.status, c.code)
	}
	s.ask("POST", path+"?scope=firm", `{"scope":"firm","state":"halted"}`).refused(400, "request.query")
	s.ask("POST", ordersPath, limitOrder).ordered(201)
	if r := s.ask("POST", path, `{"scope":"account","account":"demo","state":"halted","reason":"drill","cancel_open":true}`); r.status != 200 || r.body != `{"cancelled":1}` {
		t.Errorf("halt: %d %s", r.status, r.body)
	}
	s.ask("POST", ordersPath, limitOrder).refused(422, "risk.halted")
	s.ask("POST", ordersPath+"/check", limitOrder).refused(422, "risk.halted")
	if r := s.ask("GET", path, ""); !strings.Contains(r.body, `"state":"halted"`) || !strings.Contains(r.body, "drill") {
		t.Errorf("states: %s", r.body)
	}
	if r := s.ask("POST", path, `{"scope":"account","account":"demo","state":"active"}`); r.status != 200 {
		t.Errorf("resume: %d %s", r.status, r.body)
	}
	s.ask("POST", ordersPath, limitOrder).ordered(201)
}

// TestNothingIsKept sends requests whose bytes the server overwrites at once, and
// looks whether what it shows later is still what was said.
func TestNothingIsKept(t *testing.T) {
	s := serve(t)
	for i := range 50 {
		id := fmt.Sprintf("order-%02d", i)
		s.ask("POST", ordersPath, strings.Replace(limitOrder, "{", `{"client_order_id":"`+id+`",`, 1)).ordered(201)
		reason := fmt.Sprintf("reason-%02d", i)
		s.ask("POST", "/api/v1/risk/state", `{"scope":"account","account":"other","state":"reducing","reason":"`+reason+`"}`)
		s.ask("POST", ordersPath, strings.Repeat("x", 400)).refused(400, "request.syntax")
		if r := s.ask("GET", "/api/v1/risk/state", ""); !strings.Contains(r.body, reason) {
			t.Fatalf("the state says %s, not %s", r.body, reason)
		}
	}
	var all []order
	s.ask("GET", ordersPath, "").into(&all)
	for i, o := range all {
		if want := fmt.Sprintf("order-%02d", len(all)-1-i); o.ClientOrderID != want {
			t.Errorf("order %d is called %q, not %q", i, o.ClientOrderID, want)
		}
	}
}
