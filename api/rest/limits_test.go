package rest_test

import (
	"fmt"
	"strings"
	"testing"
)

const limitsPath = "/api/v1/risk/limits"

// change is a proposed change of limits as answers show it.
type change struct {
	ID      uint32
	Status  string
	Scope   map[string]string
	Limits  map[string]string
	Before  map[string]string
	Loosens string
	By      string
	Reason  string
	Until   int64
	Expires int64
	Time    int64
	Seq     uint64
}

// changed requires a change with this status.
func (r reply) changed(status int, what string) (p change) {
	r.t.Helper()
	if r.status != status || r.header("Content-Type") != "application/json" {
		r.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	r.into(&p)
	if p.Status != what {
		r.t.Fatalf("%s, want %s: %s", p.Status, what, r.body)
	}
	return p
}

// limitsOf is what a node has, as GET tells it.
func (s *server) limitsOf(query string) (limits map[string]string) {
	s.t.Helper()
	var got struct {
		Seq    uint64
		Limits []struct{ Limits map[string]string }
	}
	s.ask("GET", limitsPath+"?"+query, "").into(&got)
	if len(got.Limits) > 0 {
		return got.Limits[0].Limits
	}
	return nil
}

func TestLimitsAreChangedByTwo(t *testing.T) {
	s := serve(t)
	p := s.ask("PUT", limitsPath, `{"scope":"account","account":"demo","limits":{"max_notional":"1000","message_rate":"100/1s"},"by":"anna","reason":"desk opens"}`).changed(200, "applied")
	if p.ID != 1 || p.By != "anna" || p.Reason != "desk opens" || p.Scope["account"] != "demo" || p.Limits["message_rate"] != "100/1s" || len(p.Before) != 0 || p.Seq == 0 {
		t.Errorf("%+v", p)
	}
	p = s.ask("PATCH", limitsPath, `{"scope":"account","account":"demo","limits":{"max_notional":"2000"},"by":"anna"}`).changed(202, "waiting")
	if p.Loosens != "max_notional" || p.Limits["message_rate"] != "100/1s" || p.Before["max_notional"] != "1000" || p.Expires <= p.Time {
		t.Errorf("%+v", p)
	}
	if got := s.limitsOf("account=demo"); got["max_notional"] != "1000" {
		t.Errorf("before anybody approved: %v", got)
	}
	var waiting struct {
		Seq       uint64
		Proposals []change
	}
	s.ask("GET", limitsPath+"/proposals", "").into(&waiting)
	if len(waiting.Proposals) != 1 || waiting.Proposals[0].ID != p.ID || waiting.Seq == 0 {
		t.Errorf("%+v", waiting)
	}
	at := fmt.Sprintf("%s/proposals/%d", limitsPath, p.ID)
	refusal := s.ask("POST", at, `{"approve":true,"by":"anna"}`).refused(422, "risk.same_person")
	if refusal.Scope["account"] != "demo" {
		t.Errorf("%+v", refusal)
	}
	s.ask("POST", at, `{"approve":true,"by":"bert"}`).changed(200, "applied")
	if got := s.limitsOf("account=demo"); got["max_notional"] != "2000" || got["message_rate"] != "100/1s" {
		t.Errorf("after bert approved: %v", got)
	}
	s.ask("POST", at, `{"approve":true,"by":"carl"}`).refused(404, "risk.unknown_proposal")
}

func TestLimitsAreUnsetByNull(t *testing.T) {
	s := serve(t)
	s.ask("PUT", limitsPath, `{"scope":"firm","limits":{"max_notional":"1000","max_open_orders":"5","permitted_only":"true"},"by":"anna"}`).changed(200, "applied")
	p := s.ask("PATCH", limitsPath, `{"scope":"firm","limits":{"max_notional":null,"permitted_only":"false","max_open_orders":""},"by":"anna"}`).changed(202, "waiting")
	if len(p.Limits) != 0 || len(p.Before) != 3 {
		t.Errorf("%+v", p)
	}
	s.ask("POST", fmt.Sprintf("%s/proposals/%d", limitsPath, p.ID), `{"approve":false,"by":"anna"}`).changed(200, "rejected")
	s.ask("PATCH", limitsPath, `{"scope":"firm","limits":{},"by":"anna"}`).changed(200, "unchanged")
}

func TestStaleProposalsAndOverrides(t *testing.T) {
	s := serve(t)
	s.ask("PUT", limitsPath, `{"scope":"firm","limits":{"max_open_orders":"5"},"by":"anna"}`).changed(200, "applied")
	p := s.ask("PUT", limitsPath, `{"scope":"firm","limits":{"max_open_orders":"9"},"by":"anna"}`).changed(202, "waiting")
	until := int64(start) + 3_600e9
	o := s.ask("PUT", limitsPath, fmt.Sprintf(`{"scope":"firm","limits":{"max_open_orders":"2"},"by":"bert","until":%d}`, until)).changed(200, "applied")
	if o.Until != until {
		t.Errorf("%+v", o)
	}
	s.ask("POST", fmt.Sprintf("%s/proposals/%d", limitsPath, p.ID), `{"approve":true,"by":"carl"}`).refused(422, "risk.stale_proposal")
	var all struct{ Proposals []change }
	s.ask("GET", limitsPath+"/proposals", "").into(&all)
	if len(all.Proposals) != 2 || all.Proposals[1].Status != "running" || all.Proposals[1].Before["max_open_orders"] != "5" ||
		all.Proposals[1].Limits["max_open_orders"] != "2" {
		t.Errorf("%+v", all)
	}
}

func TestUseOfLimits(t *testing.T) {
	s := serve(t)
	s.ask("PUT", limitsPath, `{"scope":"account","account":"demo","limits":{"max_open_orders":"4","unfilled_notional":"1.98","max_notional":"1000"},"by":"anna"}`).changed(200, "applied")
	s.ask("POST", ordersPath, limitOrder).ordered(201)
	var got struct {
		Seq    uint64
		Limits []struct {
			Scope map[string]string
			Use   []struct{ Limit, Used, Max, Ratio string }
		}
	}
	s.ask("GET", limitsPath+"?account=demo", "").into(&got)
	if len(got.Limits) != 2 || got.Seq == 0 {
		t.Fatalf("%+v", got)
	}
	use := fmt.Sprint(got.Limits[0].Use)
	if use != "[{max_open_orders 1 4 0.250000} {unfilled_notional 0.99 1.98 0.500000}]" {
		t.Errorf("%s", use)
	}
}

func TestLimitsThatAreRefused(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		method, body string
		status       int
		code, field  string
	}{
		{"PUT", `{"scope":"firm","limits":{"max_notional":"1"}}`, 400, "request.missing_field", "by"},
		{"PUT", `{"scope":"firm","limits":{"max_notional":"1"},"by":""}`, 400, "request.value", "by"},
		{"PUT", `{"scope":"firm","by":"anna"}`, 400, "request.missing_field", "limits"},
		{"PUT", `{"limits":{},"by":"anna"}`, 400, "request.missing_field", "scope"},
		{"PUT", `{"scope":"account","limits":{},"by":"anna"}`, 400, "request.missing_field", "account"},
		{"PUT", `{"scope":"firm","account":"demo","limits":{},"by":"anna"}`, 400, "request.not_applicable", "account"},
		{"PUT", `{"scope":"account","account":"nobody","limits":{},"by":"anna"}`, 422, "risk.unknown_account", ""},
		{"PUT", `{"scope":"firm","limits":{"max_notionall":"1"},"by":"anna"}`, 400, "request.unknown_field", "max_notionall"},
		{"PATCH", `{"scope":"firm","limits":{"max_notionall":null},"by":"anna"}`, 400, "request.unknown_field", "max_notionall"},
		{"PUT", `{"scope":"firm","limits":{"message_rate_per":"1s"},"by":"anna"}`, 400, "request.unknown_field", "message_rate_per"},
		{"PUT", `{"scope":"firm","limits":{"max_notional":"1","max_notional":null},"by":"anna"}`, 400, "request.duplicate_field", "max_notional"},
		{"PUT", `{"scope":"firm","limits":{"max_notional":1},"by":"anna"}`, 400, "request.type", "limits"},
		{"PUT", `{"scope":"firm","limits":["max_notional"],"by":"anna"}`, 400, "request.type", "limits"},
		{"PUT", `{"scope":"firm","limits":{"max_notional":"1",},"by":"anna"}`, 400, "request.syntax", "limits"},
		{"PUT", `{"scope":"firm","limits":{"":"1"},"by":"anna"}`, 400, "request.value", "limits"},
		{"PUT", `{"scope":"firm","limits":{"max_notional":"` + strings.Repeat("1", 65) + `"},"by":"anna"}`, 400, "request.too_long", "limits"},
		{"PUT", `{"scope":"firm","limits":{"max_notional":"a lot"},"by":"anna"}`, 400, "request.value", "limits"},
		{"PUT", `{"scope":"firm","limits":{"max_notional":"-1"},"by":"anna"}`, 400, "request.value", "limits"},
		{"PUT", `{"scope":"firm","limits":{"max_qty":"1"},"by":"anna"}`, 400, "request.value", "limits"},
		{"PUT", `{"scope":"instrument","instrument":"sim:BTCUSDT","limits":{"max_qty":"1.0001"},"by":"anna"}`, 400, "request.value", "limits"},
		{"PUT", `{"scope":"instrument","instrument":"sim:BTCUSDT","limits":{"max_leverage":"3x"},"by":"anna"}`, 422, "risk.invalid_setting", "limits"},
		{"PUT", `{"scope":"firm","limits":{},"by":"anna","until":1}`, 200, "", ""},
		{"PUT", `{"scope":"firm","limits":{"max_notional":"1"},"by":"anna","until":1}`, 422, "risk.invalid_setting", ""},
		{"PUT", `{"scope":"firm","limits":{"max_notional":"1"},"by":"anna","until":"1"}`, 400, "request.type", "until"},
		{"PUT", `{"scope":"firm","limits":{"max_notional":"1"},"by":"anna","approve":true}`, 400, "request.not_applicable", "approve"},
	} {
		r := s.ask(c.method, limitsPath, c.body)
		if c.status == 200 {
			r.changed(200, "unchanged")
			continue
		}
		if p := r.refused(c.status, c.code); p.Field != c.field {
			t.Errorf("%s: field %q, want %q", c.body, p.Field, c.field)
		}
	}
	for path, code := range map[string]string{"/proposals/x": "request.path", "/proposals/0": "request.path", "/proposals/-1": "request.path",
		"/proposals/4294967296": "request.path"} {
		s.ask("POST", limitsPath+path, `{"approve":true,"by":"bert"}`).refused(400, code)
	}
	s.ask("POST", limitsPath+"/proposals/7", `{"approve":true,"by":"bert"}`).refused(404, "risk.unknown_proposal")
	s.ask("POST", limitsPath+"/proposals/7", `{"by":"bert"}`).refused(400, "request.missing_field")
	if got := s.limitsOf(""); len(got) != 1 { // what the server began with
		t.Errorf("limits changed: %v", got)
	}
}

func TestLimitsWithoutAJournal(t *testing.T) {
	s := serve(t)
	s.disk.full.Store(true)
	s.ask("PUT", limitsPath, `{"scope":"firm","limits":{"max_notional":"1"},"by":"anna"}`).refused(503, "risk.capacity")
	s.ask("POST", limitsPath+"/proposals/7", `{"approve":true,"by":"bert"}`).refused(503, "risk.capacity")
	s.disk.full.Store(false)
	s.ask("PUT", limitsPath, `{"scope":"firm","limits":{"max_notional":"1"},"by":"anna"}`).changed(200, "applied")
}
