package spectest

import (
	"slices"
	"strings"
	"testing"
)

// TestSlots fills places of every kind.
func TestSlots(t *testing.T) {
	all, err := Slots()
	if err != nil {
		t.Fatal(err)
	}
	known := Known{"account": "a b", "POST /api/v1/orders price": "7", "POST /api/v1/risk/state scope": "account"}
	for _, c := range []struct{ method, path, in, name, target, body string }{
		{"GET", "/api/v1/orders", "query", "side", "/api/v1/orders?account=a+b&side=%27%26", ""},
		{"GET", "/api/v1/orders/{order_id}", "path", "order_id", "/api/v1/orders/%27&", ""},
		{"DELETE", "/api/v1/orders", "query", "account", "/api/v1/orders?account=%27%26", ""},
		{"DELETE", "/api/v1/orders", "body", "strategy", "/api/v1/orders", `{"account":"a b","strategy":"'\u0026"}`},
		{"POST", "/api/v1/orders", "body", "side", "/api/v1/orders", `{"account":"a b","instrument":"sim:BTCUSDT","price":"7","qty":"59998.70","side":"'\u0026","type":"limit"}`},
		{"POST", "/api/v1/orders/check", "body", "orders.[].qty", "/api/v1/orders/check", `{"orders":[{"account":"a b","instrument":"sim:BTCUSDT","qty":"'\u0026","side":"buy","type":"limit"}]}`},
		{"POST", "/api/v1/users", "body", "scope.accounts.[]", "/api/v1/users", `{"name":"anna","role":"viewer","scope":{"accounts":["'\u0026"]}}`},
		{"PUT", "/api/v1/risk/limits", "body", "limits.{}", "/api/v1/risk/limits", `{"account":"a b","limits":{"'\u0026":"x"},"scope":"firm"}`},
		{"PUT", "/api/v1/risk/limits", "body", "limits.price_collar_buy_up", "/api/v1/risk/limits", `{"account":"a b","limits":{"price_collar_buy_up":"'\u0026"},"scope":"firm"}`},
		{"PUT", "/api/v1/accounts/{account}/margin", "body", "mode", "/api/v1/accounts/a%20b/margin", `{"mode":"'\u0026"}`},
		{"POST", "/api/v1/risk/state", "body", "reason", "/api/v1/risk/state", `{"account":"a b","reason":"'\u0026","scope":"account","state":"active"}`},
	} {
		i := slices.IndexFunc(all, func(s Slot) bool { return s.Method == c.method && s.Path == c.path && s.In == c.in && s.Name == c.name })
		if i < 0 {
			t.Errorf("no slot %+v", c)
			continue
		}
		target, body, err := all[i].Fill("'&", known)
		if err != nil || target != c.target || string(body) != c.body {
			t.Errorf("%s %s, %s %s: %s %s %v, want %s %s", c.method, c.path, c.in, c.name, target, body, err, c.target, c.body)
		}
	}
	// Each text is somewhere in its request.
	for i := range all {
		target, body, err := all[i].Fill("TeXt", known)
		if err != nil || !strings.Contains(target+string(body), "TeXt") {
			t.Errorf("%s %s, %s %s: %s %s %v", all[i].Method, all[i].Path, all[i].In, all[i].Name, target, body, err)
		}
	}
	if len(all) < 200 {
		t.Errorf("%d places", len(all))
	}
}
