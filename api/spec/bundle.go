package spec

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed openapi/*.yaml asyncapi/*.yaml schemas/*.yaml
var sources embed.FS

// Errors of a document that cannot be put together. The tests put it together: a
// server does not meet them.
var (
	errTwice  = errors.New("it stands twice")
	errMember = errors.New("it is not what it should be")
)

// Document is one of the two documents.
type Document struct {
	root object
	json []byte
	yaml []byte
}

// JSON is the document as JSON. It must not be changed.
func (d *Document) JSON() []byte { return d.json }

// YAML is the document as YAML. It must not be changed.
func (d *Document) YAML() []byte { return d.yaml }

// OpenAPI describes the HTTP interface. Errors: a mistake in the embedded files.
var OpenAPI = sync.OnceValues(func() (*Document, error) {
	root, err := merge("openapi", "schemas")
	if err != nil {
		return nil, err
	}
	if err := answerEverywhere(root); err != nil {
		return nil, err
	}
	return encode(root)
})

// AsyncAPI describes the WebSocket. Errors: as OpenAPI.
var AsyncAPI = sync.OnceValues(func() (*Document, error) {
	root, err := merge("asyncapi", "schemas")
	if err != nil {
		return nil, err
	}
	return encode(root)
})

// object is a mapping that keeps its order.
type object = yaml.MapSlice

// everywhere is the file of what every operation may answer.
const everywhere = "everywhere.yaml"

// merge reads the files of some folders as one object. Files below schemas have
// schemas only.
func merge(folders ...string) (root object, err error) {
	for _, folder := range folders {
		files, err := fs.Glob(sources, folder+"/*.yaml")
		if err != nil {
			return nil, err
		}
		if i := slices.Index(files, folder+"/info.yaml"); i > 0 { // a document begins with what it is
			files = slices.Insert(slices.Delete(files, i, i+1), 0, folder+"/info.yaml")
		}
		for _, name := range files {
			if path.Base(name) == everywhere {
				continue
			}
			part, err := read(name)
			if err != nil {
				return nil, err
			}
			if folder == "schemas" {
				part = object{{Key: "components", Value: object{{Key: "schemas", Value: part}}}}
			}
			if root, err = join(root, part); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	prune(root)
	return root, nil
}

func read(name string) (part object, err error) {
	text, err := sources.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalWithOptions(text, &part, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return part, nil
}

// join adds the members of b to a. Objects that both have are joined; anything else
// that both have is an error.
func join(a, b object) (object, error) {
	for _, m := range b {
		i := indexOf(a, m.Key)
		if i < 0 {
			a = append(a, m)
			continue
		}
		x, isObject := a[i].Value.(object)
		y, both := m.Value.(object)
		if !isObject || !both {
			return nil, fmt.Errorf("%v: %w", m.Key, errTwice)
		}
		joined, err := join(x, y)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", m.Key, err)
		}
		a[i].Value = joined
	}
	return a, nil
}

func indexOf(o object, key any) int {
	return slices.IndexFunc(o, func(m yaml.MapItem) bool { return m.Key == key })
}

// member returns a member of an object, nil where there is none.
func member(o object, key string) any {
	if i := indexOf(o, key); i >= 0 {
		return o[i].Value
	}
	return nil
}

// prune takes away the schemas that nothing refers to: each document has what it needs
// of those that they share.
func prune(root object) {
	components, _ := member(root, "components").(object)
	at := indexOf(components, "schemas")
	if at < 0 {
		return
	}
	all, _ := components[at].Value.(object)
	used := map[string]bool{}
	for _, m := range root {
		if m.Key != "components" {
			use(used, all, m.Value)
		}
	}
	for _, m := range components {
		if m.Key != "schemas" {
			use(used, all, m.Value)
		}
	}
	components[at].Value = slices.DeleteFunc(all, func(m yaml.MapItem) bool { return !used[fmt.Sprint(m.Key)] })
}

// use notes the schemas that a value refers to, and those that they do.
func use(used map[string]bool, all object, v any) {
	switch v := v.(type) {
	case object:
		for _, m := range v {
			ref, _ := m.Value.(string)
			if name, is := strings.CutPrefix(ref, "#/components/schemas/"); is && m.Key == "$ref" && !used[name] {
				used[name] = true
				use(used, all, member(all, name))
			}
			use(used, all, m.Value)
		}
	case []any:
		for _, e := range v {
			use(used, all, e)
		}
	}
}

// methods are the members of a path that are operations.
var methods = []string{"get", "put", "post", "patch", "delete"}

// answerEverywhere gives each operation the responses that it does not tell of because
// all have them.
func answerEverywhere(root object) error {
	extra, err := read("openapi/" + everywhere)
	if err != nil {
		return err
	}
	all, _ := member(extra, "all").(object)
	secured, _ := member(extra, "secured").(object)
	paths, _ := member(root, "paths").(object)
	for _, at := range paths {
		operations, _ := at.Value.(object)
		for _, op := range operations {
			if !slices.Contains(methods, fmt.Sprint(op.Key)) {
				continue
			}
			o, _ := op.Value.(object)
			more := all
			if s, own := member(o, "security").([]any); !own || len(s) > 0 {
				more = slices.Concat(secured, all)
			}
			if err := answerToo(o, more); err != nil {
				return fmt.Errorf("%v %v: %w", op.Key, at.Key, err)
			}
		}
	}
	return nil
}

// answerToo adds responses to those that an operation has.
func answerToo(operation, more object) error {
	i := indexOf(operation, "responses")
	if i < 0 {
		return fmt.Errorf("responses: %w", errMember)
	}
	responses, _ := operation[i].Value.(object)
	for _, r := range more {
		if indexOf(responses, r.Key) < 0 {
			responses = append(responses, r)
		}
	}
	slices.SortStableFunc(responses, func(a, b yaml.MapItem) int {
		return strings.Compare(fmt.Sprint(a.Key), fmt.Sprint(b.Key))
	})
	operation[i].Value = responses
	return nil
}

// encode writes a document down.
func encode(root object) (*Document, error) {
	text, err := yaml.MarshalWithOptions(root, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true))
	if err != nil {
		return nil, err
	}
	b, err := appendJSON(nil, root)
	if err != nil {
		return nil, err
	}
	return &Document{root: root, json: b, yaml: text}, nil
}
