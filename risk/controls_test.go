package risk

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// controlRow is a row of "All controls in one table" in docs/risk-controls.md.
type controlRow struct {
	number        string
	codes         []string
	numbers       string
	cases, amends []string // files
}

var quoted = regexp.MustCompile("`([^`]+)`")

func controlRows(t *testing.T) (rows []controlRow) {
	t.Helper()
	doc, err := os.ReadFile("../docs/risk-controls.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(doc), "\n## All controls in one table\n")
	if !found {
		t.Fatal("the table is gone")
	}
	list := func(cell string) (out []string) {
		for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
			out = append(out, m[1])
		}
		return out
	}
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, ""), "|")
		if len(cells) != 12 || !strings.ContainsAny(cells[1], "0123456789") {
			continue
		}
		rows = append(rows, controlRow{strings.TrimSpace(cells[1]), list(cells[3]), cells[4], list(cells[9]), list(cells[10])})
	}
	return rows
}

// refusals returns the codes that a file refuses new orders, and amendments, with.
func refusals(t *testing.T, file string) (fresh, amended map[string]bool) {
	t.Helper()
	at := filepath.Join("testdata", file)
	if strings.Contains(file, "/") {
		at = filepath.Join("..", file)
	}
	src, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	fresh, amended = map[string]bool{}, map[string]bool{}
	asked := ""
	for _, line := range strings.Split(string(src), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) > 1 && words[0] == "when":
			asked = words[1]
		case len(words) > 2 && words[0] == "then" && words[1] == "refused":
			code := strings.TrimSuffix(words[2], ":")
			if asked == "amend" {
				amended[code] = true
			} else {
				fresh[code] = true
			}
		}
	}
	return fresh, amended
}

// TestEveryControlHasItsCases holds the table against the files: rows 1 to 28 are
// there, and every code of a row is refused by its cases and by its amendments.
func TestEveryControlHasItsCases(t *testing.T) {
	rows := controlRows(t)
	if len(rows) != 28 {
		t.Fatalf("%d rows, want 28", len(rows))
	}
	all := Codes()
	for i, row := range rows {
		if row.number != strconv.Itoa(i+1) {
			t.Errorf("row %s stands in place %d", row.number, i+1)
		}
		if len(row.cases)+len(row.amends) == 0 {
			t.Errorf("control %s has no cases", row.number)
		}
		fresh, amended := map[string]bool{}, map[string]bool{}
		for _, file := range row.cases {
			f, _ := refusals(t, file)
			for code := range f {
				fresh[code] = true
			}
		}
		for _, file := range row.amends {
			_, a := refusals(t, file)
			for code := range a {
				amended[code] = true
			}
		}
		for _, code := range row.codes {
			at := slices.IndexFunc(all, func(c Code) bool { return c.String() == code })
			if at < 0 || !within(row.numbers, int(all[at])) {
				t.Errorf("control %s: there is no %s with a number of %s", row.number, code, row.numbers)
			}
			if len(row.cases) > 0 && !fresh[code] {
				t.Errorf("control %s: no case refuses with %s", row.number, code)
			}
			if len(row.amends) > 0 && !amended[code] && !onlyNew[code] {
				t.Errorf("control %s: no amendment is refused with %s", row.number, code)
			}
		}
	}
}

// within reports whether a cell as "801, 802" or "301–303" has a number.
func within(cell string, n int) bool {
	for _, part := range strings.Split(cell, ",") {
		first, last, span := strings.Cut(strings.TrimSpace(part), "–")
		low, _ := strconv.Atoi(first)
		high := low
		if span {
			high, _ = strconv.Atoi(last)
		}
		if low <= n && n <= high {
			return true
		}
	}
	return false
}

// onlyNew are codes that no amendment meets: of the control's other codes one does.
var onlyNew = map[string]bool{"risk.order_rate": true}
