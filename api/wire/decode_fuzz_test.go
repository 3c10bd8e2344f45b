package wire_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"qcat/api/wire"
)

// reference is an order as encoding/json reads it.
type reference struct {
	Account       *string `json:"account"`
	Strategy      *string `json:"strategy"`
	Instrument    *string `json:"instrument"`
	Side          *string `json:"side"`
	Type          *string `json:"type"`
	TimeInForce   *string `json:"time_in_force"`
	Price         *string `json:"price"`
	Qty           *string `json:"qty"`
	ClientOrderID *string `json:"client_order_id"`
	ReduceOnly    *bool   `json:"reduce_only"`
	ExpireTime    *int64  `json:"expire_time"`
	PositionSide  *string `json:"position_side"`
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// FuzzDecodeOrder: whatever is accepted, encoding/json accepts and reads as the
// same; whatever encoding/json does not accept is refused; nothing panics, and a
// refusal points into the request.
func FuzzDecodeOrder(f *testing.F) {
	f.Add([]byte(goodOrder))
	f.Add([]byte(`{"account":null}`))
	f.Add([]byte(`{"position_side":"short"}`))
	f.Add([]byte(`{"account":"a","account":"b"}`))
	f.Add([]byte(` { "qty" : "1" , "side":"sell"} `))
	f.Add([]byte(`{"expire_time":9223372036854775807,"reduce_only":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r wire.Request
		e := wire.Decode(body, wire.OrderFields, wire.MaxOrderBytes, &r)
		if !e.OK() {
			if e.Pos < 0 || e.Pos > len(body) || e.Code() == "" || e.Error() == "" {
				t.Fatalf("%q: error %+v", body, e)
			}
			if !json.Valid(wire.AppendErrorProblem(nil, &e)) {
				t.Fatalf("%q: problem %s", body, wire.AppendErrorProblem(nil, &e))
			}
			return
		}
		var ref reference
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&ref); err != nil {
			t.Fatalf("%q: accepted, encoding/json says %v", body, err)
		}
		if _, err := dec.Token(); err != io.EOF {
			t.Fatalf("%q: accepted with something after it", body)
		}
		got := []string{string(r.Account), string(r.Strategy), string(r.Instrument), string(r.Price), string(r.Qty), r.ClOrdID.String()}
		want := []string{value(ref.Account), value(ref.Strategy), value(ref.Instrument), value(ref.Price), value(ref.Qty), value(ref.ClientOrderID)}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%q: field %d is %q, encoding/json reads %q", body, i, got[i], want[i])
			}
		}
		if ref.Side != nil && r.Side.String() != *ref.Side || ref.Type != nil && r.Type.String() != *ref.Type ||
			ref.TimeInForce != nil && r.TIF.String() != *ref.TimeInForce {
			t.Fatalf("%q: side %v type %v tif %v", body, r.Side, r.Type, r.TIF)
		}
		if ref.PositionSide != nil && r.Leg.String() != *ref.PositionSide {
			t.Fatalf("%q: leg %v", body, r.Leg)
		}
		if ref.ReduceOnly != nil && *ref.ReduceOnly != r.ReduceOnly || ref.ExpireTime != nil && *ref.ExpireTime != int64(r.ExpireTime) {
			t.Fatalf("%q: reduce_only %v expire_time %d", body, r.ReduceOnly, r.ExpireTime)
		}
		if r.Has(wire.FieldAccount) != (ref.Account != nil) || r.Has(wire.FieldReduceOnly) != (ref.ReduceOnly != nil) {
			t.Fatalf("%q: presence differs", body)
		}
	})
}

// FuzzDecodeSocket: the same for the envelope: nothing panics, and what is
// accepted is JSON whose channels are those that are yielded.
func FuzzDecodeSocket(f *testing.F) {
	f.Add([]byte(`{"op":"subscribe","id":1,"channels":["bbo:sim:BTCUSDT","orders"],"from_seq":3}`))
	f.Add([]byte(`{"op":"order","id":"a","order":` + goodOrder + `}`))
	f.Add([]byte(`{"channels":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r wire.Request
		if e := wire.Decode(body, wire.SocketFields, wire.MaxSocketBytes, &r); !e.OK() {
			return
		}
		var ref struct {
			ID       json.RawMessage `json:"id"`
			Channels []string        `json:"channels"`
		}
		if err := json.Unmarshal(body, &ref); err != nil {
			t.Fatalf("%q: accepted, encoding/json says %v", body, err)
		}
		i := 0
		for ch := range r.Channels() {
			if i >= len(ref.Channels) || ref.Channels[i] != string(ch) {
				t.Fatalf("%q: channel %d is %q", body, i, ch)
			}
			i++
		}
		if i != len(ref.Channels) || i != r.ChannelCount() {
			t.Fatalf("%q: %d channels, want %d", body, i, len(ref.Channels))
		}
		if r.ID != nil && !bytes.Equal(r.ID, ref.ID) {
			t.Fatalf("%q: id %s, want %s", body, r.ID, ref.ID)
		}
	})
}
