package spectest

import (
	"cmp"
	"slices"
	"strings"
)

// Operation is one row of who may do what: an operation of the HTTP interface, a
// request of the WebSocket or a channel of it.
type Operation struct {
	// Method and Path are those of HTTP, the path with its parameters in braces. Of a
	// request of the WebSocket the method is WS and the path its op, of a channel the
	// method is CH and the path its address.
	Method, Path string
	// Permissions of which one is enough; none is needed where it is empty.
	Permissions []string
	Scope       string   // none, account or firm
	Owner       string   // the permission that is enough for one's own, "" if there is none
	Open        bool     // no identity is asked for
	Local       bool     // nor is one of requests from the server's own machine
	Session     bool     // a session is needed: an API key has none
	Parameters  []string // the names of those in the path, in their order
}

// Operations are those of the OpenAPI document, in the order of their paths.
func Operations() ([]Operation, error) {
	d, err := openAPI()
	if err != nil {
		return nil, err
	}
	paths, _ := d.at("paths")
	var all []Operation
	for path, v := range paths {
		methods, _ := v.(map[string]any)
		for method, v := range methods {
			op, _ := v.(map[string]any)
			o := newOperation(strings.ToUpper(method), path, op)
			s, own := op["security"].([]any)
			o.Open = own && len(s) == 0
			o.Session = len(s) == 1 && bearerAlone(s[0])
			all = append(all, o)
		}
	}
	sortOperations(all)
	return all, nil
}

func bearerAlone(v any) bool {
	scheme, _ := v.(map[string]any)
	return len(scheme) == 1 && scheme["bearer"] != nil
}

// SocketOperations are the requests and channels of the AsyncAPI document.
func SocketOperations() ([]Operation, error) {
	d, err := asyncAPI()
	if err != nil {
		return nil, err
	}
	var all []Operation
	operations, _ := d.at("operations")
	for name, v := range operations {
		if op, _ := v.(map[string]any); op["action"] == "receive" {
			all = append(all, newOperation("WS", name, op))
		}
	}
	channels, _ := d.at("channels")
	for name, v := range channels {
		if ch, _ := v.(map[string]any); name != "socket" {
			address, _ := ch["address"].(string)
			all = append(all, newOperation("CH", address, ch))
		}
	}
	sortOperations(all)
	return all, nil
}

func newOperation(method, path string, op map[string]any) Operation {
	o := Operation{Method: method, Path: path, Permissions: permissions(op["x-permission"])}
	o.Scope, _ = op["x-scope"].(string)
	o.Owner, _ = op["x-owner"].(string)
	o.Local, _ = op["x-local"].(bool)
	for segment := range strings.SplitSeq(path, "/") {
		if name, open := strings.CutPrefix(segment, "{"); open {
			o.Parameters = append(o.Parameters, strings.TrimSuffix(name, "}"))
		}
	}
	return o
}

func permissions(v any) (names []string) {
	switch v := v.(type) {
	case string:
		if v != "none" {
			names = append(names, v)
		}
	case []any:
		for _, n := range v {
			name, _ := n.(string)
			names = append(names, name)
		}
	}
	return names
}

func sortOperations(all []Operation) {
	slices.SortFunc(all, func(a, b Operation) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
}
