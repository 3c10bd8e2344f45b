package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"qcat/core/engine"
)

// recordable is a reason as the journal takes it, and says so where that is another than what
// was typed: nothing is to stay open, or to go on, because somebody explained it with a
// quotation mark or at length.
func recordable(e *env, reason string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '\\':
			return '/'
		case hidden(r), r == utf8.RuneError:
			return ' '
		}
		return r
	}, reason)
	if len(kept) > engine.NoteLen {
		end := engine.NoteLen
		for !utf8.RuneStart(kept[end]) {
			end--
		}
		kept = kept[:end]
	}
	if kept != reason {
		fmt.Fprintf(visible{e.stderr}, "qcat: the reason is recorded as: %s\n", kept)
	}
	return kept
}
