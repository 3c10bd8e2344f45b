package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"qcat/deploy/opstest/box"
	"qcat/deploy/opstest/compose"
)

// packages are the programs of the images, and what the host itself needs, by Debian's
// names, each with a program that is in it.
var packages = [][2]string{
	{"postgresql", "/usr/lib/postgresql/*/bin/initdb"}, {"redis-server", "redis-server"}, {"prometheus", "prometheus"},
	{"prometheus-alertmanager", "prometheus-alertmanager"}, {"prometheus-postgres-exporter", "prometheus-postgres-exporter"},
	{"prometheus-redis-exporter", "prometheus-redis-exporter"}, {"nginx-light", "/usr/sbin/nginx"},
	{"logrotate", "/usr/sbin/logrotate"}, {"iputils-ping", "ping"}, {"curl", "curl"}, {"wget", "wget"}, {"openssl", "openssl"},
	{"iproute2", "ip"}, {"git", "git"}, {"make", "make"},
}

// Where things are on the host.
const (
	binFolder  = "/box/bin"        // docker and docker-compose
	originRepo = "/srv/origin.git" // what <repository-url> stands for
	siteFolder = "/srv/qcat"       // the clone that the manual's commands run in
)

// opsTest runs everything and returns the exit status.
func opsTest() (int, error) {
	checkout := flag.String("checkout", ".", "the repository whose deployment is tested")
	only := flag.String("only", "", "chapters to run beside 2, such as 4,5; empty: all")
	onFailure := flag.String("on-failure", "", "a command that is run, and its output shown, where a line fails")
	flag.Parse()
	source, err := filepath.Abs(*checkout)
	if err != nil {
		return 1, err
	}
	if !box.Inside() {
		if err := prepare(source); err != nil {
			return 1, err
		}
	}
	shared := []string{source}
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		dir := os.Getenv("QCAT_OPS_" + name)
		if dir == "" {
			out, err := exec.Command("go", "env", name).Output()
			if err != nil {
				return 1, fmt.Errorf("go env: %w", err)
			}
			dir = strings.TrimSpace(string(out))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return 1, err
			}
			if err := os.Setenv("QCAT_OPS_"+name, dir); err != nil {
				return 1, err
			}
		}
		shared = append(shared, dir)
	}
	status, inside, err := box.InHost(shared)
	if err != nil || !inside {
		return status, err
	}
	if err := furnish(source); err != nil {
		return 1, err
	}
	engine := compose.NewEngine()
	if err := engine.Serve(); err != nil {
		return 1, err
	}
	t := newTest(engine, *only)
	t.onFailure = *onFailure
	return t.run(), nil
}

// prepare says what is missing on the machine, and installs programs.
func prepare(source string) error {
	if os.Geteuid() != 0 {
		return errors.New("only root may make namespaces: run it as root")
	}
	for _, p := range packages {
		if found, _ := filepath.Glob(p[1]); len(found) > 0 {
			continue
		}
		if _, err := exec.LookPath(p[1]); err == nil {
			continue
		}
		out, err := exec.Command(filepath.Join(source, "deploy/test/install-service.sh"), p[0]).CombinedOutput()
		if err != nil {
			return fmt.Errorf("the package %s is needed, and could not be installed: %w\n%s", p[0], err, out)
		}
	}
	return nil
}

// furnish gives the host what an operator's machine has: docker, docker-compose, the user
// of the logs, and a repository to clone, which is the checkout as it lies there, whether
// it has been committed or not.
func furnish(source string) error {
	if err := box.LoopbackUp(); err != nil {
		return err
	}
	if err := os.MkdirAll(binFolder, 0o755); err != nil {
		return err
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	if err := os.WriteFile(binFolder+"/docker", self, 0o755); err != nil {
		return err
	}
	if err := os.Symlink("docker", binFolder+"/docker-compose"); err != nil {
		return err
	}
	script := `set -eu
groupadd --system --gid 10001 qcat
useradd --system --uid 10001 --gid qcat --no-create-home --shell /usr/sbin/nologin qcat
rm -rf /app /var/log/nginx /etc/logrotate.d/*
mkdir -p "$1" && cd "$2"
git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -cf - -T - 2>/dev/null | tar -xf - -C "$1"
cd "$1"
git init -q -b main
git add -A
git commit -q -m 'the version before'
git clone -q --bare "$1" "$3"
git remote add origin "$3"
`
	cmd := exec.Command("bash", "-c", script, "furnish", "/srv/work", source, originRepo)
	cmd.Env = append(os.Environ(), hostEnv...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("repository: %w\n%s", err, out.Bytes())
	}
	return nil
}

// hostEnv is of every command of the host, beside what the test itself has.
var hostEnv = []string{
	"PATH=" + binFolder + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin",
	"GOCACHE=" + os.Getenv("QCAT_OPS_GOCACHE"), "GOMODCACHE=" + os.Getenv("QCAT_OPS_GOMODCACHE"), "GOFLAGS=", "GOPROXY=off",
	"GIT_AUTHOR_NAME=qcat", "GIT_AUTHOR_EMAIL=ops@localhost", "GIT_COMMITTER_NAME=qcat", "GIT_COMMITTER_EMAIL=ops@localhost",
	"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
}
