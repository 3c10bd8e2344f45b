package spec_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"qcat/api/spec"
)

// documents are the two, with the published schemas of their formats.
var documents = []struct {
	name, schema string
	open         func() (*spec.Document, error)
}{
	{"OpenAPI", "testdata/openapi-3.1.json.gz", spec.OpenAPI},
	{"AsyncAPI", "testdata/asyncapi-3.0.json.gz", spec.AsyncAPI},
}

func open(t testing.TB, f func() (*spec.Document, error)) *spec.Document {
	t.Helper()
	d, err := f()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// parsed is a document as encoding/json reads it, numbers as they are written.
func parsed(t testing.TB, text []byte) map[string]any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

// published reads a schema of testdata.
func published(t testing.TB, name string) map[string]any {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(z)
	if err != nil {
		t.Fatal(err)
	}
	s := v.(map[string]any)
	if definitions, ok := s["$defs"].(map[string]any); ok {
		// OpenAPI leaves open what its schemas are written in.
		definitions["schema"] = map[string]any{"$dynamicAnchor": "meta", "$ref": "https://json-schema.org/draft/2020-12/schema"}
	}
	return s
}

// TestDocumentsAreOfTheirFormat holds both against the published schemas.
func TestDocumentsAreOfTheirFormat(t *testing.T) {
	t.Parallel()
	for _, tt := range documents {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := published(t, tt.schema)
			c := jsonschema.NewCompiler()
			id := s["$id"].(string)
			if err := c.AddResource(id, s); err != nil {
				t.Fatal(err)
			}
			schema, err := c.Compile(id)
			if err != nil {
				t.Fatal(err)
			}
			d := parsed(t, open(t, tt.open).JSON())
			if err := schema.Validate(d); err != nil {
				t.Errorf("%v", err)
			}
			d["info"].(map[string]any)["version"] = json.Number("1")
			if schema.Validate(d) == nil {
				t.Error("a version that is a number is taken: nothing was checked")
			}
		})
	}
}

// TestTextsAreOneDocument: YAML and JSON say the same.
func TestTextsAreOneDocument(t *testing.T) {
	t.Parallel()
	for _, tt := range documents {
		d := open(t, tt.open)
		var v any
		if err := yaml.Unmarshal(d.YAML(), &v); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(parsed(t, again), parsed(t, d.JSON())) {
			t.Errorf("%s: YAML and JSON differ", tt.name)
		}
	}
}

// TestSchemasCompile: every schema is one, and everything referred to is there.
func TestSchemasCompile(t *testing.T) {
	t.Parallel()
	for _, tt := range documents {
		d := parsed(t, open(t, tt.open).JSON())
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft2020)
		c.AssertFormat()
		if err := c.AddResource("urn:d", d); err != nil {
			t.Fatal(err)
		}
		schemas := d["components"].(map[string]any)["schemas"].(map[string]any)
		if len(schemas) < 50 {
			t.Errorf("%s has %d schemas", tt.name, len(schemas))
		}
		for name, v := range schemas {
			s, err := c.Compile("urn:d#/components/schemas/" + name)
			if err != nil {
				t.Errorf("%s: %s: %v", tt.name, name, err)
				continue
			}
			examples, _ := v.(map[string]any)["examples"].([]any)
			for _, x := range examples {
				if err := s.Validate(x); err != nil {
					t.Errorf("%s: example of %s: %v", tt.name, name, err)
				}
			}
		}
		references(t, d, d)
	}
}

// references looks up everything below v that is referred to.
func references(t *testing.T, root map[string]any, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if ref, is := v["$ref"].(string); is && lookup(root, ref) == nil {
			t.Errorf("nothing is at %s", ref)
		}
		for _, m := range v {
			references(t, root, m)
		}
	case []any:
		for _, e := range v {
			references(t, root, e)
		}
	}
}

// TestMessageExamples holds the examples of the WebSocket's messages against their
// payloads.
func TestMessageExamples(t *testing.T) {
	t.Parallel()
	d := parsed(t, open(t, spec.AsyncAPI).JSON())
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("urn:d", d); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, v := range d["components"].(map[string]any)["messages"].(map[string]any) {
		s, err := c.Compile("urn:d#/components/messages/" + name + "/payload")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		examples, _ := v.(map[string]any)["examples"].([]any)
		for _, x := range examples {
			seen++
			if err := s.Validate(x.(map[string]any)["payload"]); err != nil {
				t.Errorf("example of %s: %v", name, err)
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d examples only", seen)
	}
}
