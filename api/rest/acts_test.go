package rest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"qcat/api/rest"
	"qcat/core/identity"
)

// TestActsAreWrittenDown: who did what, or was refused it, with before and after.
func TestActsAreWrittenDown(t *testing.T) {
	g := guard(t)
	g.both()
	chief, tom := g.user("chief"), g.user("tom")
	for _, c := range []struct {
		method, path, body string
		action, target     string
		before, after      string // what is in them
		begun              bool
	}{
		{"POST", "/api/v1/accounts/demo/transfers", `{"currency":"USDT","amount":"2.5"}`, "transfer", "demo", `"balance":"9999`, `"balance":"1000`, true},
		{"PUT", "/api/v1/accounts/demo/margin", `{"instrument":"sim:ETHUSDT","leverage":"5"}`, "margin.set", "demo", `"hedge":false`, `"leverage":"5.000000"`, true},
		{"POST", "/api/v1/funding", `{"instrument":"sim:BTCUSDT","rate":"0.0001","price":"100.00"}`, "funding", "sim:BTCUSDT", "", `"rate":"0.0001"`, true},
		{"PATCH", "/api/v1/risk/limits", `{"scope":"account","account":"demo","limits":{"max_notional":"40000"}}`, "limits.change", "demo", `"max_notional":"50000`, `"max_notional":"40000`, true},
		{"POST", "/api/v1/risk/state", `{"scope":"strategy","account":"demo","strategy":"maker","state":"halted"}`, "state.set", "demo/maker", "active", "halted", false},
		{"DELETE", ordersPath, `{"account":"demo"}`, "orders.cancel_all", "demo", "", `"cancelled":`, false},
	} {
		name := c.method + " " + c.path
		if r := g.as(chief, c.method, c.path, c.body); r.status >= 300 {
			t.Fatalf("%s: %d %s", name, r.status, r.body)
		}
		if e := g.log.Last(); e.Actor != "chief" || e.Role != "risk" || e.Via != "http" || e.Action != c.action || e.Target != c.target || e.Outcome != "ok" ||
			!strings.Contains(e.Before, c.before) || !strings.Contains(e.After, c.after) {
			t.Errorf("%s is written down as %+v", name, e)
		}
		if n := g.logged(c.action, "begun", "chief"); (n > 0) != c.begun {
			t.Errorf("%s: %d entries that it has begun", name, n)
		}
		// A trader is refused, or of what a trader may, somebody else's.
		who, body := tom, c.body
		if c.method == "DELETE" {
			who = g.user("otto")
		}
		g.as(who, c.method, c.path, body)
		if e := g.log.Last(); e.Actor != who.name || !strings.HasPrefix(e.Outcome, "auth.") || e.Before+e.After != "" {
			t.Errorf("%s, refused, is written down as %+v", name, e)
		}
	}
}

// TestWhatWasRefused: what the engine refuses has the refusal's code for its outcome.
func TestWhatWasRefused(t *testing.T) {
	g := guard(t)
	g.as(g.user("rita"), "POST", "/api/v1/accounts/demo/transfers", `{"currency":"USDT","amount":"-5"}`).refused(422, "risk.insufficient_funds")
	if e := g.log.Last(); e.Outcome != "risk.insufficient_funds" || e.Before != "" {
		t.Errorf("%+v", e)
	}
}

// TestByIsWhoAsks: nobody speaks for another, and who proposes does not approve.
func TestByIsWhoAsks(t *testing.T) {
	g := guard(t)
	g.both()
	rita, chief := g.user("rita"), g.user("chief")
	change := func(c caller, body string) reply { return g.as(c, "PATCH", "/api/v1/risk/limits", body) }
	loosen := func(by string, n int) string {
		return fmt.Sprintf(`{"scope":"account","account":"demo","limits":{"max_notional":"%d"}%s}`, n, by)
	}
	change(rita, loosen(`,"by":"chief"`, 70_000)).refused(403, "auth.forbidden")
	g.as(rita, "POST", "/api/v1/accounts/demo/transfers", `{"currency":"USDT","amount":"1","by":"chief"}`).refused(403, "auth.forbidden")
	r := change(rita, loosen(`,"by":"rita"`, 70_000))
	if r.status != 202 || r.member("by") != "rita" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	path := "/api/v1/risk/limits/proposals/" + r.member("id")
	g.as(rita, "POST", path, `{"approve":true}`).refused(422, "risk.same_person")
	g.as(g.key("rita", identity.Control, "demo"), "POST", path, `{"approve":true}`).refused(422, "risk.same_person") // nor by a key
	g.as(chief, "POST", path, `{"approve":true,"by":"rita"}`).refused(403, "auth.forbidden")
	g.as(g.user("tom"), "POST", path, `{"approve":true}`).refused(403, "auth.forbidden")
	if r := g.as(chief, "POST", path, `{"approve":true}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	g.as(rita, "POST", "/api/v1/risk/limits/proposals/4000", `{"approve":true}`).refused(404, "risk.unknown_proposal")
}

// TestUnwrittenActs: without an audit log nothing is changed, and everything is halted and cancelled
// as ever.
func TestUnwrittenActs(t *testing.T) {
	g := guard(t)
	g.both()
	chief, adam := g.user("chief"), g.user("adam")
	before := g.as(chief, "GET", "/api/v1/accounts?account=demo", "").body
	g.log.Fail(errors.New("no audit log"))
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/v1/accounts/demo/transfers", `{"currency":"USDT","amount":"2.5"}`},
		{"PUT", "/api/v1/accounts/demo/margin", `{"instrument":"sim:ETHUSDT","leverage":"7"}`},
		{"POST", "/api/v1/funding", `{"instrument":"sim:BTCUSDT","rate":"0.0001","price":"100.00"}`},
		{"PATCH", "/api/v1/risk/limits", `{"scope":"account","account":"demo","limits":{"max_notional":"10"}}`},
		{"POST", "/api/v1/risk/limits/proposals/1", `{"approve":false}`},
	} {
		g.as(chief, c.method, c.path, c.body).refused(503, "auth.unavailable")
	}
	g.ask("POST", "/api/v1/auth/login", `{"user":"tom","password":"`+pass+`"}`).refused(503, "auth.unavailable")
	if after := g.as(chief, "GET", "/api/v1/accounts?account=demo", "").body; after != before {
		t.Errorf("changed:\n%s\n%s", before, after)
	}
	lost := g.rest.Unwritten()
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/v1/risk/state", `{"scope":"firm","state":"halted","cancel_open":true}`},
		{"DELETE", ordersPath, ""},
	} {
		if r := g.as(chief, c.method, c.path, c.body); r.status != 200 {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.status, r.body)
		}
	}
	if g.rest.Unwritten() != lost+2 {
		t.Errorf("%d entries are counted as lost, want 2", g.rest.Unwritten()-lost)
	}
	g.as(adam, "POST", ordersPath, limitOrder).refused(422, "risk.halted")
	g.log.Fail(nil)
}

// stuckLog is an audit log whose database has stopped answering.
type stuckLog struct {
	identity.Auditor
	stuck atomic.Bool
}

func (l *stuckLog) Audit(ctx context.Context, e *identity.AuditEntry) error {
	if l.stuck.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return l.Auditor.Audit(ctx, e)
}

// TestNoHaltWaits: a database that does not answer delays no halt and no cancel.
func TestNoHaltWaits(t *testing.T) {
	var log *stuckLog
	g := guard(t, func(c *rest.Config) {
		log = &stuckLog{Auditor: c.Service.Auditor}
		c.Service.Auditor = log
	})
	chief := g.user("chief")
	log.stuck.Store(true)
	if r := g.as(chief, "POST", "/api/v1/risk/state", `{"scope":"firm","state":"halted"}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	g.as(g.user("chief"), "DELETE", ordersPath, "")
	if g.logged("state.set", "ok", "chief") != 1 || g.logged("orders.cancel_all", "ok", "chief") != 1 {
		t.Error("not handed to the recorder")
	}
}

// TestOrdersOfOthers: an order is found by its id and by its name, and neither helps who it is not for.
func TestOrdersOfOthers(t *testing.T) {
	g := guard(t)
	g.both()
	tom, mia, otto := g.user("tom"), g.user("mia"), g.user("otto")
	id := g.order(tom, "demo", "taker", "mine", "limit")
	path := fmt.Sprintf("%s/%d", ordersPath, id)
	for _, c := range []caller{mia, otto} {
		g.as(c, "GET", path, "").refused(403, "auth.scope")
		g.as(c, "DELETE", path, "").refused(403, "auth.scope")
		g.as(c, "PATCH", path, `{"qty":"0.011"}`).refused(403, "auth.scope")
		g.as(c, "DELETE", ordersPath, `{"account":"demo","client_order_id":"mine"}`).refused(403, "auth.scope")
		g.as(c, "DELETE", ordersPath, `{"account":"demo"}`).refused(403, "auth.scope")
		g.as(c, "DELETE", ordersPath+"/4000", "").refused(404, "risk.unknown_order")
	}
	// A name of another account does not make an order one's own.
	g.as(otto, "DELETE", ordersPath, fmt.Sprintf(`{"account":"other","order_id":%d}`, id)).refused(404, "risk.unknown_order")
	g.as(otto, "PATCH", ordersPath, fmt.Sprintf(`{"account":"other","order_id":%d,"qty":"0.011"}`, id)).refused(404, "risk.unknown_order")
	// Nor is it told which accounts there are.
	for _, account := range []string{"demo", "nobody"} {
		g.as(otto, "POST", ordersPath, strings.Replace(limitOrder, `"demo"`, `"`+account+`"`, 1)).refused(403, "auth.scope")
		g.as(otto, "GET", ordersPath+"?account="+account, "").refused(403, "auth.scope")
		g.as(otto, "DELETE", ordersPath, `{"account":"`+account+`"}`).refused(403, "auth.scope")
		g.as(otto, "PATCH", ordersPath, `{"account":"`+account+`","client_order_id":"mine","qty":"1"}`).refused(403, "auth.scope")
		g.as(otto, "POST", ordersPath+"/check", `{"orders":[`+strings.Replace(limitOrder, `"demo"`, `"`+account+`"`, 1)+`]}`).refused(403, "auth.scope")
	}
	if r := g.as(mia, "DELETE", ordersPath, `{"account":"demo","strategy":"maker"}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := g.as(tom, "DELETE", path, ""); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	// A check shows what would be used of one's own nodes, and not of the firm's.
	if r := g.as(tom, "POST", ordersPath+"/check", limitOrder); strings.Contains(r.body, `"level":"firm"`) || !strings.Contains(r.body, `"level":"account"`) {
		t.Errorf("%s", r.body)
	}
	if r := g.as(mia, "POST", ordersPath+"/check", strings.Replace(limitOrder, `"demo"`, `"demo","strategy":"maker"`, 1)); strings.Contains(r.body, `"level":"account"`) || !strings.Contains(r.body, `"margin":null`) {
		t.Errorf("%s", r.body)
	}
}

// TestNobodyApprovesForTwo: a change of limits is not approved by a user or key that whoever
// proposed it made, nor the other way round.
func TestNobodyApprovesForTwo(t *testing.T) {
	g := guard(t)
	g.both()
	adam := g.user("adam")
	propose := func(c caller, n int) string {
		g.t.Helper()
		r := g.as(c, "PATCH", "/api/v1/risk/limits", fmt.Sprintf(`{"scope":"account","account":"demo","limits":{"max_notional":"%d"}}`, n))
		if r.status != 202 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return "/api/v1/risk/limits/proposals/" + r.member("id")
	}
	if r := g.as(adam, "POST", "/api/v1/users", `{"name":"puppet","role":"risk","scope":{"all":true},"password":"`+pass+`"}`); r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	puppet := g.loginAs(person{"puppet", "*", identity.Risk})
	const approve = `{"approve":true}`
	mine := propose(adam, 71_000)
	g.as(puppet, "POST", mine, approve).refused(403, "auth.forbidden")
	if e := g.log.Last(); e.Action != "limits.decide" || e.Actor != "puppet" || e.Outcome != "auth.forbidden" {
		t.Errorf("%+v", e)
	}
	g.as(adam, "POST", propose(puppet, 72_000), approve).refused(403, "auth.forbidden")
	if r := g.as(puppet, "POST", mine, `{"approve":false}`); r.status != 200 { // what tightens needs one person
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := g.as(g.user("rita"), "POST", propose(adam, 73_000), approve); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
