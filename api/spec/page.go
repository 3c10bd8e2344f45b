package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strings"
	"sync"
)

// socketFile is the page of the WebSocket, made from its document.
var socketFile = sync.OnceValues(func() (File, error) {
	d, err := AsyncAPI()
	if err != nil {
		return File{}, err
	}
	t, err := template.ParseFS(web, "web/ws.html")
	if err != nil {
		return File{}, err
	}
	p, err := newSocketPage(d.root)
	if err != nil {
		return File{}, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return File{}, err
	}
	return File{Type: typeHTML, Body: b.Bytes()}, nil
})

// socketPage is what the page of the WebSocket shows.
type socketPage struct {
	Title, Description string
	Requests, Channels []socketEntry
	Schemas            []schemaEntry
}

// socketEntry is a request or a channel, and who may.
type socketEntry struct {
	Name, Text, Permission, Scope string
	Messages                      []messageEntry
}

type messageEntry struct {
	Text, Schema string
	Examples     []string
}

type schemaEntry struct{ Name, Body string }

func newSocketPage(root object) (p *socketPage, err error) {
	info, _ := member(root, "info").(object)
	components, _ := member(root, "components").(object)
	messages, _ := member(components, "messages").(object)
	p = &socketPage{Title: text(info, "title"), Description: text(info, "description")}
	if p.Requests, err = socketRequests(root, messages); err != nil {
		return nil, err
	}
	if p.Channels, err = socketChannels(root, messages); err != nil {
		return nil, err
	}
	schemas, _ := member(components, "schemas").(object)
	for _, m := range schemas {
		body, err := indented(m.Value)
		if err != nil {
			return nil, err
		}
		p.Schemas = append(p.Schemas, schemaEntry{fmt.Sprint(m.Key), body})
	}
	return p, nil
}

// socketRequests are what a client may send, each with its answers.
func socketRequests(root, messages object) (all []socketEntry, err error) {
	operations, _ := member(root, "operations").(object)
	for _, m := range operations {
		op, _ := m.Value.(object)
		if text(op, "action") != "receive" {
			continue
		}
		e := newSocketEntry(fmt.Sprint(m.Key), text(op, "summary"), op)
		refs, _ := member(op, "messages").([]any)
		reply, _ := member(op, "reply").(object)
		answers, _ := member(reply, "messages").([]any)
		for _, ref := range slices.Concat(refs, answers) {
			if e.Messages, err = appendMessage(e.Messages, messages, ref); err != nil {
				return nil, err
			}
		}
		all = append(all, e)
	}
	return all, nil
}

// socketChannels are what a client may subscribe to.
func socketChannels(root, messages object) (all []socketEntry, err error) {
	channels, _ := member(root, "channels").(object)
	for _, m := range channels {
		ch, _ := m.Value.(object)
		if m.Key == "socket" {
			continue // requests and answers
		}
		e := newSocketEntry(text(ch, "address"), text(ch, "title"), ch)
		refs, _ := member(ch, "messages").(object)
		for _, ref := range refs {
			if e.Messages, err = appendMessage(e.Messages, messages, ref.Value); err != nil {
				return nil, err
			}
		}
		all = append(all, e)
	}
	return all, nil
}

func newSocketEntry(name, what string, o object) socketEntry {
	return socketEntry{Name: name, Text: what, Permission: oneOf(member(o, "x-permission")), Scope: text(o, "x-scope")}
}

// appendMessage appends the message that a reference is to.
func appendMessage(list []messageEntry, messages object, ref any) ([]messageEntry, error) {
	o, _ := ref.(object)
	m, ok := member(messages, path.Base(text(o, "$ref"))).(object)
	if !ok {
		return nil, fmt.Errorf("message %v: %w", ref, errMember)
	}
	payload, _ := member(m, "payload").(object)
	e := messageEntry{Text: text(m, "summary"), Schema: path.Base(text(payload, "$ref"))}
	examples, _ := member(m, "examples").([]any)
	for _, x := range examples {
		o, _ := x.(object)
		b, err := appendJSON(nil, member(o, "payload"))
		if err != nil {
			return nil, err
		}
		e.Examples = append(e.Examples, string(b))
	}
	return append(list, e), nil
}

func text(o object, key string) string {
	s, _ := member(o, key).(string)
	return s
}

// oneOf is a permission, or those of which one is enough.
func oneOf(v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	names := make([]string, len(list))
	for i, n := range list {
		names[i] = fmt.Sprint(n)
	}
	return strings.Join(names, " or ")
}

func indented(v any) (string, error) {
	b, err := appendJSON(nil, v)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return "", err
	}
	return out.String(), nil
}
