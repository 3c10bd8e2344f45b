package spectest_test

import (
	"strings"
	"testing"

	"qcat/api/spec/spectest"
)

const strategies = `[{"account":"demo","strategy":"maker","state":"active"}]`

func header(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// TestExchanges: each mistake of a server, or of the document, is found and said.
func TestExchanges(t *testing.T) {
	t.Parallel()
	json, problem := header("Content-Type", "application/json"), header("Content-Type", "application/problem+json")
	gone := `{"type":"urn:qcat:problem:not_found","title":"Not found","status":404,"code":"not_found","detail":"there is nothing"}`
	for name, tt := range map[string]struct {
		x    spectest.Exchange
		want string // in the error, "" for none
	}{
		"good":            {spectest.Exchange{Method: "GET", Target: "/api/v1/strategies?account=demo", Status: 200, Header: json, Answer: []byte(strategies)}, ""},
		"head":            {spectest.Exchange{Method: "HEAD", Target: "/api/v1/strategies", Status: 200, Header: json}, ""},
		"head with body":  {spectest.Exchange{Method: "HEAD", Target: "/api/v1/strategies", Status: 200, Header: json, Answer: []byte(strategies)}, "body"},
		"options":         {spectest.Exchange{Method: "OPTIONS", Target: "/api/v1/strategies", Status: 204, Header: header()}, ""},
		"nowhere":         {spectest.Exchange{Method: "GET", Target: "/x", Status: 404, Header: problem, Answer: []byte(gone)}, ""},
		"nowhere, and ok": {spectest.Exchange{Method: "GET", Target: "/x", Status: 200, Header: json, Answer: []byte("[]")}, "no such path"},
		"wrong method":    {spectest.Exchange{Method: "PUT", Target: "/api/v1/strategies", Status: 200, Header: json, Answer: []byte("[]")}, "no such path and method"},
		"status":          {spectest.Exchange{Method: "GET", Target: "/api/v1/strategies", Status: 202, Header: json, Answer: []byte("[]")}, "no such status"},
		"media type":      {spectest.Exchange{Method: "GET", Target: "/api/v1/strategies", Status: 200, Header: header("Content-Type", "text/html"), Answer: []byte("[]")}, "text/html"},
		"a new field":     {spectest.Exchange{Method: "GET", Target: "/api/v1/strategies", Status: 200, Header: json, Answer: []byte(strings.Replace(strategies, `{`, `{"x":1,`, 1))}, "/0/x is not in the document"},
		"a number":        {spectest.Exchange{Method: "GET", Target: "/api/v1/strategies", Status: 200, Header: json, Answer: []byte(strings.Replace(strategies, `"maker"`, `7`, 1))}, "/0/strategy: got number, want string"},
		"a missing field": {spectest.Exchange{Method: "GET", Target: "/api/v1/strategies", Status: 200, Header: json, Answer: []byte(`[{"account":"demo","strategy":"maker"}]`)}, "state"},
		"a new state":     {spectest.Exchange{Method: "GET", Target: "/api/v1/strategies", Status: 200, Header: json, Answer: []byte(strings.Replace(strategies, "active", "asleep", 1))}, "/0/state"},
		"a parameter":     {spectest.Exchange{Method: "GET", Target: "/api/v1/strategies?x=1", Status: 200, Header: json, Answer: []byte(strategies)}, "no parameter x"},
		"no parameter":    {spectest.Exchange{Method: "GET", Target: "/api/v1/equity", Status: 200, Header: json, Answer: []byte("[]")}, "parameter account is missing"},
		"its value":       {spectest.Exchange{Method: "GET", Target: "/api/v1/executions?limit=0", Status: 200, Header: json, Answer: []byte("[]")}, "parameter limit"},
		"in the path":     {spectest.Exchange{Method: "GET", Target: "/api/v1/orders/x", Status: 200, Header: json, Answer: []byte("{}")}, "order_id"},
		"no body": {spectest.Exchange{Method: "POST", Target: "/api/v1/orders/countdown", Status: 200, Header: json, Answer: []byte(`{"deadline":null}`)},
			"the request has no body"},
		"a body": {spectest.Exchange{Method: "POST", Target: "/api/v1/orders/countdown", Body: []byte(`{"timeout_ms":5,"x":1}`), Status: 200, Header: json, Answer: []byte(`{"deadline":null}`)},
			"request: "},
		"a body that was refused": {spectest.Exchange{Method: "POST", Target: "/api/v1/orders/countdown", Body: []byte(`{"x":1}`), Status: 400, Header: problem,
			Answer: []byte(`{"type":"urn:qcat:problem:request.type","title":"x","status":400,"code":"request.type","detail":"x"}`)}, ""},
		"another status within": {spectest.Exchange{Method: "GET", Target: "/x", Status: 405, Header: problem, Answer: []byte(gone)}, "the problem says status 404"},
		"a code that nobody knows": {spectest.Exchange{Method: "GET", Target: "/x", Status: 404, Header: problem,
			Answer: []byte(strings.ReplaceAll(gone, "not_found", "was_not_found"))}, "/code"},
		"no Retry-After": {spectest.Exchange{Method: "GET", Target: "/ready", Status: 503, Header: problem,
			Answer: []byte(`{"type":"urn:qcat:problem:unavailable","title":"x","status":503,"code":"unavailable","detail":"x"}`)}, "header Retry-After is missing"},
		"not a request": {spectest.Exchange{Problem: true, Status: 400, Header: problem,
			Answer: []byte(`{"type":"urn:qcat:problem:http.malformed","title":"x","status":400,"code":"http.malformed","detail":"x"}`)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.x.Validate()
			if got := ""; err != nil {
				got = err.Error()
				if tt.want == "" || !strings.Contains(got, tt.want) {
					t.Errorf("%s, want %q", got, tt.want)
				}
			} else if tt.want != "" {
				t.Errorf("nothing is wrong, want %q", tt.want)
			}
		})
	}
}
