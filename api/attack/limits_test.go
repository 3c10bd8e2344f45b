package attack_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"qcat/core/identity"
)

// raises are bodies that would loosen what an account may.
var raises = []string{
	`{"scope":"firm","limits":{"max_notional":"999999999"}}`,
	`{"scope":"account","account":"demo","limits":{"max_notional":"999999999"}}`,
	`{"scope":"strategy","account":"demo","strategy":"maker","limits":{"max_notional":"999999999"}}`,
	`{"scope":"instrument","account":"demo","instrument":"sim:BTCUSDT","limits":{"max_qty":"999999"}}`,
	`{"scope":"account","account":"demo","limits":{}}`,
	`{"scope":"account","account":"demo","limits":{"max_notional":null}}`,
	`{"scope":"account","account":"demo","limits":{"max_notional":"1"},"by":"rita"}`,
	`{"scope":"account","account":"other","limits":{"max_notional":"1"}}`,
}

// limitsNow is what every limit is, as an admin sees it.
func (s *server) limitsNow(admin string) string {
	s.t.Helper()
	var all struct{ Limits []struct{ Limits any } }
	s.ask("GET", limitsPath, "", admin).ok().into(&all)
	return fmt.Sprint(all)
}

// TestTraderChangesNoLimit: by no route, op, session or key. Nor does a trader approve, transfer
// collateral, set margins, resume, or turn into somebody who may.
func TestTraderChangesNoLimit(t *testing.T) {
	s := serve(t)
	admin := s.as("adam")
	was := s.limitsNow(admin)
	s.ask("PATCH", limitsPath, `{"scope":"instrument","account":"demo","instrument":"sim:BTCUSDT","limits":{"max_qty":"9999"}}`, s.as("rita")).ok() // waits
	k := s.newKey("ann", identity.Read|identity.Trade)
	for _, who := range []string{"ann", "vera", "olga"} {
		header := s.as(who)
		for _, body := range raises {
			for _, method := range []string{"PUT", "PATCH"} {
				s.ask(method, limitsPath, body, header).refused(http.StatusForbidden, "auth.forbidden")
			}
			s.ask("POST", limitsPath, body, header).refused(http.StatusMethodNotAllowed, "")
		}
		for at, body := range map[string]string{
			"POST " + limitsPath + "/proposals/1":  `{"approve":true}`,
			"POST " + limitsPath + "/proposals/2":  `{"approve":true,"by":"adam"}`,
			"POST /api/v1/accounts/demo/transfers": `{"currency":"USDT","amount":"1000000","reason":"x"}`,
			"PUT /api/v1/accounts/demo/margin":     `{"leverage":"100"}`,
			"POST /api/v1/funding":                 `{"instrument":"sim:BTCUSDT","rate":"0.1"}`,
			"POST /api/v1/risk/state":              `{"scope":"account","account":"demo","state":"active"}`,
			"PATCH /api/v1/users/" + who:           `{"role":"risk"}`,
			"POST /api/v1/users":                   `{"name":"eve","role":"risk","scope":{"all":true},"password":"` + pass + `"}`,
			"POST /api/v1/apikeys":                 `{"name":"x","permissions":["risk"]}`,
		} {
			method, path, _ := strings.Cut(at, " ")
			s.ask(method, path, body, header).refused(http.StatusForbidden, "auth.forbidden")
		}
		socket := s.open(header)
		for _, op := range []string{"limits", "set_limits", "put_limits", "approve", "transfer", "margin"} {
			if got := s.say(socket, `{"op":"`+op+`","id":1}`); got.OK || got.Error.Code != "ws.unknown_op" {
				t.Errorf("%s: %s: %+v", who, op, got)
			}
		}
		for _, state := range []string{"active", "reducing", "halted"} {
			if got := s.say(socket, `{"op":"state","id":1,"scope":"account","account":"demo","state":"`+state+`"}`); got.OK || !strings.HasPrefix(got.Error.Code, "auth.") {
				t.Errorf("%s: state %s: %+v", who, state, got)
			}
		}
		if got := s.say(socket, `{"op":"order","id":1,"limits":{"max_notional":"1"},`+order("demo", "x")[1:]); got.OK || got.Error.Code != "request.unknown_field" && got.Error.Code != "request.not_applicable" {
			t.Errorf("%s: an order with limits: %+v", who, got)
		}
	}
	for _, body := range raises {
		s.ask("PUT", limitsPath, body, k.sign("PUT", limitsPath, body, time.Now())...).refused(http.StatusForbidden, "auth.forbidden")
	}
	if now := s.limitsNow(admin); now != was {
		t.Errorf("limits are %s, they were %s", now, was)
	}
}

// TestNobodyApprovesTheirOwn: not by another session, nor by a key, nor by a name in another case,
// nor by saying to be somebody else. Another person may.
func TestNobodyApprovesTheirOwn(t *testing.T) {
	s := serve(t)
	first, second := s.as("rita"), s.as("rita")
	k := s.newKey("rita", identity.Read|identity.Control)
	const node = `{"scope":"instrument","account":"demo","instrument":"sim:BTCUSDT","limits":{"max_qty":"%d"}}`
	propose := func(qty int, header ...string) string {
		t.Helper()
		var p struct {
			ID         int
			Status, By string
		}
		if s.ask("PATCH", limitsPath, fmt.Sprintf(node, qty), header...).ok().into(&p); p.Status != "waiting" || p.By != "rita" {
			t.Fatalf("%+v", p)
		}
		return fmt.Sprintf("%s/proposals/%d", limitsPath, p.ID)
	}
	const yes = `{"approve":true}`
	body := fmt.Sprintf(node, 300)
	for i, by := range [][]string{{first}, k.sign("PATCH", limitsPath, body, time.Now())} {
		at := propose(200+100*i, by...)
		for name, header := range map[string][]string{"the session": {first}, "another session": {second}, "a key": k.sign("POST", at, yes, time.Now()), "a new login": {s.as("RITA")}} {
			a := s.ask("POST", at, yes, header...)
			a.what = fmt.Sprint(i, name)
			a.refused(http.StatusUnprocessableEntity, "risk.same_person")
		}
		for _, by := range []string{"adam", "RITA", "rita ", "rіta"} {
			s.ask("POST", at, `{"approve":true,"by":"`+by+`"}`, second).refused(http.StatusForbidden, "auth.forbidden")
		}
		s.ask("POST", at, yes, s.as("rob")).ok()
		s.ask("POST", at, yes, first).refused(http.StatusNotFound, "risk.unknown_proposal")
	}
	// A proposal in another's name is none.
	s.ask("PATCH", limitsPath, strings.TrimSuffix(fmt.Sprintf(node, 400), "}")+`,"by":"adam"}`, first).refused(http.StatusForbidden, "auth.forbidden")
	// Who proposes from outside the scope of what is changed does not.
	s.ask("PATCH", limitsPath, strings.ReplaceAll(fmt.Sprintf(node, 400), "demo", "other"), s.as("rob")).refused(http.StatusForbidden, "auth.scope")
	s.ask("PATCH", limitsPath, `{"scope":"firm","limits":{"max_notional":"5"}}`, s.as("rob")).refused(http.StatusForbidden, "auth.scope")
}
