package spectest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Slot is one place of a request of the OpenAPI document that a client can put a text in,
// whatever the document wants there: a parameter, a member of the body, an element of an
// array in it, or the name of a member that it may choose.
type Slot struct {
	Operation
	In   string // path, query or body
	Name string // of a parameter; of the body the way to it: a.b, with [] for an element and {} for a name

	doc  *document
	root map[string]any // the operation
	way  []string
}

// Known says what to use for a parameter or member of a name, where the document's own
// examples name what a server does not have. A name may be that of one operation alone,
// as in "POST /api/v1/orders price": then the member is always there.
type Known map[string]any

// Slots are all there are, in the order of their operations.
func Slots() ([]Slot, error) {
	d, err := openAPI()
	if err != nil {
		return nil, err
	}
	operations, err := Operations()
	if err != nil {
		return nil, err
	}
	var all []Slot
	for _, o := range operations {
		root, _ := d.at("paths", o.Path, strings.ToLower(o.Method))
		for _, p := range d.parameters(root) {
			in, _ := p["in"].(string)
			name, _ := p["name"].(string)
			if in == "path" || in == "query" {
				all = append(all, Slot{o, in, name, d, root, nil})
			}
		}
		for _, way := range d.ways(d.bodySchema(root), nil) {
			all = append(all, Slot{o, "body", strings.Join(way, "."), d, root, way})
		}
	}
	slices.SortStableFunc(all, func(a, b Slot) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return all, nil
}

// parameters are those of an operation, references followed.
func (d *document) parameters(op map[string]any) (all []map[string]any) {
	list, _ := op["parameters"].([]any)
	for _, p := range list {
		all = append(all, d.resolve(p))
	}
	return all
}

// resolve follows references, and makes one schema of those that allOf joins.
func (d *document) resolve(v any) map[string]any {
	s, _ := v.(map[string]any)
	if ref, is := s["$ref"].(string); is {
		s, _ = d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	parts, _ := s["allOf"].([]any)
	for _, part := range parts {
		whole := maps.Clone(d.resolve(part))
		maps.Copy(whole, s)
		delete(whole, "allOf")
		s = whole
	}
	return s
}

// bodySchema is that of an operation's body, nil if it has none.
func (d *document) bodySchema(op map[string]any) any {
	body := d.resolve(op["requestBody"])
	content, _ := body["content"].(map[string]any)
	media, _ := content["application/json"].(map[string]any)
	return media["schema"]
}

// ways are those to every place in a value of a schema.
func (d *document) ways(schema any, way []string) (all [][]string) {
	s := d.resolve(schema)
	if s == nil {
		return nil
	}
	if len(way) > 0 {
		all = append(all, slices.Clone(way))
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		several, _ := s[key].([]any)
		for _, one := range several {
			if r := d.resolve(one); r["properties"] != nil || r["items"] != nil {
				all = append(all, d.ways(r, way)...)
			}
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		all = append(all, d.ways(properties[name], append(way, name))...)
	}
	if s["items"] != nil {
		all = append(all, d.ways(s["items"], append(way, "[]"))...)
	}
	if open, is := s["additionalProperties"].(map[string]any); is {
		all = append(all, append(slices.Clone(way), "{}"))
		name := "x"
		if names := d.resolve(s["propertyNames"]); names != nil {
			name, _ = (&filler{document: d}).sample(names, "").(string)
		}
		all = append(all, d.ways(open, append(way, name))...)
	}
	return all
}

// Fill is the target and the body of a request that has the text in the slot, and that is
// otherwise as the document wants it: every member and parameter that is needed, and the
// account, without which many others mean nothing.
func (s *Slot) Fill(text string, known Known) (target string, body []byte, err error) {
	f := &filler{s.doc, s.Method + " " + s.Path, known}
	target, query := s.Path, url.Values{}
	for _, p := range s.doc.parameters(s.root) {
		in, _ := p["in"].(string)
		name, _ := p["name"].(string)
		value, own := text, in == s.In && name == s.Name
		if !own {
			value = textOf(f.sample(p["schema"], name))
		}
		switch needed, _ := p["required"].(bool); {
		case in == "path":
			target = strings.ReplaceAll(target, "{"+name+"}", url.PathEscape(value))
		case in == "query" && (own || needed || name == "account" && s.In != "body"):
			query.Set(name, value)
		}
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	schema := s.doc.bodySchema(s.root)
	if schema == nil || s.In == "query" { // what takes both takes one of them
		return target, nil, nil
	}
	value := f.sample(schema, "")
	if s.In == "body" {
		value = f.put(schema, value, s.way, text)
	}
	body, err = json.Marshal(value)
	return target, body, err
}

// filler makes values for one operation.
type filler struct {
	*document
	operation string // its method and path
	known     Known
}

// put returns value with the text in the place that a way leads to.
func (f *filler) put(schema, value any, way []string, text string) any {
	if len(way) == 0 {
		return text
	}
	s := f.resolve(schema)
	for _, key := range []string{"anyOf", "oneOf"} {
		several, _ := s[key].([]any)
		for _, one := range several {
			r := f.resolve(one)
			if properties, _ := r["properties"].(map[string]any); properties[way[0]] != nil || way[0] == "[]" && r["items"] != nil {
				return f.put(r, f.sample(r, ""), way, text)
			}
		}
	}
	if way[0] == "[]" {
		return []any{f.put(s["items"], f.sample(s["items"], ""), way[1:], text)}
	}
	object, _ := value.(map[string]any)
	if object = maps.Clone(object); object == nil {
		object = map[string]any{}
	}
	properties, _ := s["properties"].(map[string]any)
	switch member := properties[way[0]]; {
	case way[0] == "{}":
		object[text] = f.sample(s["additionalProperties"], "")
	case member == nil:
		object[way[0]] = f.put(s["additionalProperties"], nil, way[1:], text)
	default:
		inner := object[way[0]]
		if inner == nil {
			inner = f.sample(member, way[0])
		}
		object[way[0]] = f.put(member, inner, way[1:], text)
	}
	return object
}

// sample is a value that a schema allows, of a member of that name.
func (f *filler) sample(schema any, name string) any {
	for _, key := range []string{f.operation + " " + name, name} {
		if v, is := f.known[key]; is {
			return v
		}
	}
	s := f.resolve(schema)
	if v, is := s["const"]; is {
		return v
	}
	for _, key := range []string{"enum", "examples"} {
		if list, _ := s[key].([]any); len(list) > 0 && s["properties"] == nil {
			return list[0]
		}
	}
	several, _ := s["oneOf"].([]any)
	if more, _ := s["anyOf"].([]any); s["properties"] == nil {
		several = append(several, more...)
	}
	if len(several) > 0 {
		return f.sample(several[0], name)
	}
	switch kindOf(s) {
	case "object":
		return f.object(s)
	case "array":
		return []any{f.sample(s["items"], "")}
	case "integer", "number":
		return cmp.Or[any](s["default"], s["minimum"], 1)
	case "boolean":
		return true
	}
	return "x"
}

// object is one with the members that a schema needs, those that are known of the operation,
// and an account if it has one.
func (f *filler) object(s map[string]any) any {
	needed, _ := s["required"].([]any)
	if several, _ := s["anyOf"].([]any); len(several) > 0 {
		first, _ := several[0].(map[string]any)
		more, _ := first["required"].([]any)
		needed = append(slices.Clone(needed), more...)
	}
	properties, _ := s["properties"].(map[string]any)
	object := map[string]any{}
	for name, schema := range properties {
		_, always := f.known[f.operation+" "+name]
		if always || name == "account" || slices.Contains(needed, any(name)) {
			object[name] = f.sample(schema, name)
		}
	}
	return object
}

// kindOf is a schema's type, of several the first.
func kindOf(s map[string]any) string {
	if list, _ := s["type"].([]any); len(list) > 0 {
		kind, _ := list[0].(string)
		return kind
	}
	kind, _ := s["type"].(string)
	return kind
}

// textOf is a value as a parameter has it.
func textOf(v any) string {
	if text, is := v.(string); is {
		return text
	}
	b, _ := json.Marshal(v) // it was read from JSON
	return string(b)
}
