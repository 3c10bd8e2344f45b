package main

import (
	"net/http"
	"slices"
	"strconv"
	"testing"

	"qcat/api/client"
)

// TestClientOrderIDIsIdempotent sends the same order twice: one order, one answer.
func TestClientOrderIDIsIdempotent(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	p.live(btc)
	o := client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.100", ClientOrderID: "a1"}
	first := p.accepted(o)
	var held []struct{ Qty string }
	eventually(t, "the order is filled", func() bool {
		p.ask("GET", "/api/v1/positions", nil).into(t, &held)
		return len(held) == 1 && held[0].Qty == "0.100"
	})
	for range 3 {
		a := p.ask("POST", "/api/v1/orders", o)
		var again client.OrderState
		a.into(t, &again)
		if a.status != http.StatusCreated || again.OrderID != first.OrderID || a.header.Get("Idempotent-Replay") != "true" {
			t.Errorf("again: status %d, %+v", a.status, again)
		}
	}
	o.Qty = "0.200"
	if r := p.refused(o); r.Code != "risk.duplicate_order" {
		t.Errorf("other content: %+v", r)
	}
	if list := p.orders("account=demo&client_order_id=a1"); len(list) != 1 || list[0].Qty != "0.100" {
		t.Errorf("orders: %+v", list)
	}
	// What is true now stays true once everything sent has been carried out.
	o.Qty, o.ClientOrderID = "0.300", "a2"
	p.accepted(o)
	eventually(t, "the second order is filled", func() bool {
		p.ask("GET", "/api/v1/positions", nil).into(t, &held)
		return held[0].Qty != "0.100"
	})
	if held[0].Qty != "0.400" {
		t.Errorf("position %s, want 0.400: a repeated order was sent", held[0].Qty)
	}
}

// TestOrderCheckSendsNothing asks what would become of orders.
func TestOrderCheckSendsNothing(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	good := p.resting("")
	if a := p.ask("POST", "/api/v1/orders/check", good); a.status != http.StatusOK {
		t.Errorf("good order: %d, %s", a.status, a.body)
	}
	bad := good
	bad.Price, bad.Qty = "1.05", "11"
	a := p.ask("POST", "/api/v1/orders/check", bad)
	var r struct {
		Code     string
		Refusals []client.Refusal
	}
	a.into(t, &r)
	var codes []string
	for _, one := range r.Refusals {
		codes = append(codes, one.Code)
	}
	for _, want := range []string{"risk.price_tick", "risk.price_collar", "risk.max_qty"} {
		if !slices.Contains(codes, want) {
			t.Errorf("no %s in %v", want, codes)
		}
	}
	if got := p.refused(bad); a.status != http.StatusUnprocessableEntity || r.Code != got.Code {
		t.Errorf("check answers %d %s, the order itself %s", a.status, r.Code, got.Code)
	}
	if list := p.orders(""); len(list) != 0 {
		t.Errorf("orders: %+v", list)
	}
}

func TestAmendAndCancel(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	path := func(id uint64) string { return "/api/v1/orders/" + strconv.FormatUint(id, 10) }
	is := func(id uint64, cond func(client.OrderState) bool) func() bool {
		return func() bool {
			var st client.OrderState
			p.ask("GET", path(id), nil).into(t, &st)
			return cond(st)
		}
	}
	o := p.resting("r1")
	st := p.accepted(o)
	price := btcPrice(t, o.Price, 99)
	if a := p.ask("PATCH", path(st.OrderID), map[string]string{"price": price, "qty": "0.030"}); a.status != http.StatusOK {
		t.Fatalf("amend: %d, %s", a.status, a.body)
	}
	eventually(t, "the amend is confirmed", is(st.OrderID, func(o client.OrderState) bool {
		return o.Price == price && o.Qty == "0.030" && o.Pending == "" && o.Status == "new"
	}))
	a := p.ask("PATCH", "/api/v1/orders", map[string]string{"account": "demo", "client_order_id": "r1", "qty": "11"})
	var r client.Refusal
	a.into(t, &r)
	if a.status != http.StatusUnprocessableEntity || r.Code != "risk.max_qty" {
		t.Errorf("amend beyond a limit: %d, %s", a.status, a.body)
	}
	if a := p.ask("DELETE", path(st.OrderID), nil); a.status != http.StatusOK {
		t.Fatalf("cancel: %d, %s", a.status, a.body)
	}
	cancelled := func(o client.OrderState) bool { return o.Status == "cancelled" && o.LeavesQty == "0.000" }
	eventually(t, "the order is cancelled", is(st.OrderID, cancelled))
	if a := p.ask("DELETE", path(st.OrderID), nil); a.status != http.StatusUnprocessableEntity {
		t.Errorf("cancel of a cancelled order: %d, %s", a.status, a.body)
	}
	if a := p.ask("DELETE", path(99), nil); a.status != http.StatusNotFound {
		t.Errorf("cancel of no order: %d, %s", a.status, a.body)
	}

	first, second := p.accepted(p.resting("")), p.accepted(p.resting(""))
	a = p.ask("DELETE", "/api/v1/orders?account=demo", nil)
	var all struct{ Cancelled int }
	a.into(t, &all)
	if a.status != http.StatusOK || all.Cancelled != 2 {
		t.Errorf("cancel all: %d, %s", a.status, a.body)
	}
	eventually(t, "the first is cancelled", is(first.OrderID, cancelled))
	eventually(t, "the second is cancelled", is(second.OrderID, cancelled))
}
