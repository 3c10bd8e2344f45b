package wire

import (
	"unicode"
	"unicode/utf8"
)

// scanner walks over JSON text once, front to back. It never allocates and never
// looks past the end of b.
type scanner struct {
	b   []byte
	pos int
}

func (s *scanner) space() {
	for s.pos < len(s.b) {
		switch s.b[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is not space, 0 at the end. What is there is no space
// as a rule.
func (s *scanner) peek() byte {
	if s.pos < len(s.b) && s.b[s.pos] > ' ' {
		return s.b[s.pos]
	}
	return s.peekBeyond()
}

func (s *scanner) peekBeyond() byte {
	if s.space(); s.pos == len(s.b) {
		return 0
	}
	return s.b[s.pos]
}

// accept steps over c, which is not 0, if it comes next.
func (s *scanner) accept(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// str reads a string and returns its bytes, which are part of b. Escapes and
// control characters are Escaped: no name, number or code of ours needs one, and a
// terminal that is shown one obeys it.
func (s *scanner) str() ([]byte, ErrorKind) {
	if !s.accept('"') {
		return nil, WrongType
	}
	b, i, ascii := s.b, s.pos, true
	for {
		for i < len(b) && plain[b[i]] {
			i++
		}
		if i == len(b) || b[i] < utf8.RuneSelf {
			break
		}
		ascii = false
		i++
	}
	v := b[s.pos:i]
	switch s.pos = i; {
	case i == len(b):
		return nil, Syntax
	case b[i] != '"':
		return nil, Escaped
	}
	if !ascii {
		if kind := foreign(v); kind != OK {
			return nil, kind
		}
	}
	s.pos++
	return v, OK
}

// plain are the bytes of a string that mean themselves: what ASCII prints, but for the
// quote and the backslash.
var plain = func() (t [256]bool) {
	for c := ' '; c < del; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// del is the control character behind those that are printed.
const del = 0x7F

// foreign looks at a string that is not ASCII alone: bytes that are no UTF-8 are no JSON,
// and what ends a line, moves a cursor or turns a text around is a control character here
// as well.
func foreign(v []byte) ErrorKind {
	if !utf8.Valid(v) {
		return Syntax
	}
	for _, r := range string(v) {
		if r >= utf8.RuneSelf && unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return Escaped
		}
	}
	return OK
}

// number reads a JSON number and returns its text.
func (s *scanner) number() ([]byte, ErrorKind) {
	s.space()
	start := s.pos
	if s.pos < len(s.b) && s.b[s.pos] == '-' {
		s.pos++
	}
	if s.pos < len(s.b) && s.b[s.pos] == '0' {
		s.pos++
	} else if !s.digits() {
		return nil, Syntax
	}
	if s.pos < len(s.b) && s.b[s.pos] == '.' {
		s.pos++
		if !s.digits() {
			return nil, Syntax
		}
	}
	if s.pos < len(s.b) && (s.b[s.pos]|0x20) == 'e' {
		s.pos++
		if s.pos < len(s.b) && (s.b[s.pos] == '+' || s.b[s.pos] == '-') {
			s.pos++
		}
		if !s.digits() {
			return nil, Syntax
		}
	}
	return s.b[start:s.pos], OK
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.b) && s.b[s.pos]-'0' <= 9 {
		s.pos++
	}
	return s.pos > start
}

// literal steps over word if it comes next.
func (s *scanner) literal(word string) bool {
	s.space()
	if len(s.b)-s.pos < len(word) || string(s.b[s.pos:s.pos+len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
}

// mismatch is what to say of a value that does not start as it should: Syntax if
// nothing in JSON starts like that, else WrongType.
func (s *scanner) mismatch() ErrorKind {
	switch c := s.peek(); {
	case c == '"', c == '{', c == '[', c == 't', c == 'f', c == 'n', c == '-', c-'0' <= 9 && c >= '0':
		return WrongType
	}
	return Syntax
}

// parseUint reads the digits of b, false when it is not a plain whole number
// below 2^63.
func parseUint(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var v uint64
	for _, c := range b {
		if c -= '0'; c > 9 {
			return 0, false
		}
		v = v*10 + uint64(c)
	}
	return v, v < 1<<63
}
