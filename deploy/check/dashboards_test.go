package check

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// columns is the width of Grafana's grid.
const columns = 24

// panelKinds are the types of panels that we use; each comes with Grafana.
var panelKinds = []string{"row", "stat", "timeseries", "bargauge", "alertlist"}

// Dashboards are such as Grafana loads without a word: each has an identity, each panel one
// within it and a place that no other has, each query a letter and a data source that is provisioned.
func TestDashboards(t *testing.T) {
	provisioned := sources(t)
	uids := make(map[string]string)
	for name, d := range dashboards(t) {
		if other, twice := uids[d.UID]; twice || d.UID == "" {
			t.Errorf("%s: its uid %q is that of %q", name, d.UID, other)
		}
		uids[d.UID] = name
		if d.Title == "" || d.Description == "" || d.SchemaVersion < 38 || d.SchemaVersion > 41 {
			t.Errorf("%s: title %q, description %q, schemaVersion %d", name, d.Title, d.Description, d.SchemaVersion)
		}
		var variables []string
		for _, v := range d.Templating.List {
			variables = append(variables, v.Name)
			if !provisioned[v.Datasource.UID] {
				t.Errorf("%s: variable %s asks %q, which is not provisioned", name, v.Name, v.Datasource.UID)
			}
		}
		checkPanels(t, name, d, provisioned, variables)
	}
}

func checkPanels(t *testing.T, name string, d loaded, provisioned map[string]bool, variables []string) {
	t.Helper()
	ids := make(map[int]bool)
	taken := make(map[[2]int]string)
	for _, p := range d.Panels {
		where := name + ": " + p.Title
		if ids[p.ID] || p.ID <= 0 {
			t.Errorf("%s: id %d", where, p.ID)
		}
		ids[p.ID] = true
		if !slices.Contains(panelKinds, p.Type) || p.Title == "" {
			t.Errorf("%s: a panel of type %q", where, p.Type)
		}
		g := p.GridPos
		if g.W <= 0 || g.H <= 0 || g.X < 0 || g.Y < 0 || g.X+g.W > columns {
			t.Errorf("%s: lies at %+v", where, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s: lies on %s", where, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if len(p.Description) < 20 || !strings.HasSuffix(p.Description, ".") {
			t.Errorf("%s: described as %q", where, p.Description)
		}
		if p.Datasource == nil || !provisioned[p.Datasource.UID] {
			t.Errorf("%s: its data source is not provisioned", where)
		}
		if len(p.Targets) == 0 && p.Type != "alertlist" {
			t.Errorf("%s: asks nothing", where)
		}
		var letters []string
		for _, q := range p.Targets {
			if q.RefID == "" || slices.Contains(letters, q.RefID) || !provisioned[q.Datasource.UID] {
				t.Errorf("%s: query %q asks %q", where, q.RefID, q.Datasource.UID)
			}
			letters = append(letters, q.RefID)
			for _, v := range dollar.FindAllStringSubmatch(q.Expr, -1) {
				if !strings.HasPrefix(v[1], "__") && !slices.Contains(variables, v[1]) {
					t.Errorf("%s: $%s is no variable of this dashboard", where, v[1])
				}
			}
		}
	}
}

var (
	dollar    = regexp.MustCompile(`\$([a-z_]+)`)
	sourceUID = regexp.MustCompile(`(?m)^    uid: (\S+)$`)
)

// sources are the uids of the data sources that are provisioned.
func sources(t *testing.T) map[string]bool {
	t.Helper()
	all := make(map[string]bool)
	for _, m := range sourceUID.FindAllStringSubmatch(file(t, "deploy/grafana/provisioning/datasources/qcat.yml"), -1) {
		all[m[1]] = true
	}
	return all
}

// Where Compose mounts the dashboards, their provider looks for them; nobody is let in with a
// password that is known.
func TestGrafanaProvisioning(t *testing.T) {
	const path = "/var/lib/grafana/dashboards"
	compose := file(t, "deploy/docker-compose.prod.yml")
	if !strings.Contains(file(t, "deploy/grafana/provisioning/dashboards/qcat.yml"), "path: "+path+"\n") ||
		!strings.Contains(compose, "./grafana/dashboards:"+path+":ro") {
		t.Errorf("dashboards are not mounted where Grafana looks for them, %s", path)
	}
	if !strings.Contains(compose, "GF_SECURITY_ADMIN_PASSWORD: ${GRAFANA_ADMIN_PASSWORD:?}") {
		t.Error("Grafana starts without a password of its own")
	}
}
