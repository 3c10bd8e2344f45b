package binance

import (
	"unicode/utf16"
	"unicode/utf8"
)

// span is a JSON value inside a frame: b[from:to). The zero span is "absent": no
// value of an object begins at offset 0.
type span struct{ from, to int }

func (s span) present() bool { return s.to > 0 }

// maxDepth bounds the nesting of a frame; the venue's go four deep.
const maxDepth = 32

// skipSpace returns the offset of the next byte that is not JSON white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue checks the JSON value at i and returns the offset behind it, or
// differs when it is not one.
func skipValue(b []byte, i, depth int) int {
	if i >= len(b) || depth > maxDepth {
		return differs
	}
	switch c := b[i]; {
	case c == '"':
		return skipString(b, i)
	case c == '{':
		return skipObject(b, i, depth)
	case c == '[':
		return skipArray(b, i, depth)
	case c == '-' || c-'0' <= 9:
		return skipNumber(b, i)
	case at(b, i, "true") || at(b, i, "null"):
		return i + 4
	case at(b, i, "false"):
		return i + 5
	}
	return differs
}

// skipString checks the string whose opening quote stands at i: no control
// characters, no unknown escapes. Bytes above ASCII are not checked to be UTF-8.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c < ' ':
			return differs
		case c == '\\':
			if i++; i >= len(b) {
				return differs
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if _, ok := hex4(b, i+1); !ok {
					return differs
				}
				i += 4
			default:
				return differs
			}
		}
	}
	return differs
}

// skipNumber checks the number at i by the JSON grammar.
func skipNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	from := i
	if i = skipDigits(b, i); i == from || (b[from] == '0' && i > from+1) {
		return differs
	}
	if i < len(b) && b[i] == '.' {
		from = i + 1
		if i = skipDigits(b, from); i == from {
			return differs
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		from = i
		if i = skipDigits(b, from); i == from {
			return differs
		}
	}
	return i
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

func skipArray(b []byte, i, depth int) int {
	if i = skipSpace(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		if i = skipValue(b, skipSpace(b, i), depth+1); i < 0 {
			return differs
		}
		if i = skipSpace(b, i); i >= len(b) {
			return differs
		}
		switch b[i] {
		case ',':
			i++
		case ']':
			return i + 1
		default:
			return differs
		}
	}
}

func skipObject(b []byte, i, depth int) int {
	w := objectWalk{b: b, i: i, depth: depth}
	for w.next() {
	}
	return w.end
}

// objectWalk steps through the members of an object.
//
//	w := objectWalk{b: b, i: offset of '{'}
//	for w.next() { … w.key, w.value … }
//	if w.end < 0 { not well-formed }
type objectWalk struct {
	b       []byte
	i       int
	depth   int
	started bool
	key     span // without its quotes, escapes as they stand
	value   span
	end     int // behind the object; differs if it is not one
}

// next reads the next member and reports whether there was one; when not, end
// tells whether the object was closed.
func (w *objectWalk) next() bool {
	w.end = differs
	i := w.i
	if w.started {
		// i stands behind the value of the member before.
		if i = skipSpace(w.b, i); at(w.b, i, "}") {
			w.end = i + 1
			return false
		}
		if !at(w.b, i, ",") {
			return false
		}
		i = skipSpace(w.b, i+1)
	} else if i = skipSpace(w.b, i+1); at(w.b, i, "}") {
		w.end = i + 1
		return false
	}
	w.started = true
	if !at(w.b, i, `"`) {
		return false
	}
	k := skipString(w.b, i)
	if k < 0 {
		return false
	}
	w.key = span{i + 1, k - 1}
	if i = skipSpace(w.b, k); !at(w.b, i, ":") {
		return false
	}
	i = skipSpace(w.b, i+1)
	if w.i = skipValue(w.b, i, w.depth+1); w.i < 0 {
		return false
	}
	w.value = span{i, w.i}
	return true
}

// unescape returns the string s of JSON without its escapes: s itself when it
// has none, else appended to scratch[:0], which is returned for reuse. s was
// checked by skipString.
func unescape(s, scratch []byte) (text, buf []byte) {
	esc := -1
	for i, c := range s {
		if c == '\\' {
			esc = i
			break
		}
	}
	if esc < 0 {
		return s, scratch
	}
	out := append(scratch[:0], s[:esc]...)
	for i := esc; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(s, i+1)
			i += 4
			if utf16.IsSurrogate(r) {
				low, ok := rune(utf8.RuneError), false
				if at(s, i+1, `\u`) {
					low, ok = hex4(s, i+3)
				}
				if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, s[i])
		}
	}
	return out, out
}

// hex4 reads four hexadecimal digits at i.
func hex4(b []byte, i int) (rune, bool) {
	if len(b)-i < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[i : i+4] {
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
