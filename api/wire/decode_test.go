package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

const goodOrder = `{"account":"demo","strategy":"maker","instrument":"sim:BTCUSDT","side":"buy","type":"limit","time_in_force":"gtc","price":"100.50","qty":"0.010","client_order_id":"a-1","reduce_only":false}`

func TestDecodeOrder(t *testing.T) {
	d, in := directory(t)
	var r wire.Request
	if e := wire.DecodeOrder([]byte(goodOrder), &r); !e.OK() {
		t.Fatal(e)
	}
	var c engine.Command
	if res := r.ResolveOrder(d, &c); !res.OK() {
		t.Fatalf("%+v", res)
	}
	id, _ := core.MakeClOrdID("a-1")
	want := engine.Command{Kind: engine.CmdNew, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Account: 1, Strategy: 2,
		Instrument: in.ID, Price: 10050, Qty: 10, ClOrdID: id}
	if c != want {
		t.Fatalf("got %+v\nwant %+v", c, want)
	}
}

// TestDecodeErrors: every mistake has its code, names its field and its place.
func TestDecodeErrors(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(goodOrder, old, new, 1) }
	for name, tc := range map[string]struct {
		body  string
		kind  wire.ErrorKind
		field string
	}{
		"empty":               {"", wire.Syntax, ""},
		"not an object":       {`[]`, wire.WrongType, ""},
		"cut":                 {goodOrder[:40], wire.Syntax, ""},
		"trailing":            {goodOrder + "{}", wire.Trailing, ""},
		"trailing comma":      {swap(`false}`, `false,}`), wire.Syntax, ""},
		"unknown field":       {swap(`"side"`, `"sied"`), wire.UnknownField, "sied"},
		"case matters":        {swap(`"side"`, `"Side"`), wire.UnknownField, "Side"},
		"foreign field":       {swap(`"side"`, `"order_id":1,"side"`), wire.NotForThis, "order_id"},
		"twice":               {swap(`"side"`, `"qty":"1","side"`), wire.DuplicateField, "qty"},
		"null twice":          {swap(`"side"`, `"qty":null,"side"`), wire.DuplicateField, "qty"},
		"missing":             {swap(`"account":"demo",`, ``), wire.MissingField, "account"},
		"null is missing":     {swap(`"demo"`, `null`), wire.MissingField, "account"},
		"number for decimal":  {swap(`"100.50"`, `100.50`), wire.NotDecimalString, "price"},
		"bool for decimal":    {swap(`"100.50"`, `true`), wire.WrongType, "price"},
		"exponent":            {swap(`"100.50"`, `"1e2"`), wire.BadValue, "price"},
		"empty decimal":       {swap(`"100.50"`, `""`), wire.BadValue, "price"},
		"object for string":   {swap(`"buy"`, `{"a":1}`), wire.WrongType, "side"},
		"bad side":            {swap(`"buy"`, `"hold"`), wire.BadValue, "side"},
		"string for bool":     {swap(`false`, `"false"`), wire.WrongType, "reduce_only"},
		"escape":              {swap(`"demo"`, `"de\u006do"`), wire.Escaped, "account"},
		"a control character": {swap(`"demo"`, "\"de\tmo\""), wire.Escaped, "account"},
		"DEL":                 {swap(`"demo"`, "\"de\x7fmo\""), wire.Escaped, "account"},
		"CSI of one byte":     {swap(`"demo"`, "\"de\u009bmo\""), wire.Escaped, "account"},
		"a text turned round": {swap(`"demo"`, "\"de\u202emo\""), wire.Escaped, "account"},
		"a line's end":        {swap(`"demo"`, "\"de\u2028mo\""), wire.Escaped, "account"},
		"long id":             {swap(`"a-1"`, `"`+strings.Repeat("a", 37)+`"`), wire.TooLong, "client_order_id"},
		"too large":           {swap(`"demo"`, `"`+strings.Repeat(" ", 5000)+`"`), wire.TooLarge, ""},
		"garbage value":       {swap(`"demo"`, `demo`), wire.Syntax, "account"},
	} {
		t.Run(name, func(t *testing.T) {
			var r wire.Request
			e := wire.DecodeOrder([]byte(tc.body), &r)
			if e.Kind != tc.kind || e.FieldName() != tc.field {
				t.Fatalf("kind %d field %q (%s), want kind %d field %q", e.Kind, e.FieldName(), e.Error(), tc.kind, tc.field)
			}
			if !strings.HasPrefix(e.Code(), "request.") || e.Error() == "" {
				t.Fatalf("code %q text %q", e.Code(), e.Error())
			}
			if tc.field != "" && !strings.Contains(e.Error(), tc.field) {
				t.Fatalf("%q does not name %q", e.Error(), tc.field)
			}
		})
	}
}

func TestResolveErrors(t *testing.T) {
	d, _ := directory(t)
	swap := func(old, new string) string { return strings.Replace(goodOrder, old, new, 1) }
	for name, tc := range map[string]struct {
		body   string
		kind   wire.ErrorKind
		reason risk.Code
	}{
		"unknown account":    {swap("demo", "nobody"), wire.OK, risk.UnknownAccount},
		"unknown strategy":   {swap("maker", "nobody"), wire.OK, risk.UnknownStrategy},
		"unknown instrument": {swap("BTCUSDT", "X"), wire.OK, risk.UnknownInstrument},
		"between ticks":      {swap("100.50", "100.505"), wire.OK, risk.PriceTick},
		"between steps":      {swap("0.010", "0.0105"), wire.OK, risk.QtyStep},
		"absurd precision":   {swap("100.50", "100.5000000000000000001"), wire.BadPrecision, 0},
		"zeros beyond":       {swap("100.50", "100.500"), wire.OK, 0},
		"negative":           {swap("100.50", "-1"), wire.OutOfRange, 0},
		"zero":               {swap("0.010", "0"), wire.OutOfRange, 0},
		"huge":               {swap("0.010", "99999999999999999999"), wire.OutOfRange, 0},
		"market with price":  {swap("limit", "market"), wire.NotForThis, 0},
		"limit, no price":    {swap(`"price":"100.50",`, ``), wire.MissingField, 0},
		"gtd, no time":       {swap("gtc", "gtd"), wire.MissingField, 0},
		"market, post only":  {`{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"market","time_in_force":"post_only","qty":"1.000"}`, wire.NotForThis, 0},
		"time, no gtd":       {swap(`"qty"`, `"expire_time":5,"qty"`), wire.NotForThis, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var r wire.Request
			if e := wire.DecodeOrder([]byte(tc.body), &r); !e.OK() {
				t.Fatal(e)
			}
			var c engine.Command
			if res := r.ResolveOrder(d, &c); res.Error.Kind != tc.kind || res.Reason.Code != tc.reason {
				t.Fatalf("error %+v reason %+v", res.Error, res.Reason)
			}
		})
	}
}

// TestMarketOrdersNeverRest: gtc, or nothing, is taken as ioc.
func TestMarketOrdersNeverRest(t *testing.T) {
	d, _ := directory(t)
	for tif, want := range map[string]core.TimeInForce{``: core.IOC, `"time_in_force":"gtc",`: core.IOC, `"time_in_force":"ioc",`: core.IOC, `"time_in_force":"fok",`: core.FOK} {
		var r wire.Request
		body := `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"market",` + tif + `"qty":"1.000"}`
		if e := wire.DecodeOrder([]byte(body), &r); !e.OK() {
			t.Fatal(e)
		}
		var c engine.Command
		if res := r.ResolveOrder(d, &c); !res.OK() || c.TIF != want {
			t.Errorf("%s: %v, %v", body, c.TIF, res.Error)
		}
	}
}

func TestUnresolvedBodies(t *testing.T) {
	d, _ := directory(t)
	for body, want := range map[string]string{
		strings.Replace(goodOrder, "100.50", "100.505", 1): `"limit":"0.010","value":"100.505","unit":"price","scope":{"level":"venue","instrument":"`,
		strings.Replace(goodOrder, "demo", "nobody", 1):    `"code":"risk.unknown_account","detail":"no account nobody","limit":null,"value":"nobody","scope":{"level":"account","account":"nobody"}`,
	} {
		var r wire.Request
		if e := wire.DecodeOrder([]byte(body), &r); !e.OK() {
			t.Fatal(e)
		}
		var c engine.Command
		res := r.ResolveOrder(d, &c)
		got, status := wire.AppendUnresolvedProblem(nil, d, &res)
		if status != 422 || !json.Valid(got) || !strings.Contains(string(got), want) {
			t.Errorf("%d %s: wanted %s in it", status, got, want)
		}
		if got := wire.AppendUnresolved(nil, d, &res); !json.Valid(got) || !strings.Contains(string(got), want) {
			t.Errorf("%s: wanted %s in it", got, want)
		}
	}
}

// decodeAs decodes and checks as the servers do.
func decodeAs(body string, take wire.FieldSet, check func(*wire.Request) wire.Error, r *wire.Request) wire.Error {
	if e := wire.Decode([]byte(body), take, wire.MaxOrderBytes, r); !e.OK() {
		return e
	}
	return check(r)
}

func TestDecodeOthers(t *testing.T) {
	d, in := directory(t)
	var r wire.Request
	var c engine.Command
	if e := decodeAs(`{"order_id":7,"price":"1.25"}`, wire.AmendFields, (*wire.Request).CheckAmend, &r); !e.OK() {
		t.Fatal(e)
	}
	if res := r.ResolveAmend(d, in, &c); !res.OK() || c.Order != 7 || c.Price != 125 || c.Qty != 0 || c.Kind != engine.CmdAmend {
		t.Fatalf("%+v %+v", res, c)
	}
	if e := decodeAs(`{"order_id":7}`, wire.AmendFields, (*wire.Request).CheckAmend, &r); e.Kind != wire.MissingField {
		t.Fatal("an amend that changes nothing", e)
	}
	if e := decodeAs(`{"client_order_id":"x"}`, wire.CancelFields, (*wire.Request).CheckTarget, &r); e.Kind != wire.MissingField || e.Field != wire.FieldAccount {
		t.Fatal(e)
	}
	if e := wire.DecodeState([]byte(`{"scope":"account","account":"demo","state":"halted","reason":"test","cancel_open":true}`), &r); !e.OK() {
		t.Fatal(e)
	}
	if res := r.ResolveState(d, &c); !res.OK() || c.State != risk.StateHalted || !c.CancelOpen ||
		c.Scope != (risk.Scope{Level: risk.LevelAccount, Account: 1}) || c.Note.String() != "test" {
		t.Fatalf("%+v %+v", res, c)
	}
	if e := wire.DecodeState([]byte(`{"scope":"firm","account":"demo","state":"halted"}`), &r); !e.OK() {
		t.Fatal(e)
	}
	if res := r.ResolveState(d, &c); res.Error.Kind != wire.NotForThis {
		t.Fatalf("a firm scope took an account: %+v", res)
	}
	if e := wire.Decode([]byte(`{"account":"demo"}`), wire.CancelAllFields, wire.MaxOrderBytes, &r); !e.OK() {
		t.Fatal(e)
	}
	if res := r.ResolveCancelAll(d, &c); !res.OK() || c.Scope.Level != risk.LevelAccount {
		t.Fatalf("%+v", c.Scope)
	}
}

func TestDecodeSocket(t *testing.T) {
	var r wire.Request
	body := `{ "op":"subscribe", "id":"q\u0031" }`
	if e := wire.Decode([]byte(body), wire.SocketFields, wire.MaxSocketBytes, &r); e.Kind != wire.Escaped {
		t.Fatal(e)
	}
	body = `{"op":"subscribe","id":-12,"channels":[ "a" , "b:c" ],"from_seq":9}`
	if e := wire.Decode([]byte(body), wire.SocketFields, wire.MaxSocketBytes, &r); !e.OK() {
		t.Fatal(e)
	}
	var got []string
	for ch := range r.Channels() {
		got = append(got, string(ch))
	}
	if string(r.ID) != "-12" || r.FromSeq != 9 || strings.Join(got, "|") != "a|b:c" || r.ChannelCount() != 2 {
		t.Fatalf("%s %d %v", r.ID, r.FromSeq, got)
	}
	body = `{"op":"order","id":"x","order":` + goodOrder + `}`
	if e := wire.Decode([]byte(body), wire.SocketFields, wire.MaxSocketBytes, &r); !e.OK() || string(r.Account) != "demo" {
		t.Fatal(e)
	}
	for body, kind := range map[string]wire.ErrorKind{
		`{"op":"order","account":"a","order":{"account":"b"}}`: wire.DuplicateField,
		`{"order":{"order":{}}}`:                               wire.UnknownField,
		`{"id":1.5}`:                                           wire.WrongType,
		`{"id":true}`:                                          wire.WrongType,
		`{"channels":[]}`:                                      wire.BadValue,
		`{"channels":["a",1]}`:                                 wire.WrongType,
		`{"channels":"a"}`:                                     wire.WrongType,
		`{"from_seq":-1}`:                                      wire.BadValue,
		`{"from_seq":01}`:                                      wire.Syntax,
	} {
		if e := wire.Decode([]byte(body), wire.SocketFields, wire.MaxSocketBytes, &r); e.Kind != kind {
			t.Errorf("%s: %d %s, want %d", body, e.Kind, e.Error(), kind)
		}
	}
}
