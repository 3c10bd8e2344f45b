package spectest

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"qcat/api/spec"
)

// document is one of the two documents, and the schemas in it.
type document struct {
	root     map[string]any
	compiler *jsonschema.Compiler

	mu      sync.Mutex // of the compiler too
	schemas map[string]*jsonschema.Schema
}

var openAPI = sync.OnceValues(func() (*document, error) { return load(spec.OpenAPI) })

var asyncAPI = sync.OnceValues(func() (*document, error) { return load(spec.AsyncAPI) })

func load(open func() (*spec.Document, error)) (*document, error) {
	d, err := open()
	if err != nil {
		return nil, err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.JSON()))
	if err != nil {
		return nil, err
	}
	root, _ := v.(map[string]any)
	closeAll(root)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(resource, root); err != nil {
		return nil, err
	}
	return &document{root: root, compiler: c, schemas: map[string]*jsonschema.Schema{}}, nil
}

// resource is the name under which the compiler has the document.
const resource = "urn:qcat:document"

// schema returns the schema at a place of the document.
func (d *document) schema(at ...string) (*jsonschema.Schema, error) {
	var b strings.Builder
	b.WriteString(resource + "#")
	for _, key := range at {
		key = strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		b.WriteString("/" + url.PathEscape(key))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.schemas[b.String()]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(b.String())
	if err != nil {
		return nil, err
	}
	d.schemas[b.String()] = s
	return s, nil
}

// validate holds JSON text against the schema at a place.
func (d *document) validate(text []byte, at ...string) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return d.validateValue(v, at...)
}

func (d *document) validateValue(v any, at ...string) error {
	s, err := d.schema(at...)
	if err != nil {
		return err
	}
	return leaves(s.Validate(v))
}

// leaves makes an error of its causes that have none, a line each. What is called
// unexpected only because something beside it is wrong is left out.
func leaves(err error) error {
	var root *jsonschema.ValidationError
	if !errors.As(err, &root) {
		return err
	}
	var wrong, unexpected []error
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, c := range e.Causes {
			walk(c)
		}
		if len(e.Causes) > 0 {
			return
		}
		at := "/" + strings.Join(e.InstanceLocation, "/")
		if _, is := e.ErrorKind.(*kind.FalseSchema); is {
			unexpected = append(unexpected, fmt.Errorf("%s is not in the document", at))
			return
		}
		wrong = append(wrong, fmt.Errorf("%s: %s", at, e.ErrorKind.LocalizedString(english)))
	}
	walk(root)
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	return errors.Join(unexpected...)
}

var english = message.NewPrinter(language.English)

// at returns what is at a place of the document, references followed, and the place.
func (d *document) at(keys ...string) (map[string]any, []string) {
	o := d.root
	var place []string
	for _, key := range keys {
		o, _ = o[key].(map[string]any)
		place = append(place, key)
		for ref, is := o["$ref"].(string); is; ref, is = o["$ref"].(string) {
			o, place = d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
		if o == nil {
			return nil, nil
		}
	}
	return o, place
}

// closeAll closes the objects that schemas describe: what they do not name is an
// error. The documents leave them open, for clients are to expect new fields.
func closeAll(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			switch key {
			case "schema", "payload", "items", "additionalProperties":
				closeUse(member)
			case "properties":
				if members, ok := member.(map[string]any); ok {
					for _, m := range members {
						closeUse(m)
					}
				}
			case "examples", "enum", "const":
				continue
			}
			closeAll(member)
		}
	case []any:
		for _, e := range v {
			closeAll(e)
		}
	}
}

// closeUse closes a schema where it is used, which sees through references and
// combinations.
func closeUse(v any) {
	s, ok := v.(map[string]any)
	if !ok {
		return
	}
	for _, key := range []string{"$ref", "properties", "allOf", "anyOf", "oneOf"} {
		if _, structured := s[key]; structured {
			s["unevaluatedProperties"] = false
			return
		}
	}
}
