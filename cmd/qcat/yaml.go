package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// readYAML reads one document into out, once and strictly: a key that out does not
// have, and one that is there twice, is an error. Scalars come to strings as they are
// written. It returns the document; nil when there is nothing in raw.
//
// Errors name the line.
func readYAML(raw []byte, out any) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	var root, more yaml.Node
	if err := loader.Load(&root); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, yamlError(err)
	}
	if err := loader.Load(&more); err == nil {
		return nil, fmt.Errorf("line %d: a second document", more.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlError(err)
	}
	if err := plain(&root); err != nil {
		return nil, err
	}
	if err := root.Load(out, yaml.WithKnownFields()); err != nil {
		return nil, yamlError(err)
	}
	return &root, nil
}

// plain writes the numbers and flags below n that YAML knows more ways for, such as
// 1_000_000 and True, as settings are read: 1000000 and true.
func plain(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Style == 0 {
		switch n.ShortTag() {
		case "!!bool":
			n.Value = strings.ToLower(n.Value)
		case "!!int":
			if strings.Trim(n.Value, "0123456789") == "" {
				return nil
			}
			var v any
			if err := n.Decode(&v); err != nil {
				return yamlError(err)
			}
			n.Value = fmt.Sprint(v)
		}
	}
	for _, c := range n.Content {
		if err := plain(c); err != nil {
			return err
		}
	}
	return nil
}

// target is what an alias stands for, and any other node itself.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.ShortTag() == "!!null" }

// lineOf is the line of a key of the document; of one that was merged into it, that of
// its value.
func lineOf(root *yaml.Node, key string, value *yaml.Node) int {
	top := root.Content[0].Content
	for i := 0; i+1 < len(top); i += 2 {
		if top[i].Value == key {
			return top[i].Line
		}
	}
	return value.Line
}

// yamlError says what is wrong in the words of a person who writes the file, for each
// place with its line.
func yamlError(err error) error {
	var one *yaml.LoadError
	var all *yaml.LoadErrors
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = &yaml.LoadErrors{Errors: []*yaml.LoadError{one}}
	default:
		return err
	}
	texts := make([]string, len(all.Errors))
	for i, e := range all.Errors {
		texts[i] = fmt.Sprintf("line %d: %s", e.Mark.Line, inWords(e.Message))
		if from := e.ContextMark.Line; from != 0 && from != e.Mark.Line {
			texts[i] += fmt.Sprintf(" (of what begins in line %d)", from)
		}
	}
	return errors.New(strings.Join(texts, "; "))
}

// inWords leaves Go's types out of a message.
func inWords(message string) string {
	if rest, ok := strings.CutPrefix(message, "field "); ok {
		if name, _, ok := strings.Cut(rest, " not found in type "); ok {
			return fmt.Sprintf("unknown key %q", name)
		}
		if name, _, ok := strings.Cut(rest, " already set in type "); ok {
			return fmt.Sprintf("key %q is there twice", name)
		}
	}
	if rest, ok := strings.CutPrefix(message, "cannot construct "); ok {
		what, _, _ := strings.Cut(rest, " into ")
		return strings.NewReplacer("!!map", "a map", "!!seq", "a list", "!!", "the ").Replace(what) + " does not belong here"
	}
	return message
}
