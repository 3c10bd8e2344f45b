package wire_test

import (
	"strings"
	"testing"

	"qcat/api/wire"
	"qcat/core/engine"
	"qcat/risk"
)

// TestDetailsSayWhatIsWanted holds that who got a field wrong is told what would be right.
func TestDetailsSayWhatIsWanted(t *testing.T) {
	d, _ := directory(t)
	swap := func(from, to string) string { return strings.Replace(goodOrder, from, to, 1) }
	market := func(more string) string {
		return `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"market",` + more + `"qty":"1.000"}`
	}
	const fields = "account, strategy, instrument, side, type, time_in_force, price, qty, client_order_id, reduce_only, expire_time and position_side"
	for _, tc := range []struct{ body, want string }{
		{``, `not valid JSON, wanted a JSON object (byte 0)`},
		{`[]`, `the value has the wrong type, wanted a JSON object (byte 0)`},
		{`{"account":""`, `field \"account\": the value cannot be read, wanted a string that is not empty (byte 11)`},
		{swap("gtc", "day"), `the value is not one of those allowed, wanted gtc, ioc, fok, gtd or post_only (byte`},
		{swap(`"qty"`, `"quantity"`), `field \"quantity\": no such field, there are ` + fields + ` (byte`},
		{swap(`"qty"`, `"order_id":1,"qty"`), `field \"order_id\": the field does not belong to this request, there are ` + fields + `"`},
		{swap("100.50", "abc"), `field \"price\": the value cannot be read, wanted a decimal string such as \"1.50\" (byte`},
		{swap("100.50", "-1"), `the number is out of range, wanted more than 0, and at most 18 digits (byte`},
		{swap(`"qty"`, `"client_order_id":"`+strings.Repeat("a", 37)+`","qty"`), `the value is too long, wanted at most 36 bytes (byte`},
		{market(`"price":"1.00",`), `the field does not belong to this request: a market order has no price"`},
		{market(`"time_in_force":"post_only",`), `the field does not belong to this request: a market order is ioc or fok"`},
		{swap(`"qty"`, `"expire_time":5,"qty"`), `the field does not belong to this request: it is for time_in_force gtd"`},
		{swap("100.50", "100.505"), `"detail":"risk.price_tick: 100.505 is not a multiple of 0.010"`},
		{swap("sim:BTCUSDT", "BTCUSDT"), `"detail":"no instrument BTCUSDT: they are named venue:symbol, and GET /api/v1/instruments lists them"`},
	} {
		var r wire.Request
		res := wire.Resolution{Error: wire.DecodeOrder([]byte(tc.body), &r)}
		if res.OK() {
			var c engine.Command
			res = r.ResolveOrder(d, &c)
		}
		if got, _ := wire.AppendUnresolvedProblem(nil, d, &res); !strings.Contains(string(got), tc.want) {
			t.Errorf("%s:\n%s\nwanted in it %s", tc.body, got, tc.want)
		}
	}
}

// TestOneOfTwoIsMissing holds that where either of two fields would do both are named.
func TestOneOfTwoIsMissing(t *testing.T) {
	for body, want := range map[string]string{
		`{"qty":"1.000"}`:   `field "order_id": the field is missing, wanted client_order_id or order_id`,
		`{"order_id":7}`:    `field "price": the field is missing, wanted price or qty`,
		`{"account":"demo"`: `not valid JSON (byte 17)`,
	} {
		var r wire.Request
		if e := decodeAs(body, wire.AmendFields, (*wire.Request).CheckAmend, &r); e.Error() != want {
			t.Errorf("%s: %s, wanted %s", body, e.Error(), want)
		}
	}
}

// TestAnOrderThatIsOver holds that an expiry in the past is told as that, and not as two periods
// since 1970.
func TestAnOrderThatIsOver(t *testing.T) {
	d, in := directory(t)
	r := risk.Reason{Code: risk.InvalidOrder, Unit: risk.UnitNanos, Limit: 1795445096067596869, Value: 5}
	const want = `"detail":"risk.invalid_order: expire_time is not in the future","limit":"1795445096067596869","value":"5","unit":"ns"`
	if got := wire.AppendReason(nil, d, in, &r); !strings.Contains(string(got), want) {
		t.Errorf("%s: wanted %s in it", got, want)
	}
}

// TestDetailsFitTheirBuffer holds that the longest list of fields costs no allocation either.
func TestDetailsFitTheirBuffer(t *testing.T) {
	var r wire.Request
	e := wire.DecodeOrder([]byte(`{"`+strings.Repeat("a", 64)+`":1}`), &r)
	if n := len(e.AppendDetail(nil)); n > 512 {
		t.Errorf("a detail of %d bytes", n)
	}
}
