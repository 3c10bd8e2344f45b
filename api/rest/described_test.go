package rest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"qcat/api/spec/spectest"
)

// announced are operations that the document has and the table does not, for their
// handlers are yet to come.
var announced = []string{
	"POST /api/v1/auth/login",
	"POST /api/v1/auth/refresh",
	"POST /api/v1/auth/logout",
	"GET /api/v1/users",
	"POST /api/v1/users",
	"GET /api/v1/users/{}",
	"PATCH /api/v1/users/{}",
	"GET /api/v1/apikeys",
	"POST /api/v1/apikeys",
	"DELETE /api/v1/apikeys/{}",
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// TestTableIsDescribed: the OpenAPI document has the operations of the table, all of
// them and no other.
func TestTableIsDescribed(t *testing.T) {
	t.Parallel()
	operations, err := spectest.Operations()
	if err != nil {
		t.Fatal(err)
	}
	var described, served []string
	for _, o := range operations {
		described = append(described, o.Method+" "+parameter.ReplaceAllString(o.Path, "{}"))
	}
	for _, row := range (&Server{}).table() {
		path := strings.ReplaceAll(row.pattern, "*", "{}")
		if strings.HasSuffix(path, "/") {
			path += "{}"
		}
		served = append(served, methodNames[row.method]+" "+path)
	}
	for _, o := range served {
		if !slices.Contains(described, o) {
			t.Errorf("the document does not have %s", o)
		}
	}
	for _, o := range described {
		switch in, soon := slices.Contains(served, o), slices.Contains(announced, o); {
		case !in && !soon:
			t.Errorf("the table does not have %s", o)
		case in && soon:
			t.Errorf("the table has %s: it is no longer announced", o)
		}
	}
	for _, o := range announced {
		if !slices.Contains(described, o) {
			t.Errorf("%s is announced, and the document does not have it", o)
		}
	}
}
