package spectest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"
)

// Exchange is a request over HTTP and its answer.
type Exchange struct {
	Method  string
	Target  string // path and query, as sent
	Body    []byte
	Status  int
	Header  func(name string) string // of the answer; "" for one that is not there
	Answer  []byte
	Problem bool // the request could not be read, and has no method or target
}

// Check reports what of an exchange is not as the OpenAPI document says.
func Check(t testing.TB, x *Exchange) {
	t.Helper()
	if err := x.Validate(); err != nil {
		t.Errorf("%s %s, answered %d: not as the document says: %v\nrequest: %.500s\nanswer: %.1000s", x.Method, x.Target, x.Status, err, x.Body, x.Answer)
	}
}

// Validate returns what is not as the document says, nil when all is.
func (x *Exchange) Validate() error {
	d, err := openAPI()
	if err != nil {
		return err
	}
	if x.Problem {
		return x.problem(d)
	}
	target, err := url.ParseRequestURI(x.Target)
	if err != nil {
		return x.problem(d)
	}
	template, values := d.find(path.Clean(target.Path))
	method := strings.ToLower(x.Method)
	if x.Method == http.MethodHead {
		method = "get"
	}
	op, place := d.at("paths", template, method)
	switch {
	case template != "" && x.Method == http.MethodOptions && x.Status == http.StatusNoContent:
		return x.empty()
	case op == nil:
		return x.problem(d)
	}
	if err := x.answer(d, place); err != nil {
		return err
	}
	if x.Status >= http.StatusBadRequest {
		return nil
	}
	return errors.Join(x.parameters(d, op, place, values, target.Query()), x.request(d, op, place))
}

// find returns the path of the document that a path is, "" if there is none, and the
// values of its parameters.
func (d *document) find(p string) (template string, values map[string]string) {
	paths, _ := d.root["paths"].(map[string]any)
	if _, ok := paths[p]; ok {
		return p, nil
	}
	have := strings.Split(p, "/")
next:
	for t := range paths {
		want := strings.Split(t, "/")
		if len(want) != len(have) {
			continue
		}
		found := map[string]string{}
		for i, segment := range want {
			name, open := strings.CutPrefix(segment, "{")
			switch {
			case open && have[i] != "":
				found[strings.TrimSuffix(name, "}")] = have[i]
			case segment != have[i]:
				continue next
			}
		}
		return t, found
	}
	return "", nil
}

// problem checks an answer that any request may get: an error.
func (x *Exchange) problem(d *document) error {
	if x.Status < http.StatusBadRequest {
		return errors.New("the document has no such path and method")
	}
	return x.body(d, "components", "responses", "Error", "content")
}

func (x *Exchange) empty() error {
	if len(x.Answer) > 0 {
		return errors.New("it has a body, and the document none")
	}
	return nil
}

// answer checks status, header and body.
func (x *Exchange) answer(d *document, op []string) error {
	status := strconv.Itoa(x.Status)
	response, place := d.at(append(op[:len(op):len(op)], "responses", status)...)
	if response == nil && x.Status >= http.StatusBadRequest {
		response, place = d.at(append(op[:len(op):len(op)], "responses", "default")...)
	}
	if response == nil {
		return errors.New("the document has no such status")
	}
	headers, _ := response["headers"].(map[string]any)
	for name := range headers {
		h, at := d.at(append(place[:len(place):len(place)], "headers", name)...)
		switch value := x.Header(name); {
		case value == "" && h["required"] == true:
			return fmt.Errorf("header %s is missing", name)
		case value != "":
			if err := d.text(value, at); err != nil {
				return fmt.Errorf("header %s: %w", name, err)
			}
		}
	}
	if response["content"] == nil || x.Method == http.MethodHead {
		return x.empty()
	}
	return x.body(d, append(place, "content")...)
}

// body checks the answer against one of the media types of a response.
func (x *Exchange) body(d *document, content ...string) error {
	if x.Method == http.MethodHead {
		return x.empty()
	}
	types, place := d.at(content...)
	have, _, err := mime.ParseMediaType(x.Header("Content-Type"))
	if err != nil {
		return fmt.Errorf("content type %q: %w", x.Header("Content-Type"), err)
	}
	for want := range types {
		if match, _ := path.Match(want, have); !match {
			continue
		}
		if have != "application/json" && have != problemType || want != have {
			return nil // a text
		}
		if err := d.validate(x.Answer, append(place, want, "schema")...); err != nil {
			return err
		}
		if have == problemType {
			return x.agrees()
		}
		return nil
	}
	return fmt.Errorf("the document has no content type %q", have)
}

const problemType = "application/problem+json"

// agrees checks what a problem says of itself.
func (x *Exchange) agrees() error {
	var p struct {
		Type, Code string
		Status     int
	}
	if err := json.Unmarshal(x.Answer, &p); err != nil {
		return err
	}
	if p.Status != x.Status || p.Type != "urn:qcat:problem:"+p.Code {
		return fmt.Errorf("the problem says status %d and type %s of code %s", p.Status, p.Type, p.Code)
	}
	return nil
}

// parameters checks the path and the query of a request that was carried out.
func (x *Exchange) parameters(d *document, op map[string]any, place []string, path map[string]string, query url.Values) error {
	list, _ := op["parameters"].([]any)
	known := map[string]bool{}
	for i := range list {
		p, at := d.parameter(place, i)
		name, _ := p["name"].(string)
		var value string
		given := false
		switch p["in"] {
		case "path":
			value, given = path[name], true
		case "query":
			known[name] = true
			value, given = query.Get(name), query.Has(name)
		default:
			continue
		}
		switch {
		case !given && p["required"] == true:
			return fmt.Errorf("parameter %s is missing", name)
		case given:
			if err := d.text(value, at); err != nil {
				return fmt.Errorf("parameter %s: %w", name, err)
			}
		}
	}
	for name := range query {
		if !known[name] && op["x-ignores-query"] != true {
			return fmt.Errorf("the document has no parameter %s", name)
		}
	}
	return nil
}

// parameter returns an operation's parameter, and its place.
func (d *document) parameter(op []string, i int) (map[string]any, []string) {
	o, _ := d.at(op...)
	list, _ := o["parameters"].([]any)
	p, _ := list[i].(map[string]any)
	if ref, is := p["$ref"].(string); is {
		return d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	return p, append(op[:len(op):len(op)], "parameters", strconv.Itoa(i))
}

// text checks a text that stands for a value: a header, a part of the path or of the
// query. The document says whether it is a number.
func (d *document) text(value string, at []string) error {
	at = append(at[:len(at):len(at)], "schema")
	err := d.validateValue(value, at...)
	if err == nil {
		return nil
	}
	if json.Valid([]byte(value)) && d.validate([]byte(value), at...) == nil {
		return nil
	}
	return err
}

// request checks the body of a request that was carried out.
func (x *Exchange) request(d *document, op map[string]any, place []string) error {
	want, has := op["requestBody"].(map[string]any)
	body := bytes.TrimSpace(x.Body)
	switch {
	case len(body) == 0 && want["required"] == true:
		return errors.New("the request has no body")
	case len(body) == 0, !has:
		return nil
	}
	if err := d.validate(body, append(place, "requestBody", "content", "application/json", "schema")...); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return nil
}
