package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// foreign are the metrics of others that may be asked for, by what exposes them.
var foreign = map[string][]string{
	"Prometheus, of every target": {"up", "scrape_duration_seconds", "ALERTS"},
	"Prometheus": {"prometheus_rule_evaluation_failures_total", "prometheus_notifications_dropped_total",
		"prometheus_tsdb_head_series"},
	"Alertmanager": {"alertmanager_notifications_total", "alertmanager_notifications_failed_total"},
	"postgres_exporter": {"pg_up", "pg_stat_database_numbackends", "pg_settings_max_connections",
		"pg_stat_database_xact_commit", "pg_stat_database_xact_rollback", "pg_stat_database_blks_hit",
		"pg_stat_database_blks_read", "pg_stat_database_deadlocks", "pg_database_size_bytes"},
	"redis_exporter": {"redis_up", "redis_memory_used_bytes", "redis_memory_max_bytes", "redis_commands_processed_total",
		"redis_connected_clients", "redis_evicted_keys_total"},
	"the Go client, of every program": {"process_start_time_seconds", "go_gc_gomemlimit_bytes", "go_gc_heap_goal_bytes"},
}

// expression is one PromQL text and where it stands.
type expression struct{ where, text string }

// rules are all groups of rules, by file.
func rules(t *testing.T) map[string]*rulefmt.RuleGroups {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "deploy/prometheus/rules/*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal("there are no rules: ", err)
	}
	all := make(map[string]*rulefmt.RuleGroups, len(files))
	for _, name := range files {
		groups, errs := rulefmt.ParseFile(name)
		if len(errs) > 0 {
			t.Fatalf("%s: %v", name, errs)
		}
		all[filepath.Base(name)] = groups
	}
	return all
}

// inside replaces what Grafana puts into an expression before it asks.
var inside = strings.NewReplacer("$__rate_interval", "1m", "$__interval", "15s", "$__range", "1h",
	"$instance", ".*", "$feed", ".*", "$stage", ".*")

// expressions are those of all rules and all panels.
func expressions(t *testing.T) (all []expression) {
	t.Helper()
	for file, groups := range rules(t) {
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				all = append(all, expression{file + ": " + r.Record.Value + r.Alert.Value, r.Expr.Value})
			}
		}
	}
	for file, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				all = append(all, expression{fmt.Sprintf("%s: %s, query %s", file, p.Title, q.RefID), inside.Replace(q.Expr)})
			}
		}
		for _, a := range d.Annotations.List {
			all = append(all, expression{file + ": annotation " + a.Name, inside.Replace(a.Expr)})
		}
	}
	return all
}

// names are the metrics that an expression reads.
func names(t *testing.T, e expression) (found []string) {
	t.Helper()
	tree, err := parser.ParseExpr(e.text)
	if err != nil {
		t.Errorf("%s: %v\n%s", e.where, err, e.text)
		return nil
	}
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		v, is := n.(*parser.VectorSelector)
		if !is {
			return nil
		}
		at := slices.IndexFunc(v.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == labels.MetricName && m.Type == labels.MatchEqual })
		if at < 0 {
			t.Errorf("%s: %s names no metric", e.where, v)
			return nil
		}
		found = append(found, v.LabelMatchers[at].Value)
		return nil
	})
	return found
}

// Each of these is a row of a table of docs/metrics.md: its first cell, and the type in its second.
var (
	metricRow  = regexp.MustCompile("(?m)^\\| (`[a-z_0-9:`, ]+`) \\| ([a-z]+) \\|")
	metricName = regexp.MustCompile("`([a-z_0-9]+)`")
)

// documented are the series that docs/metrics.md says QCAT has.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	all := make(map[string]bool)
	for _, row := range metricRow.FindAllStringSubmatch(file(t, "docs/metrics.md"), -1) {
		for _, name := range metricName.FindAllStringSubmatch(row[1], -1) {
			all[name[1]] = true
			if row[2] == "histogram" {
				all[name[1]+"_bucket"], all[name[1]+"_sum"], all[name[1]+"_count"] = true, true, true
			}
		}
	}
	return all
}

// Every expression of a rule, a panel or an annotation is PromQL, and asks only for what there is.
func TestExpressions(t *testing.T) {
	known := documented(t)
	if len(known) < 80 {
		t.Fatalf("docs/metrics.md was not understood: %d names", len(known))
	}
	for _, of := range foreign {
		for _, name := range of {
			known[name] = true
		}
	}
	for _, groups := range rules(t) {
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				known[r.Record.Value] = true
			}
		}
	}
	for _, e := range expressions(t) {
		for _, name := range names(t, e) {
			if !known[name] {
				t.Errorf("%s asks for %s, which nobody has", e.where, name)
			}
		}
	}
}

// What a recording rule computes, somebody asks for.
func TestRecordedIsRead(t *testing.T) {
	read := make(map[string]bool)
	for _, e := range expressions(t) {
		for _, name := range names(t, e) {
			read[name] = true
		}
	}
	for file, groups := range rules(t) {
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				if name := r.Record.Value; name != "" && !read[name] {
					t.Errorf("%s: nobody reads %s", file, name)
				}
			}
		}
	}
}

// loaded is what the tests look at of a dashboard as Grafana loads it.
type loaded struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	Description   string `json:"description"`
	SchemaVersion int    `json:"schemaVersion"`
	Annotations   struct {
		List []struct{ Name, Expr string }
	} `json:"annotations"`
	Templating struct {
		List []struct {
			Name       string
			Datasource struct{ UID string }
		}
	} `json:"templating"`
	Panels []struct {
		ID          int
		Type        string
		Title       string
		Description string
		GridPos     struct{ H, W, X, Y int }
		Datasource  *struct{ UID string }
		Targets     []struct {
			RefID      string
			Expr       string
			Datasource struct{ UID string }
		}
		FieldConfig struct {
			Defaults struct{ Unit string }
		}
	} `json:"panels"`
}

// dashboards are all committed dashboards, by file.
func dashboards(t *testing.T) map[string]loaded {
	t.Helper()
	dir := filepath.Join(root, "deploy/grafana/dashboards")
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || len(files) == 0 {
		t.Fatal("there are no dashboards")
	}
	all := make(map[string]loaded, len(files))
	for _, f := range files {
		var d loaded
		if err := json.Unmarshal([]byte(file(t, "deploy/grafana/dashboards/"+f.Name())), &d); err != nil {
			t.Fatalf("%s: %v", f.Name(), err)
		}
		all[f.Name()] = d
	}
	return all
}
