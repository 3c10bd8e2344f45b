package main

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// manuals are the operations manual in its two languages.
var manuals = []string{"../../docs/operations.md", "../../docs/operations.zh.md"}

// called finds calls of the program and of backup.sh, each to the end of its command; the
// service stands between where backup.sh is the --entrypoint of docker-compose run.
var called = regexp.MustCompile("(?:/app/qcat|[`(]qcat|backup\\.sh(?: qcat)?) ([a-z][^|;&`\n]*)")

// quoted are arguments in quotes, in which anything may stand.
var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// TestManualCommands holds every call of the program that the manual names against the
// commands and flags that there are.
func TestManualCommands(t *testing.T) {
	parser, err := newParser(&cli{}, &env{ctx: t.Context(), stdout: io.Discard, stderr: io.Discard, file: &fileConfig{}}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, manual := range manuals {
		text, err := os.ReadFile(manual)
		if err != nil {
			t.Fatal(err)
		}
		calls := called.FindAllSubmatch(text, -1)
		if len(calls) < 40 {
			t.Errorf("%s: %d calls of qcat found: the test does not see them", manual, len(calls))
		}
		for _, call := range calls {
			words := strings.Fields(quoted.ReplaceAllString(string(call[1]), "Q"))
			if strings.HasPrefix(string(call[0]), "backup.sh") {
				words = append([]string{"backup"}, words...)
			}
			if fault := unknownIn(parser.Model.Node, words); fault != "" {
				t.Errorf("%s: %q: %s", manual, call[0], fault)
			}
		}
	}
}

// unknownIn says which of the words of a call is neither a command nor a flag of it, "" when
// all are known. `backup.sh backup` is its name of `qcat backup create`.
func unknownIn(at *kong.Node, words []string) string {
	if len(words) > 1 && words[0] == "backup" && words[1] == "backup" {
		words[1] = "create"
	}
	for len(words) > 0 {
		next := slices.IndexFunc(at.Children, func(n *kong.Node) bool { return n.Name == words[0] })
		if next < 0 {
			break
		}
		at, words = at.Children[next], words[1:]
	}
	if at.Type == kong.ApplicationNode {
		return "no such command"
	}
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "--")
		if !isFlag {
			continue
		}
		name, _, _ = strings.Cut(name, "=")
		if !slices.ContainsFunc(slices.Concat(at.AllFlags(false)...), func(f *kong.Flag) bool { return f.Name == name }) {
			return "no flag --" + name
		}
	}
	return ""
}
