package wire_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"testing"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// same compares JSON text and requires it to be valid.
func same(t *testing.T, got []byte, want string) {
	t.Helper()
	if !json.Valid(got) {
		t.Fatalf("not JSON: %s", got)
	}
	if string(got) != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func TestDataFrames(t *testing.T) {
	_, in := directory(t)
	head := func(ch string) []byte { return wire.AppendHead(nil, wire.ChannelPrefix(ch), 7, 100, 200) }
	b := wire.AppendTail(wire.AppendBBO(head("bbo:sim:BTCUSDT"), in,
		&wire.BBO{BidPrice: 5000001, BidQty: 1500, AskPrice: 5000002, AskQty: 1}))
	same(t, b, `{"ch":"bbo:sim:BTCUSDT","seq":7,"ets":100,"rts":200,"data":{"bp":"50000.01","bq":"1.500","ap":"50000.02","aq":"0.001"}}`)

	same(t, wire.AppendBBO(nil, in, &wire.BBO{BidPrice: 1, BidQty: 1, Stale: true}),
		`{"bp":"0.01","bq":"0.001","ap":null,"aq":null,"stale":true}`)
	same(t, wire.AppendTrade(nil, in, &wire.Trade{ID: 9, Price: 100, Qty: 20, Side: core.Sell}),
		`{"p":"1.00","q":"0.020","side":"sell","id":9}`)
	same(t, wire.AppendDepth(nil, in, true, []core.Level{{Price: 100, Qty: 1}, {Price: 99, Qty: 2}}, nil),
		`{"snapshot":true,"b":[["1.00","0.001"],["0.99","0.002"]],"a":[]}`)
	same(t, wire.AppendDepth(nil, in, false, nil, []core.Level{{Price: 100}}), `{"snapshot":false,"b":[],"a":[["1.00","0.000"]]}`)
	same(t, wire.AppendDepthStale(nil), `{"snapshot":false,"stale":true,"b":[],"a":[]}`)
	same(t, wire.AppendCandle(nil, in, &core.Candle{Open: 1, High: 3, Low: 1, Close: 2, Volume: 5, Trades: 4, OpenTime: 60}),
		`{"t":60,"o":"0.01","h":"0.03","l":"0.01","c":"0.02","v":"0.005","n":4,"closed":false}`)
	b = wire.AppendTail(append(wire.AppendPrivateHead(nil, wire.ChannelPrefix("orders"), 5, 2, 9), "{}"...))
	same(t, b, `{"ch":"orders","seq":5,"idx":2,"ets":9,"rts":9,"data":{}}`)
}

func TestOrderAndExecution(t *testing.T) {
	d, in := directory(t)
	id, _ := core.MakeClOrdID("x-1")
	o := core.Order{ID: 12, Account: 1, Strategy: 2, Instrument: in.ID, Side: core.Buy, Type: core.Limit, TIF: core.GTC,
		Status: core.StatusPartiallyFilled, Price: 10000, Qty: 3000, CumQty: 3, CumCost: core.MulInt64(10001, 3), CreateTime: 5, UpdateTime: 6, ClOrdID: id}
	same(t, wire.AppendOrder(nil, d, &o), `{"order_id":12,"client_order_id":"x-1","account":"demo","strategy":"maker","instrument":"sim:BTCUSDT",`+
		`"side":"buy","position_side":"both","type":"limit","time_in_force":"gtc","price":"100.00","qty":"3.000","cum_qty":"0.003","leaves_qty":"2.997",`+
		`"avg_price":"100.01","status":"partially_filled","reduce_only":false,"created":5,"updated":6}`)
	o.PendingCxl, o.Unknown, o.CancelOnDrop, o.Leg = true, true, true, core.LegShort
	if got := wire.AppendOrder(nil, d, &o); !json.Valid(got) || !bytes.Contains(got, []byte(`"position_side":"short"`)) ||
		!bytes.HasSuffix(got, []byte(`"updated":6,"cancel_on_disconnect":true,"pending":"cancel","unknown":true}`)) {
		t.Errorf("an unknown order: %s", got)
	}
	x := core.Execution{ID: 4, Order: 12, Account: 1, Strategy: 2, Instrument: in.ID, Side: core.Sell, Liquidity: core.Taker,
		LastPx: 10001, LastQty: 5, Fee: -12, VenueTime: 1, Time: 2, ClOrdID: id}
	same(t, wire.AppendExecution(nil, d, &x), `{"exec_id":4,"order_id":12,"client_order_id":"x-1","account":"demo","strategy":"maker",`+
		`"instrument":"sim:BTCUSDT","side":"sell","position_side":"both","price":"100.01","qty":"0.005","fee":"-0.0012",`+
		`"fee_currency":"USDT","liquidity":"taker","venue_time":1,"time":2}`)
	x.FeeIn, x.Leg = core.FeeBase, core.LegLong
	if got := wire.AppendExecution(nil, d, &x); !bytes.Contains(got, []byte(`"fee":"-0.0012","fee_currency":"BTC"`)) ||
		!bytes.Contains(got, []byte(`"position_side":"long"`)) {
		t.Errorf("a fee in the base currency: %s", got)
	}
	// Ids that no directory knows are encoded, not a crash.
	if !json.Valid(wire.AppendOrder(nil, d, &core.Order{Instrument: 99, Account: 99, Strategy: 99})) {
		t.Fatal("unknown ids")
	}
	if !json.Valid(wire.AppendPosition(nil, d, &engine.PositionState{Instrument: 99})) {
		t.Fatal("unknown position")
	}
}

// TestAverageExact holds avg_price against big.Rat.
func TestAverageExact(t *testing.T) {
	d, in := directory(t)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for range 2000 {
		o := core.Order{Instrument: in.ID}
		for range 1 + r.IntN(5) {
			p, q := 1+r.Int64N(1<<29), 1+r.Int64N(1<<30)
			o.CumCost, _ = o.CumCost.Add(core.MulInt64(p, q))
			o.CumQty += core.Qty(q)
		}
		var got struct {
			Avg string `json:"avg_price"`
		}
		if err := json.Unmarshal(wire.AppendOrder(nil, d, &o), &got); err != nil {
			t.Fatal(err)
		}
		cost := new(big.Int).Lsh(big.NewInt(o.CumCost.Hi), 64)
		cost.Add(cost, new(big.Int).SetUint64(o.CumCost.Lo))
		want := new(big.Rat).SetFrac(cost, new(big.Int).Mul(big.NewInt(int64(o.CumQty)), big.NewInt(100)))
		have, ok := new(big.Rat).SetString(got.Avg)
		diff := new(big.Rat).Sub(want, have)
		if !ok || diff.Abs(diff).Cmp(big.NewRat(1, 20_000_000_000)) > 0 {
			t.Fatalf("seed %d: avg %s, want %s", seed, got.Avg, want.FloatString(12))
		}
	}
}

func TestReasonProblem(t *testing.T) {
	d, in := directory(t)
	r := risk.Reason{Code: risk.MaxNotional, Unit: risk.UnitNotional, Limit: 10_000_000, Value: 15_000_000,
		Scope: risk.Scope{Level: risk.LevelAccount, Account: 1}}
	var got struct {
		Type, Title, Code, Detail, Limit, Value, Unit string
		Status                                        int
		Scope                                         struct{ Level, Account string }
	}
	b := wire.AppendReasonProblem(nil, d, in, &r)
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	if got.Status != 422 || got.Code != "risk.max_notional" || got.Limit != "1000.0000" || got.Value != "1500.0000" ||
		got.Unit != "notional" || got.Scope.Level != "account" || got.Scope.Account != "demo" {
		t.Fatalf("%s", b)
	}
	for code := range risk.Code(9100) {
		r.Code = code
		for level := range risk.LevelInstrument + 1 {
			r.Scope.Level = level
			if b = wire.AppendReasonProblem(b[:0], d, nil, &r); !json.Valid(b) {
				t.Fatalf("code %d: %s", code, b)
			}
		}
	}
}

func TestAppendStringIsJSON(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	for range 2000 {
		raw := make([]byte, r.IntN(12))
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		var back string
		if err := json.Unmarshal(wire.AppendString(nil, string(raw)), &back); err != nil {
			t.Fatalf("seed %d: %q: %v", seed, raw, err)
		}
		want, _ := json.Marshal(string(raw))
		var wantBack string
		if json.Unmarshal(want, &wantBack); back != wantBack {
			t.Fatalf("seed %d: %q read back as %q, want %q", seed, raw, back, wantBack)
		}
	}
}

// TestStateFrame: a trading state's reason has the same name on the WebSocket as
// over HTTP.
func TestStateFrame(t *testing.T) {
	d, _ := directory(t)
	got := string(wire.AppendState(nil, d, risk.Scope{Level: risk.LevelFirm}, risk.StateHalted, "drill"))
	if want := `{"kind":"state","scope":{"level":"firm"},"state":"halted","reason":"drill"}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
