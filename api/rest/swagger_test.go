package rest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

// TestDescriptionIsServed: the page, the documents and what the page loads, to whoever
// takes gzip and to whoever does not.
func TestDescriptionIsServed(t *testing.T) {
	s := serve(t)
	for path, want := range map[string]struct{ contentType, inside string }{
		"/swagger":                      {"text/html; charset=utf-8", "swagger-ui"},
		"/swagger/openapi.json":         {"application/json", `"openapi":"3.1`},
		"/swagger/openapi.yaml":         {"application/yaml", "openapi: 3.1"},
		"/swagger/asyncapi.json":        {"application/json", `"asyncapi":"3.0`},
		"/swagger/asyncapi.yaml":        {"application/yaml", "asyncapi: 3.0"},
		"/swagger/ws":                   {"text/html; charset=utf-8", "cancel_on_disconnect"},
		"/swagger/swagger-ui-bundle.js": {"text/javascript; charset=utf-8", "SwaggerUIBundle"},
		"/swagger/swagger-ui.css":       {"text/css; charset=utf-8", ".swagger-ui"},
	} {
		r := s.ask("GET", path, "")
		if r.status != 200 || r.header("Content-Type") != want.contentType || !strings.Contains(r.body, want.inside) {
			t.Errorf("%s: status %d, %s, %d bytes", path, r.status, r.header("Content-Type"), len(r.body))
		}
		policy := r.header("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || r.header("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s has the policy %q", path, policy)
		}
		if head := s.ask("HEAD", path, ""); head.status != 200 || head.body != "" {
			t.Errorf("HEAD %s: %d, %q", path, head.status, head.body)
		}
		s.ask("POST", path, "").refused(405, "http.method")
		s.ask("GET", path+"?x=1", "").refused(400, "request.query")
		zipped := s.ask("GET", path, "", "Accept-Encoding: gzip")
		if zipped.header("Content-Encoding") != "gzip" {
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(zipped.body))
		if err != nil {
			t.Fatal(path, err)
		}
		if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, []byte(r.body)) {
			t.Errorf("%s: compressed it is another: %v", path, err)
		}
	}
	if r := s.ask("GET", "/swagger/swagger-ui-bundle.js", "", "Accept-Encoding: gzip"); r.header("Content-Encoding") != "gzip" {
		t.Error("what is large is sent as it is to who takes it compressed")
	}
	s.ask("GET", "/swagger/nothing", "").refused(404, "not_found")
	s.ask("GET", "/swagger/../web/index.html", "").refused(404, "not_found")
}
