package check

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const docs = "../../docs/"

// manuals are the operations manual in its two languages.
var manuals = []string{"operations.md", "operations.zh.md"}

func manual(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(docs + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	fence     = regexp.MustCompile("(?ms)^```(\\w[^\n]*)\n(.*?)^```$")
	heading   = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	repoPath  = regexp.MustCompile(`\b(?:deploy|docs|migrations)/[A-Za-z0-9_./-]*[A-Za-z0-9_]`)
	ourMetric = regexp.MustCompile(`\bqcat_[a-z0-9_]+`)
	alertRule = regexp.MustCompile(`(?m)^\s*- alert: (\w+)$`)
	notAnchor = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// commandsOf are the lines of all blocks of commands, without what is said about them.
func commandsOf(text string) (lines []string) {
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		lines = append(lines, "```"+block[1])
		for line := range strings.Lines(block[2]) {
			line, _, _ = strings.Cut(line, " # ")
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// TestManualsSayTheSame: the two languages have the same commands in the same order.
func TestManualsSayTheSame(t *testing.T) {
	en, zh := commandsOf(manual(t, manuals[0])), commandsOf(manual(t, manuals[1]))
	if len(en) < 100 {
		t.Fatalf("%d lines of commands: the test does not see them", len(en))
	}
	for i := range max(len(en), len(zh)) {
		if i >= len(en) || i >= len(zh) || en[i] != zh[i] {
			t.Fatalf("line %d of the commands differs:\n%q\n%q", i, en[i:min(i+2, len(en))], zh[i:min(i+2, len(zh))])
		}
	}
}

// TestTemplatesAreMarked: a block that has words to be put in says so.
func TestTemplatesAreMarked(t *testing.T) {
	toPutIn := regexp.MustCompile(`\b(NAME|ACCOUNT|REASON|PASSWORD|HOST|FOLDER|ALERT|ID|REPOSITORY-URL)\b|<[a-z-]+>|new_cert|_20241201_`)
	for _, name := range manuals {
		for _, block := range fence.FindAllStringSubmatch(manual(t, name), -1) {
			code := strings.ReplaceAll(block[2], "$REDIS_PASSWORD", "")
			if block[1] == "bash" && toPutIn.MatchString(strings.ReplaceAll(code, "-v PASSWORD", "")) {
				t.Errorf("%s: this block is no `bash`, but a `bash template`:\n%s", name, block[2])
			}
		}
	}
}

// TestAlertsHaveRunbooks: every alert has its section in both languages, and no section is
// of an alert that is not there.
func TestAlertsHaveRunbooks(t *testing.T) {
	var alerts []string
	rules, err := filepath.Glob("../prometheus/rules/*.yml")
	if err != nil || len(rules) == 0 {
		t.Fatal("no rules", err)
	}
	for _, file := range rules {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range alertRule.FindAllStringSubmatch(string(text), -1) {
			alerts = append(alerts, m[1])
		}
	}
	slices.Sort(alerts)
	alerts = slices.Compact(alerts)
	for _, name := range manuals {
		var sections []string
		for _, m := range heading.FindAllStringSubmatch(manual(t, name), -1) {
			if strings.HasPrefix(m[1], "QCAT") && !strings.Contains(m[1], " ") && m[1] != "QCAT" {
				sections = append(sections, m[1])
			}
		}
		slices.Sort(sections)
		if !slices.Equal(sections, alerts) {
			t.Errorf("%s has sections of\n%v\nand there are alerts\n%v", name, sections, alerts)
		}
	}
}

// anchorsOf are the anchors of a page's headings, as they are made where it is shown.
func anchorsOf(text string) map[string]bool {
	anchors := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		anchors[strings.ReplaceAll(notAnchor.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return anchors
}

// TestManualLinks: each link leads to a file that is there, and to a heading in it.
func TestManualLinks(t *testing.T) {
	for _, name := range manuals {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(manual(t, name), ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			page, anchor, _ := strings.Cut(m[1], "#")
			if page == "" {
				page = name
			}
			text, err := os.ReadFile(filepath.Join(docs, page))
			if err != nil {
				t.Errorf("%s: %s: %v", name, m[1], err)
			} else if anchor != "" && !anchorsOf(string(text))[anchor] {
				t.Errorf("%s: %s: there is no such heading", name, m[1])
			}
		}
	}
}

// TestManualNamesWhatIsThere: files of the repository, and metrics of QCAT.
func TestManualNamesWhatIsThere(t *testing.T) {
	metrics := manual(t, "metrics.md")
	containers := regexp.MustCompile(`container_name: (qcat_\w+)|^  (qcat_\w+):$`)
	compose, err := os.ReadFile("../docker-compose.prod.yml")
	if err != nil {
		t.Fatal(err)
	}
	others := []string{"qcat_read", "qcat_write", "qcat_audit", "qcat_user", "qcat_exporter"} // roles of the database
	for line := range strings.Lines(string(compose)) {
		for _, m := range containers.FindAllStringSubmatch(strings.TrimRight(line, "\n"), -1) {
			others = append(others, m[1]+m[2])
		}
	}
	for _, name := range manuals {
		text := manual(t, name)
		for _, path := range repoPath.FindAllString(text, -1) {
			// What an operator brings or makes is not in the repository.
			if _, err := os.Stat("../../" + path); err != nil && !strings.HasPrefix(path, "deploy/ssl/server.") {
				t.Errorf("%s names %s: %v", name, path, err)
			}
		}
		for _, word := range ourMetric.FindAllString(text, -1) {
			base := word
			for _, end := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, end)
			}
			part := strings.HasSuffix(word, "_") || strings.HasPrefix(word, "qcat_backup_2") || strings.HasPrefix(word, "qcat_old")
			if !part && !slices.Contains(others, word) && !strings.Contains(metrics, base) {
				t.Errorf("%s names %s, which docs/metrics.md does not", name, word)
			}
		}
	}
}
