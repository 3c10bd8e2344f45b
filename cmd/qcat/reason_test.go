package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestRecordable holds that a reason never keeps a halt from being taken, and that who gave it
// sees what became of it.
func TestRecordable(t *testing.T) {
	for _, tc := range []struct{ reason, want string }{
		{"drill", "drill"},
		{"", ""},
		{"a & b < c", "a & b < c"},
		{`market "crash" at C:\desk`, "market 'crash' at C:/desk"},
		{"two\nlines", "two lines"},
		{"turned \u202eround, \xff", "turned  round,  "},
		{strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{strings.Repeat("a", 65), strings.Repeat("a", 64)},
		{strings.Repeat("停", 30), strings.Repeat("停", 21)},
	} {
		var errs bytes.Buffer
		got := recordable(&env{stderr: &errs}, tc.reason)
		if got != tc.want {
			t.Errorf("%q became %q, want %q", tc.reason, got, tc.want)
		}
		if said := strings.HasSuffix(errs.String(), "recorded as: "+got+"\n"); said != (got != tc.reason) {
			t.Errorf("%q: said %q", tc.reason, errs.String())
		}
	}
}

// TestShortened holds that the table of the audit log cuts what is long between two characters,
// and says where all of it is.
func TestShortened(t *testing.T) {
	fits := strings.Repeat("a", maxParticular)
	for _, tc := range []struct{ text, want string }{
		{"", ""},
		{fits, fits},
		{fits + "b", fits + "… (all of it: --json)"},
		{fits[1:] + "停", fits[1:] + "… (all of it: --json)"},
	} {
		if got := shortened(tc.text); got != tc.want {
			t.Errorf("%d bytes became %q", len(tc.text), got)
		}
	}
}
