package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"qcat/api/wire"
)

// maxAdminBytes bounds the bodies about users and keys: a scope has 256 entries at most.
const maxAdminBytes = 48 << 10

// member is one of a JSON object's, and where its value goes.
type member struct {
	name   string
	into   any
	needed bool
	given  bool
}

// object reads a body as one JSON object with these members alone, each once, or answers what is
// wrong with it. A null is as if the member were not there.
func object(c exchange, members []member) bool {
	p := wire.Problem{Status: fasthttp.StatusBadRequest, Title: "The request was not understood"}
	body := c.PostBody()
	if len(body) > maxAdminBytes {
		p.Status, p.Code, p.Detail = fasthttp.StatusRequestEntityTooLarge, codeTooLarge, "a body may have "+strconv.Itoa(maxAdminBytes)+" bytes"
		problem(c, &p)
		return false
	}
	p.Field, p.Code, p.Detail = readObject(body, members)
	if p.Code != "" {
		problem(c, &p)
	}
	return p.Code == ""
}

// readObject is object without an answer: code says what is wrong, "" nothing.
func readObject(body []byte, members []member) (field, code, detail string) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", "request.syntax", "not a JSON object"
	}
	var seen []string
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return "", "request.syntax", "not a JSON object"
		}
		if slices.Contains(seen, name) {
			return name, "request.duplicate_field", "the field is given twice"
		}
		seen = append(seen, name)
		i := slices.IndexFunc(members, func(m member) bool { return m.name == name })
		if i < 0 {
			return clip(name), "request.unknown_field", "no such field, there are " + listed(members)
		}
		if code, detail := members[i].read(d); code != "" {
			return name, code, detail
		}
	}
	if _, err := d.Token(); err != nil {
		return "", "request.syntax", "not a JSON object"
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", "request.trailing", "there is something after the object"
	}
	for i := range members {
		if members[i].needed && !members[i].given {
			return members[i].name, "request.missing_field", "the field is missing"
		}
	}
	return "", "", ""
}

// read reads the value of a member.
func (m *member) read(d *json.Decoder) (code, detail string) {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return "request.syntax", "not valid JSON"
	}
	if string(raw) == "null" {
		return "", ""
	}
	m.given = true
	if inner, ok := m.into.(interface{ members() []member }); ok {
		field, code, detail := readObject(raw, inner.members())
		if code != "" && field != "" {
			detail = strconv.Quote(field) + ": " + detail
		}
		return code, detail
	}
	err := json.Unmarshal(raw, m.into)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return "request.type", "the value has the wrong type"
	case err != nil:
		return "request.value", err.Error()
	}
	return "", ""
}

// listed names the members: "a, b and c".
func listed(members []member) string {
	var text strings.Builder
	for i := range members {
		switch {
		case i > 0 && i == len(members)-1:
			text.WriteString(" and ")
		case i > 0:
			text.WriteString(", ")
		}
		text.WriteString(members[i].name)
	}
	return text.String()
}

// clip keeps of a name that is not known enough to recognise it.
func clip(name string) string { return name[:min(len(name), 32)] }
