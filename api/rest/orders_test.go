package rest_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"qcat/api/wire"
)

func TestOrderLife(t *testing.T) {
	s := serve(t)
	o := s.ask("POST", ordersPath, `{"account":"demo","strategy":"maker","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"99.00","qty":"0.010","client_order_id":"a"}`).ordered(201)
	if o.OrderID == 0 || o.ClientOrderID != "a" || o.Strategy != "maker" || o.Instrument != "sim:BTCUSDT" || o.TimeInForce != "gtc" ||
		o.Price == nil || *o.Price != "99.00" || o.Qty != "0.010" {
		t.Errorf("entered: %+v", o)
	}
	path := ordersPath + "/" + strconv.FormatUint(o.OrderID, 10)
	if got := s.ask("GET", path, "").ordered(200); got.OrderID != o.OrderID || got.Status != "new" {
		t.Errorf("read back: %+v", got)
	}
	if got := s.ask("PATCH", path, `{"price":"98.00"}`).ordered(200); got.OrderID != o.OrderID {
		t.Errorf("amended: %+v", got)
	}
	s.eventually("the new price", func() bool { return *s.ask("GET", path, "").ordered(200).Price == "98.00" })
	if got := s.ask("PATCH", ordersPath, `{"account":"demo","client_order_id":"a","qty":"0.020"}`).ordered(200); got.OrderID != o.OrderID {
		t.Errorf("amended by client order id: %+v", got)
	}
	s.eventually("the new quantity", func() bool { return s.ask("GET", path, "").ordered(200).Qty == "0.020" })
	if got := s.ask("DELETE", path, "").ordered(200); got.OrderID != o.OrderID {
		t.Errorf("cancelled: %+v", got)
	}
	s.eventually("the cancel", func() bool { return s.ask("GET", path, "").ordered(200).Status == "cancelled" })
	s.ask("DELETE", path, "").refused(422, "risk.order_closed")
	s.ask("PATCH", path, `{"qty":"0.030"}`).refused(422, "risk.order_closed")
}

func TestRepeatedOrder(t *testing.T) {
	s := serve(t)
	body := `{"account":"demo","instrument":"sim:BTCUSDT","side":"sell","type":"limit","price":"101.00","qty":"0.010","client_order_id":"x-1"}`
	first := s.ask("POST", ordersPath, body)
	again := s.ask("POST", ordersPath, body)
	if a, b := first.ordered(201), again.ordered(201); a.OrderID != b.OrderID {
		t.Errorf("orders %d and %d", a.OrderID, b.OrderID)
	}
	if first.header("Idempotent-Replay") != "" || again.header("Idempotent-Replay") != "true" {
		t.Errorf("replays: %q, %q", first.header("Idempotent-Replay"), again.header("Idempotent-Replay"))
	}
	if n := s.count(ordersPath); n != 1 {
		t.Errorf("%d orders", n)
	}
}

// count is how many elements the list at path has.
func (s *server) count(path string) int {
	s.t.Helper()
	var all []map[string]any
	r := s.ask("GET", path, "")
	if r.status != 200 {
		s.t.Fatalf("%s: status %d: %s", path, r.status, r.body)
	}
	r.into(&all)
	return len(all)
}

// badOrders are bodies of orders that are refused, with status and code.
var badOrders = []struct {
	name, body string
	status     int
	code       string
}{
	{"empty", ``, 400, "request.syntax"},
	{"no json", `hello`, 400, "request.syntax"},
	{"an array", `[]`, 400, "request.type"},
	{"null", `null`, 400, "request.type"},
	{"cut off", limitOrder[:40], 400, "request.syntax"},
	{"trailing garbage", limitOrder + `x`, 400, "request.trailing"},
	{"a second object", limitOrder + limitOrder, 400, "request.trailing"},
	{"nothing given", `{}`, 400, "request.missing_field"},
	{"unknown field", `{"account":"demo","iceberg":5}`, 400, "request.unknown_field"},
	{"field of another request", `{"account":"demo","order_id":5}`, 400, "request.not_applicable"},
	{"repeated field", `{"account":"demo","account":"demo"}`, 400, "request.duplicate_field"},
	{"number for a string", `{"account":5}`, 400, "request.type"},
	{"number for a decimal", `{"price":99.00}`, 400, "request.type"},
	{"string for a bool", `{"reduce_only":"true"}`, 400, "request.type"},
	{"object for a string", `{"account":{"name":"demo"}}`, 400, "request.type"},
	{"deep nesting", `{"account":` + strings.Repeat("[", 2000) + `}`, 400, "request.type"},
	{"deep nesting of unknown", `{"x":` + strings.Repeat("[", 2000) + `}`, 400, "request.unknown_field"},
	{"escape", `{"account":"de\u006do"}`, 400, "request.escape"},
	{"side", strings.Replace(limitOrder, "buy", "up", 1), 400, "request.value"},
	{"limit without price", `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"limit","qty":"0.010"}`, 400, "request.missing_field"},
	{"market with price", strings.Replace(limitOrder, `"limit"`, `"market"`, 1), 400, "request.not_applicable"},
	{"long client order id", strings.Replace(limitOrder, `{`, `{"client_order_id":"`+strings.Repeat("a", 37)+`",`, 1), 400, "request.too_long"},
	{"negative", strings.Replace(limitOrder, "99.00", "-99.00", 1), 400, "request.range"},
	{"no number", strings.Replace(limitOrder, "99.00", "NaN", 1), 400, "request.value"},
	{"zero", strings.Replace(limitOrder, "0.010", "0", 1), 400, "request.range"},
	{"huge", strings.Replace(limitOrder, "99.00", "99999999999999999999", 1), 400, "request.range"},
	{"too large for an order", `{"account":"` + strings.Repeat("a", wire.MaxOrderBytes) + `"}`, 413, "request.too_large"},
	{"off the tick", strings.Replace(limitOrder, "99.00", "99.001", 1), 422, "risk.price_tick"},
	{"too much", strings.Replace(limitOrder, "0.010", "100.001", 1), 422, "risk.max_qty"},
	{"unknown account", strings.Replace(limitOrder, "demo", "nobody", 1), 422, "risk.unknown_account"},
	{"unknown instrument", strings.Replace(limitOrder, "BTC", "DOGE", 1), 422, "risk.unknown_instrument"},
	{"unknown strategy", strings.Replace(limitOrder, `{`, `{"strategy":"nope",`, 1), 422, "risk.unknown_strategy"},
}

func TestBadOrders(t *testing.T) {
	s := serve(t)
	for _, path := range []string{ordersPath, ordersPath + "/check"} {
		for _, c := range badOrders {
			t.Run(strings.TrimPrefix(path, "/api/v1/")+"/"+c.name, func(t *testing.T) {
				r := s.ask("POST", path, c.body)
				r.t = t
				r.refused(c.status, c.code)
			})
		}
	}
	if n := s.count(ordersPath); n != 0 {
		t.Errorf("%d orders were made of bad ones", n)
	}
	p := s.ask("POST", ordersPath, strings.Replace(limitOrder, "0.010", "100.001", 1)).refused(422, "risk.max_qty")
	if p.Limit != "100.000" || p.Value != "100.001" || p.Unit != "qty" || p.Scope["level"] != "instrument" || p.Scope["account"] != "demo" || p.Scope["instrument"] != "sim:BTCUSDT" {
		t.Errorf("refusal: %+v", p)
	}
	s.ask("POST", ordersPath, limitOrder).ordered(201)
}

func TestAnyContentType(t *testing.T) {
	s := serve(t)
	for _, kind := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", ";;;"} {
		s.ask("POST", ordersPath, limitOrder, "Content-Type: "+kind).ordered(201)
	}
}

func TestCheckSendsNothing(t *testing.T) {
	s := serve(t)
	if o := s.ask("POST", ordersPath+"/check", limitOrder).ordered(200); o.OrderID != 0 || o.Qty != "0.010" {
		t.Errorf("checked: %+v", o)
	}
	p := s.ask("POST", ordersPath+"/check", strings.Replace(limitOrder, "0.010", "100.001", 1)).refused(422, "risk.max_qty")
	if len(p.Refusals) != 1 || p.Refusals[0].Code != "risk.max_qty" {
		t.Errorf("refusals: %+v", p.Refusals)
	}
	if n := s.count(ordersPath); n != 0 {
		t.Errorf("%d orders", n)
	}
}

func TestBadTargets(t *testing.T) {
	s := serve(t)
	id := s.ask("POST", ordersPath, limitOrder).ordered(201).OrderID
	path := fmt.Sprintf("%s/%d", ordersPath, id)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", ordersPath + "/99", "", 404, "risk.unknown_order"},
		{"GET", ordersPath + "/0", "", 404, "risk.unknown_order"},
		{"GET", ordersPath + "/abc", "", 404, "risk.unknown_order"},
		{"GET", ordersPath + "/-1", "", 404, "risk.unknown_order"},
		{"GET", ordersPath + "/99999999999999999999", "", 404, "risk.unknown_order"},
		{"DELETE", ordersPath + "/99", "", 404, "risk.unknown_order"},
		{"DELETE", ordersPath + "/abc", "", 400, "request.path"},
		{"DELETE", path, `{"order_id":99}`, 400, "request.path"},
		{"DELETE", path, `{"account":"nobody"}`, 422, "risk.unknown_account"},
		{"DELETE", path, `{"account":"other"}`, 404, "risk.unknown_order"},
		{"DELETE", path, `{"price":"1.00"}`, 400, "request.not_applicable"},
		{"DELETE", path + "?account=other", "", 400, "request.query"},
		{"PATCH", ordersPath + "/99", `{"qty":"1.000"}`, 404, "risk.unknown_order"},
		{"PATCH", path, ``, 400, "request.missing_field"},
		{"PATCH", path, `{"qty":1}`, 400, "request.type"},
		{"PATCH", path, `{"price":"99.001"}`, 422, "risk.price_tick"},
		{"PATCH", path, `{"qty":"100.001"}`, 422, "risk.max_qty"},
		{"PATCH", path, `{"account":"other","qty":"1.000"}`, 404, "risk.unknown_order"},
		{"PATCH", path, `{"account":"nobody","qty":"1.000"}`, 422, "risk.unknown_account"},
		{"PATCH", path + "?qty=1.000", `{"qty":"1.000"}`, 400, "request.query"},
		{"PATCH", ordersPath, `{"qty":"1.000"}`, 400, "request.missing_field"},
		{"PATCH", ordersPath, `{"client_order_id":"a","qty":"1.000"}`, 400, "request.missing_field"},
		{"PATCH", ordersPath, `{"account":"nobody","client_order_id":"a","qty":"1.000"}`, 422, "risk.unknown_account"},
		{"PATCH", ordersPath, `{"account":"demo","client_order_id":"a","qty":"1.000"}`, 404, "risk.unknown_order"},
		{"POST", ordersPath + "?account=demo", limitOrder, 400, "request.query"},
	} {
		t.Run(c.method+" "+c.path+" "+c.body, func(t *testing.T) {
			r := s.ask(c.method, c.path, c.body)
			r.t = t
			r.refused(c.status, c.code)
		})
	}
	if o := s.ask("GET", path, "").ordered(200); o.Status != "new" {
		t.Errorf("the order is %+v", o)
	}
}

// TestCancelMany also holds that what cannot be meant never cancels everything.
func TestCancelMany(t *testing.T) {
	s := serve(t)
	enter := func(account, symbol, id string) {
		body := strings.NewReplacer("demo", account, "BTCUSDT", symbol, "{", `{"client_order_id":"`+id+`",`).Replace(limitOrder)
		s.ask("POST", ordersPath, body).ordered(201)
	}
	enter("demo", "BTCUSDT", "1")
	enter("demo", "ETHUSDT", "2")
	enter("demo", "ETHUSDT", "3")
	enter("other", "ETHUSDT", "4")
	enter("other", "BTCUSDT", "5")
	for _, c := range []struct{ query, body, code string }{
		{"?acount=demo", "", "request.unknown_field"},
		{"?account=", "", "request.value"},
		{"?account=demo&account=other", "", "request.duplicate_field"},
		{"?strategy=default", "", "request.missing_field"},
		{"?order_id=", "", "request.type"},
		{"?order_id=abc", "", "request.type"},
		{"?order_id=1&strategy=default", "", "request.not_applicable"},
		{"?client_order_id=1", "", "request.missing_field"},
		{"?account=%22", "", "request.escape"},
		{"?account=demo", `{}`, "request.query"},
		{"?account=demo", `{"account":"other"}`, "request.query"},
		{"", `{"accounts":"demo"}`, "request.unknown_field"},
		{"", `[]`, "request.type"},
	} {
		s.ask("DELETE", ordersPath+c.query, c.body).refused(400, c.code)
	}
	s.ask("DELETE", ordersPath+"?account=nobody", "").refused(422, "risk.unknown_account")
	if n := s.count(ordersPath + "?status=open"); n != 5 {
		t.Fatalf("%d orders are open, want 5", n)
	}
	for _, c := range []struct{ query, body, want string }{
		{"?account=demo&instrument=sim:BTCUSDT", "", `{"cancelled":1}`},
		{"?account=demo&strategy=default&instrument=sim%3AETHUSDT", "", `{"cancelled":2}`},
		{"", `{"account":"demo"}`, `{"cancelled":0}`},
		{"?", "", `{"cancelled":2}`},
	} {
		if c.query == "?" {
			o := s.ask("DELETE", ordersPath+"?account=other&client_order_id=4", "").ordered(200)
			if o.ClientOrderID != "4" {
				t.Errorf("cancelled %+v", o)
			}
			c.want = `{"cancelled":1}`
		}
		if r := s.ask("DELETE", ordersPath+c.query, c.body); r.status != 200 || r.body != c.want {
			t.Errorf("%s %s: %d %s, want %s", c.query, c.body, r.status, r.body, c.want)
		}
	}
}

// TestOwnWrites reads after each write what was written, from several clients.
func TestOwnWrites(t *testing.T) {
	s := serve(t)
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() {
			for i := range 25 {
				id := fmt.Sprintf("c%d-%d", client, i)
				o := s.ask("POST", ordersPath, strings.Replace(limitOrder, "{", `{"client_order_id":"`+id+`",`, 1)).ordered(201)
				if n := s.count(ordersPath + "?account=demo&client_order_id=" + id); n != 1 {
					t.Errorf("%s: %d orders right after the answer", id, n)
				}
				if o.ClientOrderID != id {
					t.Errorf("%s got the answer of %s", id, o.ClientOrderID)
				}
			}
		})
	}
	wg.Wait()
	if n := s.count(ordersPath + "?limit=1000"); n != 200 {
		t.Errorf("%d orders of 200", n)
	}
	if n := s.engine.registered.Load(); n > 16 {
		t.Errorf("%d reply sinks for 8 clients", n)
	}
}
