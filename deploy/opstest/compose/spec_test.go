package compose

import (
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// project is the deployment's own file, with every secret filled in.
func project(t *testing.T) *types.Project {
	t.Helper()
	env := []string{"DB_PASSWORD=a", "POSTGRES_PASSWORD=b", "POSTGRES_EXPORTER_PASSWORD=c", "REDIS_PASSWORD=d", "QCAT_MASTER_KEY=e",
		"GRAFANA_ADMIN_PASSWORD=f", "HOST_LOGS=" + t.TempDir(), "HOST_BACKUPS=" + t.TempDir(), "HOST_NGINX_LOGS=" + t.TempDir()}
	p, err := load([]string{"../../docker-compose.prod.yml"}, request{Dir: ".", Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOrder(t *testing.T) {
	order := inOrder(project(t))
	for _, pair := range [][2]string{{"preflight", "postgres"}, {"postgres", "migrate"}, {"migrate", "qcat"}, {"redis", "qcat"}, {"qcat", "nginx"}} {
		if before, after := slices.Index(order, pair[0]), slices.Index(order, pair[1]); before < 0 || before > after {
			t.Errorf("%s is not before %s in %v", pair[0], pair[1], order)
		}
	}
}

func TestEveryImageIsKnown(t *testing.T) {
	for name, s := range project(t).Services {
		if s.Build != nil || notToBeHad[repository(s.Image)] != "" {
			continue
		}
		if _, err := pulled(s.Image); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWantedTakesDependenciesAlong(t *testing.T) {
	p := project(t)
	with, err := wanted(p, []string{"qcat"}, true)
	if err != nil || !slices.Contains(with, "postgres") || slices.Contains(with, "nginx") {
		t.Errorf("%v, %v", with, err)
	}
	if without, err := wanted(p, []string{"qcat"}, false); err != nil || !slices.Equal(without, []string{"qcat"}) {
		t.Errorf("%v, %v", without, err)
	}
	if _, err := wanted(p, []string{"nobody"}, false); err == nil {
		t.Error("a service that is not there is taken")
	}
}

func TestEnvironmentOverTheImage(t *testing.T) {
	value := "2"
	s := types.ServiceConfig{ContainerSpec: types.ContainerSpec{Environment: types.MappingWithEquals{"X": &value, "UNSET": nil}}}
	got := strings.Join(environment(s, image{env: []string{"X=1", "PATH=/bin"}}, "h"), " ")
	if got != "HOSTNAME=h PATH=/bin X=2" {
		t.Error(got)
	}
}

func TestCut(t *testing.T) {
	flags, rest := cut([]string{"-i", "-u", "root", "qcat_app", "ls", "-l"})
	if !slices.Equal(flags, []string{"-i", "-u", "root"}) || !slices.Equal(rest, []string{"qcat_app", "ls", "-l"}) {
		t.Error(flags, rest)
	}
}
