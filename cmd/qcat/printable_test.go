package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// tricks are texts that make a line, move a cursor, turn a text around, or are not seen.
var tricks = []string{
	"a\r\n{\"level\":\"INFO\",\"msg\":\"forged\"}", "a\nforged", "a\rforged", "\x1b[2J\x1b[1;1Hforged", "\u009b2Jforged", "a\x00b", "a\x7fb",
	"\u202edegrof\u202c", "\u2066a\u2069", "a\u2028forged", "a\u2029b", "a\u0085b", "\u200bforged", "\ufefforged", "\U000e0041", "\b\b\b\bforged",
}

// shows fails if a text holds a rune that is hidden and no end of a line.
func shows(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		for _, r := range strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "") {
			if hidden(r) {
				t.Errorf("%.30s…: %q", what, line)
				break
			}
		}
	}
}

// TestLogsShowEverything: what others sent makes no line of its own in the log, in either
// format, and JSON still says what it was.
func TestLogsShowEverything(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "console"} {
		for _, trick := range tricks {
			var b bytes.Buffer
			log, err := (&logFlags{LogLevel: "info", LogFormat: format, LogSampling: "off"}).open(&b)
			if err != nil {
				t.Fatal(err)
			}
			log.Info("one line", zap.String("text", trick), zap.Error(errors.New(trick)), zap.ByteString("bytes", []byte(trick)), zap.Any(trick, []string{trick}))
			if n := strings.Count(b.String(), "\n"); n != 1 {
				t.Errorf("%s, %q: %d lines", format, trick, n)
			}
			shows(t, format, b.String())
			var got struct{ Text string }
			if format == "json" && (json.Unmarshal(b.Bytes(), &got) != nil || got.Text != trick) {
				t.Errorf("%q came out as %q", trick, got.Text)
			}
		}
	}
}

// TestVisible: what is to be seen stays as it is, and bytes that are no text are marked.
func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                    "",
		"plain, Zoë, 価格\t1\n": "plain, Zoë, 価格\t1\n",
		"a\x1b[0m\r\n":        "a\\u001b[0m\\u000d\n",
		"a\xffb":              "a\ufffdb",
		"x\U000e0041":         `x\udb40\udc41`,
	} {
		var b bytes.Buffer
		if n, err := (visible{&b}).Write([]byte(in)); err != nil || n != len(in) || b.String() != want {
			t.Errorf("%q: %q, %d, %v, want %q", in, b.String(), n, err, want)
		}
	}
	var b bytes.Buffer
	if err := printJSON(&env{stdout: &b}, tricks); err != nil {
		t.Fatal(err)
	}
	shows(t, "printJSON", b.String())
	var back []string
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || strings.Join(back, "") != strings.Join(tricks, "") {
		t.Errorf("%v: %q", err, back)
	}
}
