package spec_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"qcat/api/spec"
)

func file(t *testing.T, name string) ([]byte, spec.File) {
	t.Helper()
	f, ok, err := spec.Open(name)
	if err != nil || !ok {
		t.Fatalf("%q: %v, %v", name, ok, err)
	}
	b, err := f.Plain()
	if err != nil {
		t.Fatal(err)
	}
	return b, f
}

var linked = regexp.MustCompile(`(?:src|href)="([^"#]+)"`)

// TestPagesNeedNothingElse: what the pages load is served here, and no script or style
// stands in them: the policy forbids it.
func TestPagesNeedNothingElse(t *testing.T) {
	t.Parallel()
	for name, base := range map[string]string{"": "swagger/", "ws": ""} {
		page, f := file(t, name)
		if !strings.HasPrefix(f.Type, "text/html") || len(page) < 500 {
			t.Errorf("%q: %s of %d bytes", name, f.Type, len(page))
		}
		for _, m := range linked.FindAllSubmatch(page, -1) {
			to := string(m[1])
			if to == "swagger" || to == "../swagger" {
				to = base
			}
			if !strings.HasPrefix(to, base) {
				t.Errorf("%q links to %q", name, to)
				continue
			}
			file(t, strings.TrimPrefix(to, base))
		}
		for _, inline := range []string{"<script>", "<style", "style=", "onload", "onclick", "javascript:"} {
			if bytes.Contains(page, []byte(inline)) {
				t.Errorf("%q has %s in it", name, inline)
			}
		}
	}
	script, _ := file(t, "init.js")
	if !bytes.Contains(script, []byte(`url: "swagger/openapi.json"`)) || bytes.Contains(script, []byte("://")) {
		t.Errorf("the page shows something else:\n%s", script)
	}
}

func TestPageOfTheSocket(t *testing.T) {
	t.Parallel()
	page, _ := file(t, "ws")
	for _, want := range []string{"<h3>cancel_all</h3>", "permission trade or risk, scope account", "<h3>bbo:{instrument}</h3>", `id="schema-Order"`,
		"&#34;op&#34;:&#34;ping&#34;"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("it does not have %s", want)
		}
	}
}

func TestNoOtherFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"index.html", "swagger-ui-bundle.js.gz", "../bundle.go", "openapi.yml", "x"} {
		if _, ok, err := spec.Open(name); ok || err != nil {
			t.Errorf("%q: %v, %v", name, ok, err)
		}
	}
}
