package spectest

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
)

// Socket is one WebSocket connection, as its client sees it. Any goroutine.
type Socket struct {
	mu   sync.Mutex
	sent map[string]sent // by id, as JSON
}

// sent is a request that waits for its answer.
type sent struct {
	op   string
	text []byte
}

// Sent notes a message of the client. A text that is no request is the server's to
// refuse.
func (s *Socket) Sent(message []byte) {
	var r struct {
		ID json.RawMessage
		Op string
	}
	if json.Unmarshal(message, &r) != nil || len(r.ID) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent == nil {
		s.sent = map[string]sent{}
	}
	s.sent[string(r.ID)] = sent{r.Op, append([]byte(nil), message...)}
}

// Received holds a message of the server against the AsyncAPI document.
func (s *Socket) Received(message []byte) error {
	d, err := asyncAPI()
	if err != nil {
		return err
	}
	var m struct {
		Ch   *string
		ID   json.RawMessage
		OK   bool
		Data struct {
			Kind     string
			Snapshot *bool
		}
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return fmt.Errorf("not a message: %w", err)
	}
	if m.Ch != nil {
		return d.frame(message, *m.Ch, m.Data.Kind, m.Data.Snapshot != nil && m.Data.Kind == "")
	}
	s.mu.Lock()
	request, known := s.sent[string(m.ID)]
	delete(s.sent, string(m.ID))
	s.mu.Unlock()
	if !m.OK {
		return d.message(message, "refused")
	}
	if !known {
		return d.anyAnswer(message)
	}
	op, _ := d.at("operations", request.op)
	if op == nil {
		return fmt.Errorf("the document has no operation %q", request.op)
	}
	if err := d.message(request.text, request.op); err != nil {
		return fmt.Errorf("the request was carried out, and is not as the document says: %w", err)
	}
	reply, _ := op["reply"].(map[string]any)
	for _, name := range messagesOf(reply) {
		if name != "refused" {
			return d.message(message, name)
		}
	}
	return errors.New("the document has no answer")
}

// message holds a message against the payload of that name.
func (d *document) message(text []byte, name string) error {
	if m, _ := d.at("components", "messages", name); m == nil {
		return fmt.Errorf("the document has no message %q", name)
	}
	return d.validate(text, "components", "messages", name, "payload")
}

// anyAnswer holds the answer of a request without an id against all there are.
func (d *document) anyAnswer(text []byte) error {
	operations, _ := d.at("operations")
	for _, v := range operations {
		op, _ := v.(map[string]any)
		reply, _ := op["reply"].(map[string]any)
		for _, name := range messagesOf(reply) {
			if d.message(text, name) == nil {
				return nil
			}
		}
	}
	return errors.New("the document has no such answer")
}

// messagesOf are the names of the messages that an operation or its reply refers to.
func messagesOf(o map[string]any) (names []string) {
	list, _ := o["messages"].([]any)
	for _, v := range list {
		ref, _ := v.(map[string]any)
		at, _ := ref["$ref"].(string)
		names = append(names, path.Base(at))
	}
	return names
}

// frame holds a frame of a channel against the message that it is.
func (d *document) frame(text []byte, channel, kind string, snapshot bool) error {
	name, _, _ := strings.Cut(channel, ":")
	ch, _ := d.at("channels", name)
	messages, _ := ch["messages"].(map[string]any)
	if messages == nil {
		return fmt.Errorf("the document has no channel %q", channel)
	}
	for key, v := range messages {
		if _, parts := messages["snapshot"]; parts && (key == "snapshot") != snapshot || kind != "" && key != kind {
			continue
		}
		ref, _ := v.(map[string]any)
		at, _ := ref["$ref"].(string)
		return d.message(text, path.Base(at))
	}
	return fmt.Errorf("the document has no message of kind %q in channel %s", kind, name)
}
