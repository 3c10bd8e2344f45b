package wire_test

import (
	"encoding/json"
	"testing"

	"qcat/api/wire"
)

// FuzzDecodeBatch: what is taken is what encoding/json reads, order by order, each as
// DecodeOrder takes it alone; what is refused points into the request.
func FuzzDecodeBatch(f *testing.F) {
	f.Add([]byte(`{"orders":[` + goodOrder + `,` + goodOrder + `]}`))
	f.Add([]byte(`{"orders":[]}`))
	f.Add([]byte(`{"orders":[` + goodOrder + `],"orders":[]}`))
	f.Add([]byte(` { "orders" : [ ` + goodOrder + ` ] } `))
	f.Add([]byte(`{"orders":[{"account":null}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r wire.Request
		var got []string
		e := wire.DecodeBatch(body, 4, &r, func(r *wire.Request) { got = append(got, string(r.Account)+"|"+string(r.Qty)) })
		if !e.OK() {
			if e.Pos < 0 || e.Pos > len(body) || e.Code() == "" || !json.Valid(wire.AppendErrorProblem(nil, &e)) {
				t.Fatalf("%q: error %+v", body, e)
			}
			return
		}
		var ref struct{ Orders []json.RawMessage }
		if err := json.Unmarshal(body, &ref); err != nil || len(ref.Orders) != len(got) || len(got) == 0 || len(got) > 4 {
			t.Fatalf("%q: %d orders, encoding/json reads %d, %v", body, len(got), len(ref.Orders), err)
		}
		for i, raw := range ref.Orders {
			var one wire.Request
			if e := wire.DecodeOrder(raw, &one); !e.OK() || string(one.Account)+"|"+string(one.Qty) != got[i] {
				t.Fatalf("%q: order %d is %s, alone %v", body, i, got[i], e)
			}
		}
	})
}

// FuzzDecodeAccountRequests: whatever these take, encoding/json takes too.
func FuzzDecodeAccountRequests(f *testing.F) {
	f.Add([]byte(`{"currency":"USDT","amount":"-1.5","by":"ann","reason":"x"}`))
	f.Add([]byte(`{"instrument":"sim:BTCUSDT","leverage":"5","mode":"isolated","position_mode":"hedge","amount":"1","position_side":"long"}`))
	f.Add([]byte(`{"instrument":"sim:BTCUSDT","rate":"-0.0001","price":"1.00"}`))
	f.Add([]byte(`{"account":"demo","timeout_ms":86400000}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, decode := range map[string]func([]byte, *wire.Request) wire.Error{
			"transfer": wire.DecodeTransfer, "margin": wire.DecodeMargin, "funding": wire.DecodeFunding, "countdown": wire.DecodeCountdown,
		} {
			var r wire.Request
			e := decode(body, &r)
			if !e.OK() {
				if e.Pos < 0 || e.Pos > len(body) || !json.Valid(wire.AppendErrorProblem(nil, &e)) {
					t.Fatalf("%s %q: error %+v", name, body, e)
				}
				continue
			}
			var any map[string]any
			if err := json.Unmarshal(body, &any); err != nil {
				t.Fatalf("%s %q: accepted, encoding/json says %v", name, body, err)
			}
			for field, scale := range map[wire.Field]uint8{wire.FieldAmount: 8, wire.FieldLeverage: 6, wire.FieldRate: 9} {
				if v, e := r.Scaled(field, scale); !e.OK() && v != 0 {
					t.Fatalf("%s %q: %v is %d and %v", name, body, field, v, e)
				}
			}
		}
	})
}
