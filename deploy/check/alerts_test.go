package check

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// manualAlerts are those that the operations manual asks for.
var manualAlerts = []string{"QCATDown", "QCATHighErrorRate", "QCATSlowResponses", "QCATDatabaseConnections", "QCATMemory"}

var alertName = regexp.MustCompile(`^QCAT[A-Z][A-Za-z]+$`)

// runbook is what the link of an alert is made of: where the manual is, and its section.
const runbook = "{{ $externalLabels.runbook_base }}/docs/operations.md#"

// Each alert says how bad it is, what happened, and which section of the manual says what to do.
func TestAlerts(t *testing.T) {
	seen := make(map[string]bool)
	for file, groups := range rules(t) {
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				name := r.Alert.Value
				if name == "" {
					continue
				}
				seen[name] = true
				if !alertName.MatchString(name) {
					t.Errorf("%s: %s is no name of ours", file, name)
				}
				if s := r.Labels["severity"]; len(r.Labels) != 1 || s != "critical" && s != "warning" {
					t.Errorf("%s: %s has the labels %v", file, name, r.Labels)
				}
				if got, want := r.Annotations["runbook_url"], runbook+strings.ToLower(name); got != want {
					t.Errorf("%s: %s leads to %q, not %q", file, name, got, want)
				}
				for _, key := range []string{"summary", "description"} {
					if text := r.Annotations[key]; !strings.HasSuffix(text, ".") {
						t.Errorf("%s: the %s of %s is no sentence: %q", file, key, name, text)
					}
				}
				if strings.Contains(r.Annotations["summary"], "{{") {
					t.Errorf("%s: the summary of %s is not that of every alert of its group", file, name)
				}
			}
		}
	}
	for _, name := range manualAlerts {
		if !seen[name] {
			t.Errorf("there is no %s", name)
		}
	}
}

// ruleTests is a file for `promtool test rules`, as far as it is looked at here.
type ruleTests struct {
	Tests []struct {
		Name           string `yaml:"name"`
		AlertRuleTests []struct {
			Alert string `yaml:"alertname"`
			Want  []any  `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	} `yaml:"tests"`
}

// Each alert has a case in which it fires, and one that is nearly the same in which it does not.
func TestAlertsHaveCases(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(root, "deploy/prometheus/tests/*.yml"))
	fires, silent := make(map[string]int), make(map[string]int)
	for _, name := range files {
		var cases ruleTests
		if err := yaml.Unmarshal([]byte(file(t, filepath.Join("deploy/prometheus/tests", filepath.Base(name)))), &cases); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, c := range cases.Tests {
			for _, a := range c.AlertRuleTests {
				if len(a.Want) > 0 {
					fires[a.Alert]++
				} else {
					silent[a.Alert]++
				}
			}
		}
	}
	for file, groups := range rules(t) {
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				if name := r.Alert.Value; name != "" && (fires[name] == 0 || silent[name] == 0) {
					t.Errorf("%s: of %s there are %d cases that fire and %d that do not", file, name, fires[name], silent[name])
				}
			}
		}
	}
}

// Prometheus's own tool takes the configuration and the rules, and every case ends as it should.
func TestPromtool(t *testing.T) {
	promtool := program(t, "promtool")
	if promtool == "" {
		return
	}
	dir := filepath.Join(root, "deploy/prometheus")
	cases, err := filepath.Glob(filepath.Join(dir, "tests/*.yml"))
	if err != nil || len(cases) == 0 {
		t.Fatal("there are no cases: ", err)
	}
	for _, arguments := range [][]string{
		{"check", "config", filepath.Join(dir, "prometheus.yml")},
		append([]string{"test", "rules"}, cases...),
	} {
		if out, err := exec.Command(promtool, arguments...).CombinedOutput(); err != nil { //nolint:gosec // files of the repository
			t.Errorf("promtool %s: %v\n%s", strings.Join(arguments[:2], " "), err, out)
		}
	}
}
