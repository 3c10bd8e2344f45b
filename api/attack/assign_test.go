package attack_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"qcat/api/forwarded"
	"qcat/api/rest"
	"qcat/api/ws"
	"qcat/core/identity"
)

// TestMassAssignment: a field that a route does not know is refused, whatever it would have
// been elsewhere: nobody gets a role, a scope or a secret by naming it.
func TestMassAssignment(t *testing.T) {
	s := serve(t)
	admin, trader := s.as("adam"), s.as("ann")
	users := s.count()
	refresh := s.login("ann").Refresh
	known := map[string]string{
		"POST /api/v1/auth/login":              `"user":"ann","password":"` + pass + `"`,
		"POST /api/v1/auth/refresh":            `"refresh_token":"` + refresh + `"`,
		"POST /api/v1/users":                   `"name":"eve","role":"viewer"`,
		"PATCH /api/v1/users/vera":             `"disabled":true`,
		"POST /api/v1/apikeys":                 `"owner":"ann","name":"x","permissions":["read"]`,
		"POST /api/v1/orders":                  strings.Trim(order("demo", "mass"), "{}"),
		"PATCH /api/v1/orders":                 `"order_id":1,"price":"98.00"`,
		"POST /api/v1/orders/countdown":        `"account":"demo","timeout_ms":60000`,
		"POST /api/v1/accounts/demo/transfers": `"currency":"USDT","amount":"5","reason":"x"`,
		"PUT " + limitsPath:                    `"scope":"account","account":"demo","limits":{"max_notional":"1000"}`,
		"POST /api/v1/risk/state":              `"scope":"account","account":"demo","state":"halted"`,
	}
	for at, fields := range known {
		method, path, _ := strings.Cut(at, " ")
		for _, extra := range []string{
			`"is_admin":true`, `"permissions_":["admin"]`, `"epoch":9`, `"id":1`, `"user_id":6`, `"session":7`, `"locked_to":0`, `"secret":"x"`,
			`"password_hash":"x"`, `"Role":"admin"`, `"ROLE":"admin"`, `"__proto__":{"role":"admin"}`, `"created":1`, `"approved":true`, `"approved_by":"rita"`, `"":1`,
		} {
			for _, body := range []string{"{" + fields + "," + extra + "}", "{" + extra + "," + fields + "}"} {
				a := s.ask(method, path, body, admin)
				a.what = at + " with " + extra
				want := "request.unknown_field"
				if strings.HasPrefix(extra, `"id"`) && a.code() == "request.not_applicable" {
					want = a.code() // of another request
				}
				a.refused(http.StatusBadRequest, want)
			}
		}
	}
	for body, code := range map[string]string{
		`{"user":"ann","password":"` + pass + `","role":"admin"}`:                    "request.unknown_field",
		`{"user":"ann","password":"` + pass + `","scope":{"all":true}}`:              "request.unknown_field",
		`{"user":"ann","user":"adam","password":"` + pass + `"}`:                     "request.duplicate_field",
		`{"user":["ann","adam"],"password":"` + pass + `"}`:                          "request.type",
		`{"user":{"$ne":null},"password":{"$ne":null}}`:                              "request.type",
		`{"user":"ann","password":true}`:                                             "request.type",
		`{"user":"ann"}`:                                                             "request.missing_field",
		`{"user":"ann","password":null}`:                                             "request.missing_field",
		`[{"user":"ann","password":"` + pass + `"}]`:                                 "request.syntax",
		`{"user":"ann","password":"` + pass + `"}{"user":"adam","password":"wrong"}`: "request.trailing",
	} {
		s.ask("POST", "/api/v1/auth/login", body).refused(http.StatusBadRequest, code)
	}
	if now := s.count(); now != users {
		t.Errorf("%d users, there were %d", now, users)
	}
	// A key has no more than its owner, whoever makes it.
	for _, body := range []string{
		`{"owner":"ann","name":"x","permissions":["read","admin"]}`, `{"owner":"ann","name":"x","permissions":["risk"],"scope":{"accounts":["demo"]}}`,
		`{"owner":"ann","name":"x","permissions":["trade"],"scope":{"accounts":["other"]}}`, `{"owner":"ann","name":"x","permissions":["trade"],"scope":{"all":true}}`,
	} {
		if a := s.ask("POST", "/api/v1/apikeys", body, admin); a.status < 400 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
		s.ask("POST", "/api/v1/apikeys", body, trader).refused(http.StatusForbidden, "auth.forbidden")
	}
}

// TestNamesOfOthers: what is somebody else's and what is not there are answered alike: nobody
// learns which accounts, strategies, users and keys there are.
func TestNamesOfOthers(t *testing.T) {
	s := serve(t)
	token := s.as("ann")
	s.place("olga", "other", "theirs")
	k := s.newKey("olga", identity.Read)
	same := func(what string, there, nowhere answer) {
		t.Helper()
		clean := func(a answer, name string) string { return strings.ReplaceAll(a.body, name, "…") }
		if there.status != nowhere.status || there.code() != nowhere.code() || there.status < 400 && clean(there, "other") != clean(nowhere, "nowhere") {
			t.Errorf("%s: %d %s of what is another's, %d %s of what is not there", what, there.status, there.code(), nowhere.status, nowhere.code())
		}
	}
	for _, at := range []struct{ method, target, body string }{
		{"POST", ordersPath, order("ACCOUNT", "x")},
		{"POST", ordersPath + "/check", order("ACCOUNT", "x")},
		{"PATCH", ordersPath, `{"account":"ACCOUNT","client_order_id":"theirs","price":"98.00"}`},
		{"DELETE", ordersPath, `{"account":"ACCOUNT","client_order_id":"theirs"}`},
		{"DELETE", ordersPath, `{"account":"ACCOUNT"}`},
		{"DELETE", ordersPath, `{"account":"ACCOUNT","strategy":"maker"}`},
		{"DELETE", ordersPath + "?account=ACCOUNT", ""},
		{"POST", ordersPath + "/countdown", `{"account":"ACCOUNT","timeout_ms":60000}`},
		{"POST", "/api/v1/risk/state", `{"scope":"account","account":"ACCOUNT","state":"halted"}`},
		{"PUT", limitsPath, `{"scope":"account","account":"ACCOUNT","limits":{"max_notional":"1"}}`},
		{"POST", "/api/v1/accounts/ACCOUNT/transfers", `{"currency":"USDT","amount":"5","reason":"x"}`},
		{"PUT", "/api/v1/accounts/ACCOUNT/margin", `{"mode":"one_way"}`},
		{"GET", ordersPath + "?account=ACCOUNT", ""},
		{"GET", ordersPath + "?account=ACCOUNT&strategy=maker", ""},
		{"GET", "/api/v1/executions?account=ACCOUNT", ""},
		{"GET", "/api/v1/positions?account=ACCOUNT", ""},
		{"GET", "/api/v1/strategies?account=ACCOUNT", ""},
		{"GET", "/api/v1/accounts?account=ACCOUNT", ""},
		{"GET", "/api/v1/equity?account=ACCOUNT", ""},
		{"GET", "/api/v1/transfers?account=ACCOUNT", ""},
		{"GET", limitsPath + "?account=ACCOUNT", ""},
		{"GET", "/api/v1/risk/exposure?account=ACCOUNT", ""},
		{"GET", "/api/v1/risk/var?account=ACCOUNT", ""},
		{"GET", "/api/v1/risk/scenarios?account=ACCOUNT", ""},
		{"GET", "/api/v1/risk/countdowns?account=ACCOUNT", ""},
		{"GET", "/api/v1/risk/events?account=ACCOUNT", ""},
	} {
		for _, who := range []string{"ann", "vera", "rob"} {
			header := token
			if who != "ann" {
				header = s.as(who)
			}
			ask := func(name string) answer {
				return s.ask(at.method, strings.ReplaceAll(at.target, "ACCOUNT", name), strings.ReplaceAll(at.body, "ACCOUNT", name), header)
			}
			same(who+": "+at.method+" "+at.target+" "+at.body, ask("other"), ask("nowhere"))
		}
	}
	same("a user", s.ask("GET", "/api/v1/users/olga", "", token), s.ask("GET", "/api/v1/users/nobody", "", token))
	same("a user's change", s.ask("PATCH", "/api/v1/users/olga", `{"disabled":true}`, token), s.ask("PATCH", "/api/v1/users/nobody", `{"disabled":true}`, token))
	same("a key", s.ask("DELETE", "/api/v1/apikeys/"+k.id, "", token), s.ask("DELETE", "/api/v1/apikeys/"+strings.Repeat("a", len(k.id)), "", token))
	socket := s.open(token)
	for _, op := range []string{
		`{"op":"order","id":1,` + order("ACCOUNT", "x")[1:], `{"op":"cancel","id":1,"account":"ACCOUNT","client_order_id":"theirs"}`,
		`{"op":"cancel_all","id":1,"account":"ACCOUNT"}`, `{"op":"amend","id":1,"account":"ACCOUNT","client_order_id":"theirs","price":"98.00"}`,
		`{"op":"countdown","id":1,"account":"ACCOUNT","timeout_ms":60000}`, `{"op":"state","id":1,"scope":"account","account":"ACCOUNT","state":"halted"}`,
	} {
		there, nowhere := s.say(socket, strings.ReplaceAll(op, "ACCOUNT", "other")), s.say(socket, strings.ReplaceAll(op, "ACCOUNT", "nowhere"))
		if there.OK || there != nowhere {
			t.Errorf("%s: %+v of what is another's, %+v of what is not there", op, there, nowhere)
		}
	}
}

// worked is the time that this process has had of the processors, whatever else they do.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}

// TestLoginsOfNobody: a name that is unknown, one that is disabled and a wrong password are
// answered by the same bytes in the same order, until a lock of the name begins and then, too,
// after the same work.
func TestLoginsOfNobody(t *testing.T) {
	s := serve(t, func(r *rest.Config, _ *ws.Config) {
		r.Proxies = forwarded.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
	})
	addresses := 0
	var fastest time.Duration // the least work of the last attempts that were not locked out
	// failures are the answers to as many attempts, each from an address of its own.
	failures := func(attempts int, name, password string) (all []string) {
		t.Helper()
		fastest = time.Hour
		for range attempts {
			addresses++
			began := worked(t)
			a := s.ask("POST", "/api/v1/auth/login", `{"user":"`+name+`","password":"`+password+`"}`, fmt.Sprintf("X-Forwarded-For: 203.0.113.%d", addresses))
			if a.status == http.StatusUnauthorized {
				fastest = min(fastest, worked(t)-began)
			}
			a.header.Del("Date")
			all = append(all, fmt.Sprint(a.status, a.header, a.body))
		}
		return all
	}
	const wrong = "wrong horse battery"
	want := failures(6, "ann", wrong)
	work := fastest
	if !strings.HasPrefix(want[4], "401 ") || !strings.Contains(want[4], `"auth.credentials"`) || !strings.HasPrefix(want[5], "429 ") {
		t.Fatalf("the fifth and the sixth attempt: %q", want[4:])
	}
	if got := failures(1, "ANN", pass); got[0] != want[5] {
		t.Errorf("a locked name in other letters: %q", got[0])
	}
	for _, c := range []struct{ name, password string }{
		{"nobody", wrong}, {"dora", pass}, {"vera", ""}, {"nobody2", ""}, {strings.Repeat("n", 5000), pass}, {"olga", strings.Repeat("p", 5000)},
	} {
		if got := failures(6, c.name, c.password); !slices.Equal(got, want) {
			t.Errorf("%.40q, %.20q:\n%q, want\n%q", c.name, c.password, got, want)
		}
		if fastest < work/4 || fastest > 4*work {
			t.Errorf("%.40q, %.20q: answered after work of %v, a wrong password of %v", c.name, c.password, fastest, work)
		}
	}
	for _, name := range []string{"rob' OR '1'='1", "", "rob\\u0000", "rob ", "rоb", "*", "%"} {
		if got := failures(1, name, pass); got[0] != want[0] {
			t.Errorf("%q: %q, want %q", name, got[0], want[0])
		}
	}
}
