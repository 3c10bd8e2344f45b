package check

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const composeFile = "deploy/docker-compose.prod.yml"

// compose loads the deployment of a folder as Compose does: by its schema, with the .env that
// Compose finds by itself.
func compose(t *testing.T, folder string) (*types.Project, error) {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{filepath.Join(folder, composeFile)}, cli.WithEnvFiles(), cli.WithDotEnv)
	if err != nil {
		t.Fatal(err)
	}
	return o.LoadProject(t.Context())
}

// site is a checkout with env.example as its .env, and the project in it.
func site(t *testing.T) (string, *types.Project) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, composeFile), file(t, composeFile), 0o600)
	write(t, filepath.Join(dir, ".env"), file(t, "deploy/env.example"), 0o600)
	link, err := os.Readlink(filepath.Join(root, "deploy/.env"))
	if err != nil {
		t.Fatalf("Compose looks for .env beside its file: %v", err)
	}
	if err := os.Symlink(link, filepath.Join(dir, "deploy/.env")); err != nil {
		t.Fatal(err)
	}
	p, err := compose(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, p
}

// TestComposeFindsTheEnvironment: the manual copies env.example to .env in the root, and Compose
// reads that of the folder of its file. Without one nothing is started.
func TestComposeFindsTheEnvironment(t *testing.T) {
	dir, p := site(t)
	if got := p.Services["qcat"].Environment["DB_PASSWORD"]; got == nil || *got != "CHANGE_ME" {
		t.Errorf("DB_PASSWORD is %v", got)
	}
	if err := os.Remove(filepath.Join(dir, ".env")); err != nil {
		t.Fatal(err)
	}
	if _, err := compose(t, dir); err == nil || !strings.Contains(err.Error(), "_PASSWORD") {
		t.Errorf("without .env: %v", err)
	}
}

var containers = map[string]string{
	"qcat": "qcat_app", "postgres": "qcat_postgres", "redis": "qcat_redis", "prometheus": "qcat_prometheus", "grafana": "qcat_grafana",
	"alertmanager": "qcat_alertmanager", "nginx": "qcat_nginx", "postgres-exporter": "qcat_postgres_exporter", "redis-exporter": "qcat_redis_exporter",
	"preflight": "", "migrate": "",
}

func TestContainers(t *testing.T) {
	_, p := site(t)
	for name, container := range containers {
		if s, ok := p.Services[name]; !ok || s.ContainerName != container {
			t.Errorf("service %s: there is %v, container %q", name, ok, s.ContainerName)
		}
	}
	if len(p.Services) != len(containers) {
		t.Errorf("services are %v", p.ServiceNames())
	}
}

// TestContainersAreConfined: nothing has more rights than it needs, nor more of the machine.
func TestContainersAreConfined(t *testing.T) {
	_, p := site(t)
	pinned := regexp.MustCompile(`^[a-z0-9./_-]+:v?[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z]+)?$`)
	for name, s := range p.Services {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s: the image %s is not of one version", name, s.Image)
		}
		oneShot := s.Restart == "no"
		switch {
		case s.Privileged, s.Pid != "", s.Ipc != "", s.NetworkMode != "" && s.NetworkMode != "none", s.UserNSMode != "", len(s.Devices) > 0:
			t.Errorf("%s has what is the machine's", name)
		case !slices.Equal(s.CapDrop, []string{"ALL"}), !slices.Contains(s.SecurityOpt, "no-new-privileges:true"):
			t.Errorf("%s keeps capabilities, or may get more", name)
		case slices.Contains(s.CapAdd, "SYS_ADMIN"), slices.Contains(s.CapAdd, "NET_ADMIN"), slices.Contains(s.CapAdd, "SYS_PTRACE"):
			t.Errorf("%s adds %v", name, s.CapAdd)
		case !oneShot && (s.MemLimit == 0 || s.PidsLimit == 0):
			t.Errorf("%s has no bound", name)
		case s.Logging == nil || s.Logging.Options["max-size"] == "":
			t.Errorf("the log of %s has no bound", name)
		}
		// The images of the exporters have no shell and no client: Prometheus says when they are away.
		if !oneShot && s.HealthCheck == nil && !strings.HasSuffix(name, "-exporter") {
			t.Errorf("%s has no health check", name)
		}
		for _, v := range s.Volumes {
			if strings.Contains(v.Source, "docker.sock") {
				t.Errorf("%s rules Docker", name)
			}
		}
	}
}

// TestPublishedPorts: nginx is for all, the rest for this machine, databases for nobody.
func TestPublishedPorts(t *testing.T) {
	_, p := site(t)
	want := map[string]string{"nginx": ":80 :443", "qcat": "127.0.0.1:8082", "prometheus": "127.0.0.1:9090", "grafana": "127.0.0.1:3000", "alertmanager": "127.0.0.1:9093"}
	for name, s := range p.Services {
		var published []string
		for _, port := range s.Ports {
			published = append(published, port.HostIP+":"+port.Published)
		}
		if got := strings.Join(published, " "); got != want[name] {
			t.Errorf("%s publishes %q, not %q", name, got, want[name])
		}
	}
	if !p.Networks["data"].Internal {
		t.Error("the network of the databases is open")
	}
	for _, name := range []string{"postgres", "redis"} {
		if n := p.Services[name].Networks; len(n) != 1 || n["data"] != nil {
			t.Errorf("%s is in %v", name, n)
		}
	}
}

// TestTrustedAddresses: whom QCAT believes is who has the address, in the network that both are in.
func TestTrustedAddresses(t *testing.T) {
	_, p := site(t)
	for _, c := range []struct{ service, network, variable string }{
		{"nginx", "edge", "QCAT_TRUSTED_PROXIES"},
		{"prometheus", "monitoring", "QCAT_SCRAPE_FROM"},
	} {
		address := p.Services[c.service].Networks[c.network].Ipv4Address
		if trusted := p.Services["qcat"].Environment[c.variable]; *trusted != address+"/32" {
			t.Errorf("%s is %s, the address of %s %s", c.variable, *trusted, c.service, address)
		}
		subnet := netip.MustParsePrefix(p.Networks[c.network].Ipam.Config[0].Subnet)
		if !subnet.Contains(netip.MustParseAddr(address)) {
			t.Errorf("%s is not in %s", address, subnet)
		}
		if _, in := p.Services["qcat"].Networks[c.network]; !in {
			t.Errorf("qcat is not in %s", c.network)
		}
	}
}

// TestStartOrder: nothing starts before the secrets have been looked at, and QCAT finds its schema.
func TestStartOrder(t *testing.T) {
	_, p := site(t)
	var after func(name string) []string
	after = func(name string) (all []string) {
		for on := range p.Services[name].DependsOn {
			all = append(append(all, on), after(on)...)
		}
		return all
	}
	for name := range p.Services {
		if before := after(name); name != "preflight" && !slices.Contains(before, "preflight") {
			t.Errorf("%s starts whatever the secrets are: it waits for %v", name, before)
		}
	}
	for _, c := range []struct{ service, on, condition string }{
		{"migrate", "postgres", types.ServiceConditionHealthy},
		{"qcat", "migrate", types.ServiceConditionCompletedSuccessfully},
		{"qcat", "redis", types.ServiceConditionHealthy},
		{"postgres", "preflight", types.ServiceConditionCompletedSuccessfully},
		{"redis", "preflight", types.ServiceConditionCompletedSuccessfully},
	} {
		if got := p.Services[c.service].DependsOn[c.on].Condition; got != c.condition {
			t.Errorf("%s waits for %s: %q", c.service, c.on, got)
		}
	}
}

// TestMounts: what is mounted of the repository is there, and can be written by nobody.
func TestMounts(t *testing.T) {
	dir, p := site(t)
	for name, s := range p.Services {
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeVolume {
				continue
			}
			path, ours := strings.CutPrefix(v.Source, dir+"/")
			switch {
			case !ours && !strings.HasPrefix(v.Source, "/app/") && v.Source != "/var/log/nginx":
				t.Errorf("%s mounts %s of the machine", name, v.Source)
			case ours && !there(path):
				t.Errorf("%s mounts %s, which is not there", name, path)
			case ours && !v.ReadOnly:
				t.Errorf("%s may write to %s", name, path)
			}
		}
	}
}

// holders are who may see which secret. Who restores has the database's.
var holders = map[string][]string{
	"DB_PASSWORD":                {"preflight", "migrate", "qcat", "postgres"},
	"POSTGRES_PASSWORD":          {"preflight", "postgres"},
	"POSTGRES_EXPORTER_PASSWORD": {"preflight", "postgres"},
	"DATA_SOURCE_PASS":           {"postgres-exporter"},
	"REDIS_PASSWORD":             {"preflight", "qcat", "redis", "redis-exporter"},
	"GRAFANA_ADMIN_PASSWORD":     {"preflight"},
	"GF_SECURITY_ADMIN_PASSWORD": {"grafana"},
	"QCAT_MASTER_KEY":            {"preflight", "migrate", "qcat"},
	"QCAT_ADMIN_PASSWORD":        {"preflight", "qcat"},
	"ALERT_SMTP_PASSWORD":        {"preflight", "alertmanager"},
	"ALERT_WEBHOOK_TOKEN":        {"preflight", "alertmanager"},
}

var secretName = regexp.MustCompile(`(PASSWORD|_PASS|_KEY|_TOKEN|_SECRET)$`)

func TestSecretsStayWithThoseWhoNeedThem(t *testing.T) {
	_, p := site(t)
	for name, s := range p.Services {
		for variable := range s.Environment {
			if secretName.MatchString(variable) && !slices.Contains(holders[variable], name) {
				t.Errorf("%s sees %s", name, variable)
			}
		}
		for _, word := range slices.Concat(s.Command, s.Entrypoint) {
			if strings.Contains(word, "CHANGE_ME") {
				t.Errorf("%s has a secret on its command line, where everybody sees it", name)
			}
		}
	}
}
