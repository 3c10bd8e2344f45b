package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// hidden reports whether a terminal, or who reads a log, should not be shown a rune as it
// is: it moves the cursor, changes the direction of a text, or is not seen.
func hidden(r rune) bool { return !unicode.IsPrint(r) }

// printable is a text that may hold anything as a terminal may be shown it: what is hidden
// is escaped.
func printable(text string) string {
	if strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// visible is a writer to w of lines in which others had a say: of what they may have put there
// nothing stays hidden but line feeds and tabs, which are the writer's own. The escapes are
// those of JSON, whose strings are then the same as before. It is for who calls w, from one
// goroutine as w wants it, with whole runes in each call.
type visible struct{ w io.Writer }

// Write implements io.Writer.
func (v visible) Write(b []byte) (int, error) {
	clean := b
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if hidden(r) && r != '\n' && r != '\t' || r == utf8.RuneError && size == 1 {
			clean = escaped(b, i)
			break
		}
		i += size
	}
	if _, err := v.w.Write(clean); err != nil {
		return 0, err
	}
	return len(b), nil
}

// escaped is b, of which the first n bytes need nothing, without anything hidden.
func escaped(b []byte, n int) []byte {
	out := append(make([]byte, 0, len(b)+16), b[:n]...)
	for _, r := range string(b[n:]) {
		switch {
		case r == '\n', r == '\t', !hidden(r):
			out = utf8.AppendRune(out, r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
