package sqlite

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// errLiteral is wrapped for a value that no table of ours holds.
var errLiteral = errors.New("value cannot be dumped")

// appendLiteral appends v as SQL that evaluates to exactly v, on one line. A number
// with a fraction is refused: nothing here is one.
func appendLiteral(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "NULL"...), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case string:
		return appendText(dst, v), nil
	case []byte:
		return appendBlob(dst, v), nil
	default:
		return dst, fmt.Errorf("%w: %T %v", errLiteral, v, v)
	}
}

// appendText appends s in quotes, or as its bytes where a quoted string would span
// lines, end early or be changed by an editor.
func appendText(dst []byte, s string) []byte {
	if !plain(s) {
		dst = append(dst, "CAST("...)
		dst = appendBlob(dst, []byte(s))
		return append(dst, " AS TEXT)"...)
	}
	dst = append(dst, '\'')
	for i := range len(s) {
		if s[i] == '\'' {
			dst = append(dst, '\'')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '\'')
}

// plain reports whether s is UTF-8 without control characters.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}

func appendBlob(dst, b []byte) []byte {
	dst = append(dst, 'X', '\'')
	dst = hex.AppendEncode(dst, b)
	return append(dst, '\'')
}

// appendName appends a name of a table or column in quotes.
func appendName(dst []byte, name string) []byte {
	dst = append(dst, '"')
	for i := range len(name) {
		if name[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, name[i])
	}
	return append(dst, '"')
}
