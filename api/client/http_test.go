package client_test

import (
	"encoding/json"
	"errors"
	"net"
	"testing"

	"github.com/valyala/fasthttp"

	"qcat/api/client"
	"qcat/core"
)

// TestHTTP: requests have the method, path and body of the API, answers are read,
// and problems are Refusals.
func TestHTTP(t *testing.T) {
	var seen string
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		seen = string(ctx.Method()) + " " + string(ctx.RequestURI()) + " " + string(ctx.Request.Body())
		switch string(ctx.Method()) {
		case "POST":
			ctx.SetStatusCode(201)
			ctx.SetBodyString(`{"order_id":7,"status":"new"}`)
		case "PATCH":
			ctx.SetStatusCode(422)
			ctx.SetBodyString(`{"type":"urn:qcat:problem:risk.halted","status":422,"code":"risk.halted","detail":"halted","scope":{"level":"firm"}}`)
		case "GET":
			ctx.SetStatusCode(500)
			ctx.SetBodyString(`<html>`)
		default:
			ctx.SetBodyString(`{"order_id":7,"status":"cancelled"}`)
		}
	}}
	go func() { _ = srv.Serve(ln) }()
	defer func() { _ = srv.Shutdown() }()
	h := client.NewHTTP(ln.Addr().String())
	defer h.Close()

	st, err := h.Order(client.Order{Account: "demo", Qty: "1"})
	if err != nil || st.OrderID != 7 || seen != `POST /api/v1/orders {"account":"demo","qty":"1"}` {
		t.Fatalf("%+v %v %s", st, err, seen)
	}
	var r *client.Refusal
	if _, err = h.Amend(client.Target{OrderID: 7}, "2", ""); !errors.As(err, &r) || r.Code != "risk.halted" || r.Status != 422 || r.Scope.Level != "firm" {
		t.Fatalf("%v", err)
	}
	if seen != `PATCH /api/v1/orders {"order_id":7,"price":"2"}` {
		t.Fatal(seen)
	}
	if st, err = h.Cancel(7); err != nil || st.Status != "cancelled" || seen != `DELETE /api/v1/orders?order_id=7 ` {
		t.Fatalf("%+v %v %s", st, err, seen)
	}
	if err = h.Call("GET", "instruments", nil, nil); err == nil || errors.As(err, &r) && r.Code == "" {
		t.Fatalf("a page that is no problem: %v", err)
	}
}

func message(t *testing.T, seq uint64, d client.Depth) *client.Message {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"snapshot": d.Snapshot, "stale": d.Stale, "b": d.Bids, "a": d.Asks})
	if err != nil {
		t.Fatal(err)
	}
	return &client.Message{Channel: "depth:x", Seq: seq, Data: raw}
}

func TestBookChecksItsSequence(t *testing.T) {
	b := client.NewBook()
	b.Apply(message(t, 4, client.Depth{Bids: [][2]string{{"1.0", "1"}}}))
	if b.Live() || b.Book().Len(core.Buy) != 0 {
		t.Fatal("a change before the first snapshot")
	}
	b.Apply(message(t, 5, client.Depth{Snapshot: true, Bids: [][2]string{{"10.50", "1.000"}}}))
	b.Apply(message(t, 6, client.Depth{Asks: [][2]string{{"10.60", "2.000"}}}))
	if asks := b.Book().Levels(core.Sell, nil, -1); !b.Live() || len(asks) != 1 || asks[0] != (core.Level{Price: 1060, Qty: 2000}) || b.PriceScale != 2 || b.QtyScale != 3 {
		t.Fatalf("%+v", asks)
	}
	b.Apply(message(t, 7, client.Depth{Stale: true}))
	if b.Live() {
		t.Fatal("live although the server says stale")
	}
	b.Apply(message(t, 8, client.Depth{Snapshot: true}))
	if !b.Live() || b.Book().Len(core.Buy) != 0 || b.Err() != nil {
		t.Fatal("a snapshot replaces everything")
	}
	b.Apply(message(t, 10, client.Depth{}))
	if b.Live() || !errors.Is(b.Err(), client.ErrGap) {
		t.Fatal("a gap must be noticed")
	}
}
