package spec

import (
	"encoding/json"
	"fmt"
)

// appendJSON appends a value as JSON, the members of objects in their order.
func appendJSON(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case object:
		return appendMembers(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendJSON(dst, e); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	}
	b, err := json.Marshal(v)
	return append(dst, b...), err
}

func appendMembers(dst []byte, o object) ([]byte, error) {
	dst = append(dst, '{')
	for i, m := range o {
		if i > 0 {
			dst = append(dst, ',')
		}
		key, text := m.Key.(string)
		if !text {
			return nil, fmt.Errorf("key %v: %w", m.Key, errMember)
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		if dst, err = appendJSON(append(append(dst, name...), ':'), m.Value); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return append(dst, '}'), nil
}
