package attack_test

import (
	"net/http"
	"strings"
	"testing"

	"qcat/api/rest"
	"qcat/api/ws"
)

// TestPagesOfOthers: a page of another site in a visitor's browser reaches nothing, not with
// the visitor's token either, and is not told what it may read; nor does a page whose own name
// was made to point here. A login from such a page is refused, too.
func TestPagesOfOthers(t *testing.T) {
	own := "https://desk.example.com"
	s := serve(t, func(r *rest.Config, w *ws.Config) { r.Origins, w.Origins = []string{own}, []string{own} })
	token := s.as("ann")
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"another site":               {[]string{"Origin: https://evil.example"}, 403},
		"another scheme":             {[]string{"Origin: http://desk.example.com"}, 403},
		"another port":               {[]string{"Origin: https://desk.example.com:8443"}, 403},
		"a name that ends alike":     {[]string{"Origin: https://evildesk.example.com"}, 403},
		"a name that begins alike":   {[]string{"Origin: https://desk.example.com.evil.example"}, 403},
		"a user in front":            {[]string{"Origin: https://desk.example.com@evil.example"}, 403},
		"two at once":                {[]string{"Origin: https://desk.example.com https://evil.example"}, 403},
		"none that it says":          {[]string{"Origin: null"}, 403},
		"a file":                     {[]string{"Origin: file://"}, 403},
		"rebound":                    {[]string{"Host: evil.example"}, 421},
		"rebound, its own page":      {[]string{"Host: evil.example", "Origin: http://evil.example"}, 421},
		"rebound, with a port":       {[]string{"Host: evil.example:8082", "Origin: http://evil.example:8082"}, 421},
		"rebound, with a dot":        {[]string{"Host: evil.example.", "Origin: http://evil.example."}, 421},
		"rebound, forwarded as ours": {[]string{"Host: evil.example", "X-Forwarded-Host: localhost", "Forwarded: host=localhost"}, 421},
		"an address with a tail":     {[]string{"Host: 127.0.0.1.evil.example"}, 421},
	} {
		for _, request := range []struct{ method, target, body string }{
			{"GET", ordersPath, ""}, {"POST", ordersPath, order("demo", "x")}, {"DELETE", ordersPath, `{"account":"demo"}`},
			{"POST", "/api/v1/auth/login", `{"user":"ann","password":"` + pass + `"}`}, {"GET", "/health", ""}, {"GET", "/metrics", ""},
			{"OPTIONS", ordersPath, ""}, {"GET", ws.Path, ""},
		} {
			a := s.ask(request.method, request.target, request.body, append(c.header, token, "Content-Type: text/plain", "Cookie: token=x")...)
			a.what = name + ", " + a.what
			a.refused(c.status, "")
			for h := range a.header {
				if strings.HasPrefix(h, "Access-Control-") {
					t.Errorf("%s: %s: %s", a.what, h, a.header.Get(h))
				}
			}
		}
		if _, resp, err := s.socket(append(c.header, token)...); err == nil || resp == nil || resp.StatusCode != c.status {
			t.Errorf("%s: the socket: %v", name, err)
		}
	}
	// What a browser sends by itself proves nothing.
	s.ask("GET", ordersPath, "", "Cookie: access_token="+s.login("ann").Access).refused(http.StatusUnauthorized, "")
	s.ask("GET", ordersPath, "", "Authorization: Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==").refused(http.StatusUnauthorized, "")
	s.ask("GET", ordersPath+"?token="+s.login("ann").Access, "").refused(http.StatusUnauthorized, "")
	if a := s.ask("GET", ordersPath, "", "Origin: "+own, token).ok(); a.header.Get("Access-Control-Allow-Origin") != own || a.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("our own page: %v", a.header)
	}
}
