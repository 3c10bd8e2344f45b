package attack_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// spellings are ways to write the path of something that a trader may not do, each of which some
// server somewhere takes for another path.
func spellings(path string) []string {
	under := strings.TrimPrefix(path, "/api/v1/")
	return []string{
		path + "/", "/" + path, "//" + path[1:], "/api//v1/" + under, "/api/v1//" + under, "/api/./v1/" + under, "/api/v1/./" + under,
		"/health/.." + path, "/health/../" + path, "/swagger/../" + path[1:], "/swagger/..%2f" + path[1:], "/swagger/%2e%2e" + path,
		"/swagger/%2e%2e%2f" + path[1:], "/swagger/.%2e" + path, "/api/v1/auth/login/../../" + under, "/api/v1/orders/../" + under,
		"/api/v1/orders/..%2f" + under, "/api/v1/orders/..%5c" + under, "/api/v1/orders/..\\" + under, "/api\\v1\\" + under,
		strings.ToUpper(path), "/Api/V1/" + under, path + "%00", path + "%00.css", path + ".json", path + ";a=b", path + "%20", path + "%3f", path + "%23",
		path + "?/health", path + "#/health", "/%61pi/v1/" + under, "/api/v1/%" + strconv.FormatInt(int64(under[0]), 16) + under[1:],
		"/%2561pi/v1/" + under, "/api%2fv1%2f" + under, "/api/v1%2f" + under, "http://localhost" + path, "http://x/health/.." + path,
		"http://localhost:1@x" + path, "*", "//evil.example" + path, "/\xc0\xae\xc0\xae" + path, "/api/v1/\xe2\x80\xa5/" + under,
	}
}

// overrides ask for another method or path than the line does.
var overrides = []string{
	"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method", "X-Original-URL", "X-Rewrite-URL", "X-Original-Method",
	"X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Forwarded-Method",
}

// TestPathsAreOnePermission: however the path of what somebody may not do is written, it is
// refused or found nowhere; nothing is changed and nothing of others is read.
func TestPathsAreOnePermission(t *testing.T) {
	s := serve(t)
	token := s.as("ann")
	users := s.count()
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/v1/users", `{"name":"eve","role":"admin"}`},
		{"PATCH", "/api/v1/users/ann", `{"role":"admin"}`},
		{"POST", "/api/v1/apikeys", `{"name":"x","permissions":["admin"]}`},
		{"GET", "/api/v1/audit", ""},
		{"PUT", limitsPath, `{"scope":"account","account":"demo","limits":{"max_notional":"1"}}`},
		{"POST", "/api/v1/accounts/demo/transfers", `{"currency":"USDT","amount":"1","reason":"x"}`},
		{"POST", "/api/v1/risk/state", `{"scope":"account","account":"demo","state":"active"}`},
	} {
		for _, header := range []string{token, "X-Nobody: yes"} {
			for _, spelling := range append(spellings(c.path), c.path) {
				a := s.ask(c.method, spelling, c.body, header)
				if a.status < 400 || a.status >= 500 || a.code() == "" {
					t.Errorf("%s %q: %d %.200s", c.method, spelling, a.status, a.body)
				}
			}
		}
	}
	if now := s.count(); now != users {
		t.Errorf("%d users, there were %d", now, users)
	}
}

// count is how many users there are, all of whom must be as they were made.
func (s *server) count() int {
	s.t.Helper()
	all, err := s.store.Users(s.t.Context())
	s.must(err)
	for _, u := range all {
		for _, p := range people {
			if u.Name == p.name && (u.Role != p.role || u.Scope.String() != p.scope || u.Disabled != p.disabled) {
				s.t.Errorf("%s has become %s of %s", u.Name, u.Role, u.Scope.String())
			}
		}
	}
	return len(all)
}

// TestOverridesAreNotHeard: headers that ask for another method or path change neither.
func TestOverridesAreNotHeard(t *testing.T) {
	s := serve(t)
	token := s.as("ann")
	s.place("ann", "demo", "kept")
	for _, name := range overrides {
		for _, c := range []struct{ method, target, value string }{
			{"GET", ordersPath, "DELETE"}, {"GET", ordersPath, "/api/v1/audit"}, {"GET", ordersPath + "?_method=DELETE", "DELETE"}, {"POST", ordersPath + "/check", "PUT"},
		} {
			body := ""
			if c.method == "POST" {
				body = order("demo", "x")
			}
			a := s.ask(c.method, c.target, body, token, name+": "+c.value)
			if strings.Contains(c.target, "?") {
				a.refused(http.StatusBadRequest, "request.query")
				continue
			}
			a.ok()
		}
	}
	var open []struct {
		ID string `json:"client_order_id"`
	}
	if s.ask("GET", ordersPath+"?status=open", "", token).ok().into(&open); len(open) != 1 || open[0].ID != "kept" {
		t.Errorf("%+v", open)
	}
	for _, method := range []string{"TRACE", "CONNECT", "PROPFIND", "post", "POSTX", "PO\x00ST"} {
		if a := s.ask(method, ordersPath, "", token); a.status < 400 || a.status >= 500 {
			t.Errorf("%q: %d", method, a.status)
		}
	}
}
