package main

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"qcat/api/client"
	"qcat/core"
)

const btc = "sim:BTCUSDT"

// btcPrice returns a price of the demo's BTCUSDT times percent/100, on its tick.
func btcPrice(t *testing.T, price string, percent int64) string {
	t.Helper()
	v, err := core.ParseDecimal([]byte(price), 2)
	if err != nil {
		t.Fatal(err)
	}
	const tick = 10
	return core.FormatDecimal(v*percent/100/tick*tick, 2)
}

// resting is a limit order that stays in the book: 3 % below the market, within
// the demo's collar.
func (p *process) resting(id string) client.Order {
	return client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "limit", TimeInForce: "gtc",
		Price: btcPrice(p.t, p.live(btc).BidPrice, 97), Qty: "0.020", ClientOrderID: id}
}

// orders lists orders by a query.
func (p *process) orders(query string) (list []client.OrderState) {
	p.t.Helper()
	p.ask("GET", "/api/v1/orders?"+query, nil).into(p.t, &list)
	return list
}

// accepted enters an order that must be taken.
func (p *process) accepted(o client.Order) (st client.OrderState) {
	p.t.Helper()
	a := p.ask("POST", "/api/v1/orders", o)
	if a.status != http.StatusCreated {
		p.t.Fatalf("%+v: status %d, %s", o, a.status, a.body)
	}
	a.into(p.t, &st)
	return st
}

// refused enters an order that must be refused by risk, and returns why.
func (p *process) refused(o client.Order) (r client.Refusal) {
	p.t.Helper()
	a := p.ask("POST", "/api/v1/orders", o)
	if a.status != http.StatusUnprocessableEntity || a.header.Get("Content-Type") != "application/problem+json" {
		p.t.Fatalf("%+v: status %d, %s, %s", o, a.status, a.header.Get("Content-Type"), a.body)
	}
	a.into(p.t, &r)
	return r
}

func TestDemoPrintsThreeThingsThatWork(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	p.live(btc)
	text := p.stdout.String()
	for _, want := range []string{"  1. ", "  2. ", "  3. ", "http://" + p.addr} {
		if !strings.Contains(text, want) {
			t.Fatalf("no %q in:\n%s", want, text)
		}
	}
	watch := regexp.MustCompile(`(?m)^ +(\S.* watch .*)$`).FindStringSubmatch(text)
	order := regexp.MustCompile(`(?m)^ +curl -s (\S+?)(/\S*) -d '(.*)'$`).FindStringSubmatch(text)
	look := regexp.MustCompile(`(?m)^ +curl -s (\S+?)(/\S*)$`).FindStringSubmatch(text)
	halt := regexp.MustCompile(`(?m)^ +(\S.* halt .*)$`).FindStringSubmatch(text)
	resume := regexp.MustCompile(`(?m)^ +(\S.* resume .*)$`).FindStringSubmatch(text)
	if watch == nil || order == nil || look == nil || halt == nil || resume == nil {
		t.Fatalf("something to try is missing:\n%s", text)
	}

	var lines output
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "exec "+watch[1])
	cmd.Stdout = &lines
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventuallyOr(t, func() string { return "watch shows quotes and trades: " + lines.String() }, func() bool {
		return strings.Contains(lines.String(), "\tbbo:"+btc+"\t") && strings.Contains(lines.String(), "\ttrade:"+btc+"\t")
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()

	if a := p.ask("POST", order[2], order[3]); order[1] != p.addr || a.status != http.StatusCreated {
		t.Errorf("%s: status %d, %s", order[0], a.status, a.body)
	}
	eventually(t, "the position is there", func() bool {
		var held []struct{ Instrument, Qty string }
		p.ask("GET", look[2], nil).into(t, &held)
		return len(held) == 1 && held[0].Instrument == btc && held[0].Qty == "0.010"
	})

	for _, step := range []struct {
		command, says string
		status        int // of the order, sent again afterwards
	}{
		{halt[1], "the firm is halted", http.StatusUnprocessableEntity},
		{resume[1], "the firm is active", http.StatusCreated},
	} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", step.command).CombinedOutput()
		if err != nil || !strings.Contains(string(out), step.says) {
			t.Errorf("%s: %v\n%s", step.command, err, out)
		}
		if a := p.ask("POST", order[2], order[3]); a.status != step.status {
			t.Errorf("an order after %s: status %d, %s", step.command, a.status, a.body)
		}
	}
}

func TestDemoIsHealthyAndQuotesMove(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	first := map[string]quote{}
	for _, instrument := range []string{btc, "sim:ETHUSDT", "sim:SOLUSDT"} {
		first[instrument] = p.live(instrument)
	}
	status, h := p.health()
	if status != http.StatusOK || h.Status != "ok" {
		t.Errorf("health: %d, %+v", status, h)
	}
	for _, part := range []string{"engine", "market_data", "paper_venue", "feed_sim"} {
		if h.Components[part].Status != "ok" {
			t.Errorf("%s: %+v", part, h.Components[part])
		}
	}
	for instrument, was := range first {
		eventually(t, instrument+" moves", func() bool {
			q := p.quote(instrument)
			return q.Seq > was.Seq && q.BidPrice != was.BidPrice
		})
	}
	metrics := string(p.ask("GET", "/metrics", nil).body)
	for _, want := range []string{`http_requests_total{`, `http_request_duration_seconds_bucket{`, `qcat_feed_messages_total{feed="sim"}`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
}

func TestDemoOrderShowsOnTheSocket(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	p.live(btc)
	c := dial(t, p.addr)
	orders := follow[client.OrderState](t, c, "orders")
	type execution struct {
		OrderID             uint64 `json:"order_id"`
		Price, Qty, Account string
		Liquidity           string
	}
	executions := follow[execution](t, c, "executions")
	type position struct{ Account, Instrument, Qty string }
	positions := follow[position](t, c, "positions")

	st := p.accepted(client.Order{Account: "demo", Strategy: "alpha", Instrument: btc, Side: "buy", Type: "market", Qty: "0.250"})
	if st.OrderID == 0 || st.Status != "new" || st.Account != "demo" || st.Strategy != "alpha" || st.Qty != "0.250" {
		t.Errorf("accepted as %+v", st)
	}
	eventuallyOr(t, func() string { b, _ := json.Marshal(orders.all()); return "the order is filled: " + string(b) }, func() bool {
		return orders.some(func(o client.OrderState) bool {
			return o.OrderID == st.OrderID && o.Status == "filled" && o.CumQty == "0.250" && o.AvgPrice != ""
		})
	})
	eventually(t, "its execution", func() bool {
		return executions.some(func(x execution) bool {
			return x.OrderID == st.OrderID && x.Account == "demo" && x.Liquidity == "taker" && x.Price != ""
		})
	})
	eventually(t, "its position", func() bool {
		return positions.some(func(x position) bool {
			return x.Account == "demo" && x.Instrument == btc && x.Qty == "0.250"
		})
	})
	var listed []execution
	p.ask("GET", "/api/v1/executions?account=demo", nil).into(t, &listed)
	if len(listed) == 0 || listed[0].OrderID != st.OrderID {
		t.Errorf("executions over HTTP: %+v", listed)
	}
}

func TestDemoRefusals(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	market := p.live(btc)
	limit := func(price string) client.Order {
		return client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "limit", Price: price, Qty: "0.010"}
	}
	for _, tt := range []struct {
		name  string
		order client.Order
		code  string
		limit string // "*": any
		value string
		scope client.Scope
	}{
		{"wrong tick", limit(btcPrice(t, market.BidPrice, 99)[:5] + ".05"), "risk.price_tick", "0.10", btcPrice(t, market.BidPrice, 99)[:5] + ".05",
			client.Scope{Level: "venue", Instrument: btc}},
		{"too far above", limit(btcPrice(t, market.AskPrice, 103)), "risk.price_collar", "*", btcPrice(t, market.AskPrice, 103),
			client.Scope{Level: "account", Account: "demo"}},
		{"too far below", limit("1.00"), "risk.price_collar", "*", "1.00", client.Scope{Level: "venue", Instrument: btc}},
		{"too large", client.Order{Account: "demo", Instrument: btc, Side: "sell", Type: "market", Qty: "10.001"}, "risk.max_qty", "10.000", "10.001",
			client.Scope{Level: "instrument", Account: "demo", Instrument: btc}},
		{"unknown account", client.Order{Account: "nobody", Instrument: btc, Side: "sell", Type: "market", Qty: "1"}, "risk.unknown_account", "", "nobody",
			client.Scope{Level: "account", Account: "nobody"}},
		{"unknown instrument", client.Order{Account: "demo", Instrument: "sim:NOSUCH", Side: "sell", Type: "market", Qty: "1"}, "risk.unknown_instrument", "", "sim:NOSUCH",
			client.Scope{Level: "instrument", Instrument: "sim:NOSUCH"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := p.refused(tt.order)
			if r.Code != tt.code || r.Value != tt.value || (r.Limit != tt.limit && (tt.limit != "*" || r.Limit == "")) {
				t.Errorf("refused with %+v, want %s: %s against %s", r, tt.code, tt.value, tt.limit)
			}
			if r.Scope == nil || *r.Scope != tt.scope {
				t.Errorf("scope %+v, want %+v", r.Scope, tt.scope)
			}
			if r.Detail == "" {
				t.Error("nothing for a person to read")
			}
		})
	}
	if n := len(p.orders("")); n != 0 {
		t.Errorf("%d orders exist after refusals", n)
	}
}

func TestHaltAndResume(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	open := p.accepted(p.resting(""))
	flag := "--addr=" + p.addr
	code, out, errs := qcat(t, "halt", flag, "--reason", "drill")
	if code != 0 || out != "the firm is halted, open orders being cancelled: 1\n" {
		t.Fatalf("halt: %d, %q, %s", code, out, errs)
	}
	r := p.refused(p.resting(""))
	if r.Code != "risk.halted" || r.Scope == nil || r.Scope.Level != "firm" {
		t.Errorf("halted: %+v", r)
	}
	eventually(t, "the open order is cancelled", func() bool {
		return len(p.orders("status=cancelled")) == 1
	})
	if st := p.orders("")[0]; st.OrderID != open.OrderID {
		t.Errorf("cancelled %+v", st)
	}
	if code, out, errs := qcat(t, "resume", flag, "--reason", "over", "--json"); code != 0 || !strings.Contains(out, `"state":"active"`) {
		t.Fatalf("resume: %d, %q, %s", code, out, errs)
	}
	p.accepted(p.resting(""))

	// One instrument of one account, and only to reduce.
	if code, out, errs := qcat(t, "reduce", flag, "--account", "demo", "--instrument", btc, "--reason", "x"); code != 0 || !strings.Contains(out, "sim:BTCUSDT of account demo is reducing") {
		t.Fatalf("reduce: %d, %s, %s", code, out, errs)
	}
	if r := p.refused(p.resting("")); r.Code != "risk.reducing" || r.Scope.Instrument != btc {
		t.Errorf("reducing: %+v", r)
	}
	p.accepted(client.Order{Account: "demo", Instrument: "sim:ETHUSDT", Side: "buy", Type: "market", Qty: "1"})

	for name, args := range map[string][]string{
		"strategy without account": {"halt", flag, "--strategy", "alpha", "--reason", "x"},
		"no reason":                {"halt", flag},
	} {
		if code, _, errs := qcat(t, args...); code != 2 || errs == "" {
			t.Errorf("%s: exit code %d, %q", name, code, errs)
		}
	}
	if code, _, errs := qcat(t, "halt", flag, "--account", "nobody", "--reason", "x"); code != 1 || !strings.Contains(errs, "nobody") {
		t.Errorf("unknown account: %d, %q", code, errs)
	}
	if code, _, errs := qcat(t, "halt", "--addr=127.0.0.1:1", "--reason", "x"); code != 1 || !strings.Contains(errs, "127.0.0.1:1") {
		t.Errorf("no server: %d, %q", code, errs)
	}
}

// TestDemoFollowsOtherFeeds: the demo's limits name three simulated instruments;
// with fewer, the others' are left out.
func TestDemoFollowsOtherFeeds(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo", "--sim-instruments", "1")
	p.live(btc)
	if a := p.ask("POST", "/api/v1/orders", `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"market","qty":"0.010"}`); a.status != http.StatusCreated {
		t.Errorf("status %d, %s", a.status, a.body)
	}
}
