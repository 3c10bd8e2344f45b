package rest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"qcat/api/spec/spectest"
)

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
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("the document has\n%q\nand the table\n%q", described, served)
	}
}
