package risk

import (
	"os"
	"strings"
	"testing"
)

// The table for risk officers has every limit once, and nothing else.
func TestEveryLimitIsInTheDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if name, rest, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` | "); ok && strings.HasPrefix(line, "| `") {
			if strings.Count(rest, "|") != 5 {
				t.Errorf("a row of another width: %s", line)
			}
			rows[name]++
		}
	}
	var s Spec
	for _, f := range s.fields() {
		if rows[f.limit.String()] != 1 {
			t.Errorf("%s is there %d times", f.limit, rows[f.limit.String()])
		}
		delete(rows, f.limit.String())
	}
	for name := range rows {
		t.Errorf("%s is no limit", name)
	}
}
