package spec_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"qcat/api/auth"
	"qcat/api/spec"
	"qcat/api/spec/spectest"
	"qcat/api/wire"
	"qcat/core/history"
	"qcat/risk"
)

// lookup returns what a reference within a document is to, nil if nothing.
func lookup(root map[string]any, ref string) any {
	var at any = root
	for key := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		o, _ := at.(map[string]any)
		at = o[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]
	}
	return at
}

// enum are the names of a schema that is one.
func enum(t *testing.T, root map[string]any, schema string) (names []string) {
	t.Helper()
	s, _ := lookup(root, "#/components/schemas/"+schema).(map[string]any)
	list, _ := s["enum"].([]any)
	for _, v := range list {
		names = append(names, fmt.Sprint(v))
	}
	if len(names) == 0 {
		t.Errorf("%s has no names", schema)
	}
	return names
}

// same requires two sets of names to be one.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s are %q in the document and %q in the code", what, got, want)
	}
}

// TestNamesAreThoseOfTheCode: what the document lists is what there is.
func TestNamesAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	d := parsed(t, open(t, spec.OpenAPI).JSON())

	var limits []string
	for l := range risk.Limit(risk.NumLimits) {
		limits = append(limits, l.String())
	}
	same(t, "limits", enum(t, d, "LimitName"), limits)

	var codes []string
	for c := range 1 << 16 {
		if name := risk.Code(c).String(); strings.HasPrefix(name, "risk.") {
			codes = append(codes, name)
		}
	}
	same(t, "refusals", enum(t, d, "RiskCode"), codes)

	requests := map[string]bool{"request.query": true, "request.path": true} // of HTTP alone
	for k := wire.Syntax; k <= wire.TooFine; k++ {
		requests[wire.Error{Kind: k}.Code()] = true
	}
	same(t, "mistakes in requests", enum(t, d, "RequestCode"), slices.Collect(maps.Keys(requests)))

	var kinds []string
	for k := history.RiskEventKind(1); k.String() != "unknown"; k++ {
		kinds = append(kinds, k.String())
	}
	same(t, "risk events", enum(t, d, "RiskEventKind"), kinds)

	var refusals []string
	for _, e := range auth.Table() {
		refusals = append(refusals, e.Code)
	}
	same(t, "refusals of identities", enum(t, d, "AuthCode"), refusals)

	action := regexp.MustCompile(lookup(d, "#/components/schemas/AuditAction").(map[string]any)["pattern"].(string))
	for _, name := range history.AuditActions {
		if !action.MatchString(name) {
			t.Errorf("%q is no action", name)
		}
	}
}

// operations walks over the operations of the OpenAPI document.
func operations(d map[string]any, each func(method, path string, op map[string]any)) {
	for path, v := range d["paths"].(map[string]any) {
		for method, op := range v.(map[string]any) {
			each(method, path, op.(map[string]any))
		}
	}
}

var inBraces = regexp.MustCompile(`\{([^}]*)\}`)

// TestOperations: each has a name of its own, a tag that is known, the parameters of
// its path, and answers of all kinds.
func TestOperations(t *testing.T) {
	t.Parallel()
	d := parsed(t, open(t, spec.OpenAPI).JSON())
	tags := map[string]bool{}
	for _, v := range d["tags"].([]any) {
		tags[v.(map[string]any)["name"].(string)] = true
	}
	ids := map[any]bool{}
	operations(d, func(method, path string, op map[string]any) {
		if ids[op["operationId"]] || op["operationId"] == nil {
			t.Errorf("%s %s: operationId %v is missing or of another", method, path, op["operationId"])
		}
		ids[op["operationId"]] = true
		for _, tag := range op["tags"].([]any) {
			if !tags[tag.(string)] {
				t.Errorf("%s %s: nothing is said of the tag %v", method, path, tag)
			}
		}
		var want, have []string
		for _, m := range inBraces.FindAllStringSubmatch(path, -1) {
			want = append(want, m[1])
		}
		parameters, _ := op["parameters"].([]any)
		for _, v := range parameters {
			p := v.(map[string]any)
			if ref, is := p["$ref"].(string); is {
				p, _ = lookup(d, ref).(map[string]any)
			}
			if p["in"] == "path" {
				have = append(have, p["name"].(string))
			}
		}
		same(t, method+" "+path+": parameters of the path", have, want)
		responses := op["responses"].(map[string]any)
		for _, status := range []string{"400", "403", "429", "503", "default"} {
			if responses[status] == nil {
				t.Errorf("%s %s has no response %s", method, path, status)
			}
		}
	})
	if len(ids) < 40 {
		t.Errorf("%d operations only", len(ids))
	}
}

// TestEveryRowSaysWhoMay: permission, scope and security are there and agree.
func TestEveryRowSaysWhoMay(t *testing.T) {
	t.Parallel()
	http, err := spectest.Operations()
	if err != nil {
		t.Fatal(err)
	}
	socket, err := spectest.SocketOperations()
	if err != nil {
		t.Fatal(err)
	}
	scopes := []string{"none", "account", "firm"}
	for _, o := range slices.Concat(http, socket) {
		for _, p := range o.Permissions {
			if !slices.Contains([]string{"read", "trade", "risk", "admin"}, p) {
				t.Errorf("%s %s: permission %q", o.Method, o.Path, p)
			}
		}
		if !slices.Contains(scopes, o.Scope) {
			t.Errorf("%s %s: scope %q", o.Method, o.Path, o.Scope)
		}
		if len(o.Permissions) == 0 && o.Scope != "none" {
			t.Errorf("%s %s: anybody may, within %s", o.Method, o.Path, o.Scope)
		}
	}
	for _, o := range http {
		if o.Open != (len(o.Permissions) == 0) {
			t.Errorf("%s %s: security and permission %q do not agree", o.Method, o.Path, o.Permissions)
		}
	}
	if len(http) < 40 || len(socket) < 15 {
		t.Errorf("%d rows of HTTP, %d of the WebSocket", len(http), len(socket))
	}
}

// TestWhoMay is the table by which areas are opened: a new path stands in one of them.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	all, err := spectest.Operations()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		if got, want := strings.Join(o.Permissions, " "), permissionOf(o.Method, o.Path); got != want {
			t.Errorf("%s %s: %q, want %q", o.Method, o.Path, got, want)
		}
	}
}

// permissionOf is what an operation takes, by the area that it is in.
func permissionOf(method, path string) string {
	area, api := strings.CutPrefix(path, "/api/v1/")
	area, rest, _ := strings.Cut(area, "/")
	switch {
	case path == "/metrics":
		return "read"
	case !api, area == "ws", area == "auth" && rest != "logout":
		return ""
	case area == "users", area == "apikeys", area == "audit":
		return "admin"
	case method == "GET", rest == "check", area == "auth":
		return "read"
	case area == "orders" && method == "DELETE":
		return "trade risk"
	case area == "orders":
		return "trade"
	}
	return "risk"
}
