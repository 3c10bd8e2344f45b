package rest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"qcat/api/auth"
	"qcat/api/spec/spectest"
	"qcat/core/identity"
)

// about is what an example names.
type about uint8

const (
	nothing about = iota // in particular: everybody is shown what is theirs
	own                  // something of the account demo
	firm                 // what is everybody's
	oneself              // the caller
)

// example is a request to one operation.
type example struct {
	about  about
	status int // for who may
	// request makes path and body, and what they need to be there.
	request func(g *guarded, c *caller) (path, body string)
}

// at is an example that needs nothing.
func at(a about, status int, path string) example {
	return example{a, status, func(*guarded, *caller) (string, string) { return path, "" }}
}

// send is one with a body.
func send(a about, status int, path, body string) example {
	return example{a, status, func(*guarded, *caller) (string, string) { return path, body }}
}

// open is one about an order of demo that is open; %d in path and body is its id.
func open(a about, status int, path, body string) example {
	return example{a, status, func(g *guarded, _ *caller) (string, string) {
		id := g.order(g.user("adam"), "demo", "maker", "", "limit")
		return strings.ReplaceAll(path, "%d", fmt.Sprint(id)), strings.ReplaceAll(body, "%d", fmt.Sprint(id))
	}}
}

// proposal is one about a change of limits that waits.
func proposal(g *guarded, _ *caller) (path, body string) {
	g.fresh++
	r := g.as(g.user("chief"), "PATCH", "/api/v1/risk/limits", fmt.Sprintf(`{"scope":"account","account":"demo","limits":{"max_notional":"%d"}}`, 60_000+g.fresh))
	return "/api/v1/risk/limits/proposals/" + r.member("id"), `{"approve":false}`
}

const ownOrder = `{"account":"demo","strategy":"maker","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"99.00","qty":"0.010"}`

// examples are requests to each operation of the document.
var examples = map[string][]example{
	"GET /health":                      {at(nothing, 200, "/health")},
	"GET /ready":                       {at(nothing, 200, "/ready")},
	"GET /metrics":                     {at(nothing, 200, "/metrics")},
	"GET /swagger":                     {at(nothing, 200, "/swagger")},
	"GET /swagger/{file}":              {at(nothing, 200, "/swagger/openapi.json")},
	"GET /api/v1/ws":                   {at(nothing, 418, "/api/v1/ws")},
	"POST /api/v1/auth/login":          {send(nothing, 200, "/api/v1/auth/login", `{"user":"adam","password":"`+pass+`"}`)},
	"POST /api/v1/auth/refresh":        {{nothing, 200, freshSession}},
	"POST /api/v1/auth/logout":         {{nothing, 204, ownSession}},
	"GET /api/v1/users":                {at(oneself, 200, "/api/v1/users")},
	"POST /api/v1/users":               {{nothing, 201, newUser}},
	"GET /api/v1/users/{name}":         {{oneself, 200, ownName}, at(nothing, 200, "/api/v1/users/mia")},
	"PATCH /api/v1/users/{name}":       {{nothing, 200, someUser}},
	"GET /api/v1/apikeys":              {at(oneself, 200, "/api/v1/apikeys")},
	"POST /api/v1/apikeys":             {send(nothing, 201, "/api/v1/apikeys", `{"owner":"tom","name":"x","permissions":["read"],"scope":{"accounts":["demo"]}}`)},
	"DELETE /api/v1/apikeys/{id}":      {{nothing, 204, someKey}},
	"GET /api/v1/audit":                {at(firm, 200, "/api/v1/audit"), at(firm, 200, "/api/v1/audit?source=journal"), at(firm, 200, "/api/v1/audit?actor=adam&action=user.*")},
	"GET /api/v1/instruments":          {at(nothing, 200, "/api/v1/instruments")},
	"GET /api/v1/quotes":               {at(nothing, 200, "/api/v1/quotes")},
	"GET /api/v1/quotes/{instrument}":  {at(nothing, 200, "/api/v1/quotes/sim:BTCUSDT")},
	"GET /api/v1/book/{instrument}":    {at(nothing, 200, "/api/v1/book/sim:BTCUSDT")},
	"GET /api/v1/trades/{instrument}":  {at(nothing, 200, "/api/v1/trades/sim:BTCUSDT")},
	"GET /api/v1/candles/{instrument}": {at(nothing, 200, "/api/v1/candles/sim:BTCUSDT")},

	"POST /api/v1/orders": {send(own, 201, ordersPath, ownOrder), send(own, 201, ordersPath, limitOrder)},
	"GET /api/v1/orders": {at(nothing, 200, ordersPath), at(own, 200, ordersPath+"?account=demo"), at(own, 200, ordersPath+"?account=demo&strategy=maker"),
		at(nothing, 200, ordersPath+"?order_id=1"), at(own, 200, ordersPath+"?account=demo&client_order_id=demo-0")},
	"PATCH /api/v1/orders":             {open(own, 200, ordersPath, `{"order_id":%d,"qty":"0.011"}`), named(200, "PATCH", `,"qty":"0.012"`)},
	"DELETE /api/v1/orders":            {open(own, 200, ordersPath, `{"order_id":%d}`), open(own, 200, ordersPath+"?order_id=%d", ""), named(200, "DELETE", ""), send(own, 200, ordersPath, `{"account":"demo"}`), send(own, 200, ordersPath, `{"account":"demo","strategy":"maker","instrument":"sim:BTCUSDT"}`), send(firm, 200, ordersPath, ""), send(firm, 200, ordersPath, `{"instrument":"sim:BTCUSDT"}`)},
	"GET /api/v1/orders/{order_id}":    {open(own, 200, ordersPath+"/%d", "")},
	"PATCH /api/v1/orders/{order_id}":  {open(own, 200, ordersPath+"/%d", `{"qty":"0.011"}`)},
	"DELETE /api/v1/orders/{order_id}": {open(own, 200, ordersPath+"/%d", "")},
	"POST /api/v1/orders/check":        {send(own, 200, ordersPath+"/check", ownOrder), send(own, 200, ordersPath+"/check", `{"orders":[`+ownOrder+`]}`)},
	"POST /api/v1/orders/countdown":    {send(own, 200, ordersPath+"/countdown", `{"account":"demo","timeout_ms":60000}`), send(firm, 200, ordersPath+"/countdown", `{"timeout_ms":60000}`)},
	"GET /api/v1/executions":           {at(nothing, 200, "/api/v1/executions"), at(own, 200, "/api/v1/executions?account=demo&strategy=maker")},
	"GET /api/v1/positions":            {at(nothing, 200, "/api/v1/positions"), at(own, 200, "/api/v1/positions?account=demo")},

	"GET /api/v1/accounts":                      {at(nothing, 200, "/api/v1/accounts"), at(own, 200, "/api/v1/accounts?account=demo")},
	"POST /api/v1/accounts/{account}/transfers": {send(own, 201, "/api/v1/accounts/demo/transfers", `{"currency":"USDT","amount":"1"}`)},
	"PUT /api/v1/accounts/{account}/margin":     {send(own, 200, "/api/v1/accounts/demo/margin", `{"instrument":"sim:ETHUSDT","leverage":"5"}`)},
	"POST /api/v1/funding":                      {send(firm, 201, "/api/v1/funding", `{"instrument":"sim:BTCUSDT","rate":"0.0001","price":"100.00"}`)},
	"GET /api/v1/equity":                        {at(own, 200, "/api/v1/equity?account=demo")},
	"GET /api/v1/transfers":                     {at(nothing, 200, "/api/v1/transfers"), at(own, 200, "/api/v1/transfers?account=demo")},
	"GET /api/v1/strategies":                    {at(nothing, 200, "/api/v1/strategies"), at(own, 200, "/api/v1/strategies?account=demo")},
	"GET /api/v1/risk/limits":                   {at(nothing, 200, "/api/v1/risk/limits"), at(own, 200, "/api/v1/risk/limits?account=demo&strategy=maker")},
	"PUT /api/v1/risk/limits":                   {{own, 200, sameLimits}, send(firm, 200, "/api/v1/risk/limits", `{"scope":"firm","limits":{"max_open_orders":"9000"}}`)},
	"PATCH /api/v1/risk/limits":                 {{own, 200, sameLimits}, send(firm, 200, "/api/v1/risk/limits", `{"scope":"instrument","instrument":"sim:BTCUSDT","limits":{"max_qty":"1000000"}}`)},
	"GET /api/v1/risk/limits/proposals":         {at(nothing, 200, "/api/v1/risk/limits/proposals")},
	"POST /api/v1/risk/limits/proposals/{id}":   {{own, 200, proposal}},
	"GET /api/v1/risk/exposure":                 {at(nothing, 200, "/api/v1/risk/exposure"), at(own, 200, "/api/v1/risk/exposure?account=demo")},
	"GET /api/v1/risk/scenarios":                {at(own, 200, "/api/v1/risk/scenarios?account=demo"), at(own, 200, "/api/v1/risk/scenarios?account=demo&strategy=maker"), at(firm, 200, "/api/v1/risk/scenarios")},
	"GET /api/v1/risk/var":                      {at(own, 200, "/api/v1/risk/var?account=demo&horizon=1h&lookback=16d"), at(firm, 200, "/api/v1/risk/var?horizon=1h&lookback=16d")},
	"GET /api/v1/risk/state":                    {at(nothing, 200, "/api/v1/risk/state")},
	"POST /api/v1/risk/state":                   {send(own, 200, "/api/v1/risk/state", `{"scope":"account","account":"demo","state":"active"}`), send(own, 200, "/api/v1/risk/state", `{"scope":"strategy","account":"demo","strategy":"maker","state":"active"}`), send(firm, 200, "/api/v1/risk/state", `{"scope":"firm","state":"active"}`), send(firm, 200, "/api/v1/risk/state", `{"scope":"instrument","instrument":"sim:ETHUSDT","state":"active"}`)},
	"GET /api/v1/risk/countdowns":               {at(nothing, 200, "/api/v1/risk/countdowns"), at(own, 200, "/api/v1/risk/countdowns?account=demo"), at(own, 200, "/api/v1/risk/countdowns?account=demo&strategy=maker")},
	"GET /api/v1/risk/events":                   {at(nothing, 200, "/api/v1/risk/events"), at(own, 200, "/api/v1/risk/events?account=demo")},
}

// named is an example about an order of demo by the name that its client gave it.
func named(status int, _, more string) example {
	return example{own, status, func(g *guarded, _ *caller) (string, string) {
		g.fresh++
		name := fmt.Sprintf("demo-n%d", g.fresh)
		g.order(g.user("adam"), "demo", "maker", name, "limit")
		return ordersPath, `{"account":"demo","client_order_id":"` + name + `"` + more + `}`
	}}
}

func sameLimits(g *guarded, _ *caller) (path, body string) {
	g.fresh++ // ever tighter: nobody has to approve it
	return "/api/v1/risk/limits", fmt.Sprintf(`{"scope":"strategy","account":"demo","strategy":"taker","limits":{"max_open_orders":"%d"}}`, 9000-g.fresh)
}

func freshSession(g *guarded, _ *caller) (path, body string) {
	t, err := g.gate.Login(g.t.Context(), auth.Credentials{Name: "vera", Password: pass, Via: "http"})
	g.must(g.t, err)
	return "/api/v1/auth/refresh", `{"refresh_token":"` + t.Refresh + `"}`
}

// ownSession gives a caller with a token another one, which may end.
func ownSession(g *guarded, c *caller) (path, body string) {
	if c.session {
		*c = g.login(c.who.name)
	}
	return "/api/v1/auth/logout", ""
}

func newUser(g *guarded, _ *caller) (path, body string) {
	g.fresh++
	return "/api/v1/users", fmt.Sprintf(`{"name":"new%d","role":"viewer","scope":{"accounts":["demo"]}}`, g.fresh)
}

func ownName(_ *guarded, c *caller) (path, body string) {
	if c.who.name == "" {
		return "/api/v1/users/somebody", ""
	}
	return "/api/v1/users/" + c.who.name, ""
}

func someUser(g *guarded, c *caller) (path, body string) {
	g.fresh++
	name := fmt.Sprintf("some%d", g.fresh)
	_, err := g.svc.CreateUser(g.t.Context(), root, auth.NewUser{Name: name, Role: identity.Viewer, Scope: scope(g.t, "demo")})
	g.must(g.t, err)
	return "/api/v1/users/" + name, `{"disabled":true}`
}

func someKey(g *guarded, _ *caller) (path, body string) {
	k, _, err := g.svc.CreateKey(g.t.Context(), root, auth.NewKey{Owner: "tom", Permissions: identity.Read, Scope: scope(g.t, "demo")})
	g.must(g.t, err)
	return "/api/v1/apikeys/" + k.ID, ""
}

// expected is the status and code that a caller gets, by what the document says. The code is ""
// for who may.
func expected(o *spectest.Operation, e *example, c *caller) (status int, code string) {
	admin := c.may.Has(identity.Administer)
	switch {
	case o.Open:
		return e.status, ""
	case c.may == 0:
		return 401, "auth.required"
	case !permitted(o.Permissions, c.may) && (o.Owner == "" || e.about != oneself):
		return 403, "auth.forbidden"
	case o.Session && !c.session:
		return 403, "auth.forbidden"
	case admin || c.who.scope == "*":
		return e.status, ""
	case o.Scope == "firm", e.about == firm, e.about == own && c.who.scope != "demo":
		return 403, "auth.scope"
	}
	return e.status, ""
}

// permitted reports whether one of the permissions is there.
func permitted(any []string, have identity.Permission) bool {
	return slices.ContainsFunc(any, func(name string) bool { return slices.Contains(strings.Split(have.String(), ","), name) })
}

// TestMatrix sends every example to every operation, as everybody.
func TestMatrix(t *testing.T) {
	g := guard(t)
	g.both()
	operations, err := spectest.Operations()
	g.must(t, err)
	callers := []caller{nobody, g.user("otto"), g.user("vera"), g.user("tom"), g.user("rita"), g.user("chief"), g.user("adam"),
		g.key("adam", identity.Read, "demo"), g.key("tom", identity.Trade, "demo"), g.key("otto", identity.Trade, "other"),
		g.key("adam", identity.Control, "demo"), g.key("adam", identity.Read, "*")}
	known := map[string]bool{}
	for i := range operations {
		o := &operations[i]
		name := o.Method + " " + o.Path
		known[name] = true
		if len(examples[name]) == 0 {
			t.Errorf("%s has no example", name)
		}
		for n := range examples[name] {
			for _, c := range callers {
				g.one(o, &examples[name][n], fmt.Sprintf("%s, example %d, %s", name, n, c.name), c)
			}
		}
	}
	for name := range examples {
		if !known[name] {
			t.Errorf("there are examples of %s, which the document does not have", name)
		}
	}
}

// one sends one example as one caller.
func (g *guarded) one(o *spectest.Operation, e *example, name string, c caller) {
	g.t.Helper()
	path, body := e.request(g, &c)
	r := g.as(c, o.Method, path, body)
	status, code := expected(o, e, &c)
	if r.status != status {
		g.t.Errorf("%s: %d, want %d %s: %.300s", name, r.status, status, code, r.body)
		return
	}
	if code != "" {
		r.refused(status, code)
	}
	if status == 401 && r.header("WWW-Authenticate") == "" {
		g.t.Errorf("%s: 401 without WWW-Authenticate", name)
	}
}
