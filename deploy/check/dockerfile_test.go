package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stages are those of the Dockerfile, as Docker itself reads them.
func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "deploy/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read
	read, err := parser.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Warnings) > 0 {
		t.Errorf("Docker warns: %v", read.Warnings)
	}
	all, _, err := instructions.Parse(read.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// of are the commands of one kind in a stage.
func of[T instructions.Command](s *instructions.Stage) (found []T) {
	for _, c := range s.Commands {
		if c, ok := c.(T); ok {
			found = append(found, c)
		}
	}
	return found
}

func TestDockerfileCopiesWhatIsThere(t *testing.T) {
	names := map[string]bool{}
	for _, s := range stages(t) {
		if !regexp.MustCompile(`:.*(bookworm|[0-9])`).MatchString(s.BaseName) || strings.HasSuffix(s.BaseName, ":latest") {
			t.Errorf("%s is of no version", s.BaseName)
		}
		for _, c := range of[*instructions.CopyCommand](&s) {
			if c.From != "" {
				if !names[c.From] {
					t.Errorf("line %v copies from %q, which is no stage before it", c.Location(), c.From)
				}
				continue
			}
			for _, path := range c.SourcePaths {
				if !there(path) {
					t.Errorf("%s is copied, and is not there", path)
				}
			}
		}
		names[s.Name] = true
	}
}

// TestImage holds the last stage against what Compose, the manual and signals expect of it.
func TestImage(t *testing.T) {
	all := stages(t)
	last := &all[len(all)-1]
	users := of[*instructions.UserCommand](last)
	if len(users) != 1 || users[0].User != "10001:10001" {
		t.Errorf("it runs as %v", users)
	}
	entries, commands := of[*instructions.EntrypointCommand](last), of[*instructions.CmdCommand](last)
	if len(entries) != 1 || entries[0].PrependShell || !slices.Equal(entries[0].CmdLine, []string{"/app/qcat"}) {
		t.Errorf("process 1 is not the program: %v", entries)
	}
	if len(commands) != 1 || commands[0].PrependShell || !slices.Equal(commands[0].CmdLine, []string{"serve"}) {
		t.Errorf("it does not serve: %v", commands)
	}
	env := map[string]string{}
	for _, c := range of[*instructions.EnvCommand](last) {
		for _, kv := range c.Env {
			env[kv.Key] = kv.Value
			if secretName.MatchString(kv.Key) {
				t.Errorf("%s is in the image", kv.Key)
			}
		}
	}
	if env["QCAT_CONFIG"] != "/app/configs/config.yaml" || env["QCAT_DATA_DIR"] != "/app/data" {
		t.Errorf("its environment is %v", env)
	}
	installed := ""
	for _, c := range of[*instructions.RunCommand](last) {
		installed += " " + strings.Join(c.CmdLine, " ")
	}
	// kill -USR1 1, ping postgres, and the health check.
	for _, want := range []string{" procps ", " iputils-ping ", " curl ", " gzip ", " ca-certificates "} {
		if !strings.Contains(installed, want) {
			t.Errorf("it has no%s", want)
		}
	}
}

// TestGoOfTheImage: the image is built by the Go that go.mod asks for.
func TestGoOfTheImage(t *testing.T) {
	asked := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(file(t, "go.mod"))
	if base := stages(t)[0].BaseName; asked == nil || !strings.HasPrefix(base, "golang:"+asked[1]) {
		t.Errorf("go.mod asks for %v, the image is built by %s", asked, base)
	}
}

// TestInstallLaysOutWhatTheImageHas looks at what make would do.
func TestInstallLaysOutWhatTheImageHas(t *testing.T) {
	cmd := exec.Command(program(t, "make"), "-n", "install", "DESTDIR=/stage", "PREFIX=/app", "VERSION=x")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"/stage/app/qcat", "/stage/app/backup/backup.sh", "/stage/app/preflight.sh", "/stage/app/configs/config.yaml", "/stage/app/data",
		"/stage/app/logs", "/stage/app/backups", "main.version=x"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("make install does nothing of %s", want)
		}
	}
}
