package compose

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReadDockerfile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Dockerfile")
	text := "FROM a AS build\nENTRYPOINT [\"/other\"]\nFROM b\n# a comment\nENV PATH=/app:/bin \\\n    # another\n    X=1\nWORKDIR /app\nUSER 10001:10001\nSTOPSIGNAL SIGTERM\nENTRYPOINT [\"/app/qcat\"]\nCMD [\"serve\"]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	im, err := readDockerfile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(im.entrypoint, []string{"/app/qcat"}) || !slices.Equal(im.cmd, []string{"serve"}) || im.user != "10001:10001" ||
		im.dir != "/app" || im.stop != "SIGTERM" || !slices.Equal(im.env, []string{"PATH=/app:/bin", "X=1"}) {
		t.Errorf("%+v", im)
	}
}

func TestReadDockerfileRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"the shell form": "FROM a\nENTRYPOINT /app/qcat serve\n",
		"nothing to run": "FROM a\nUSER x\n",
	} {
		file := filepath.Join(t.TempDir(), "Dockerfile")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if im, err := readDockerfile(file); err == nil {
			t.Errorf("%s is taken: %+v", name, im)
		}
	}
}

func TestRepository(t *testing.T) {
	for ref, want := range map[string]string{
		"postgres:15.14-bookworm": "postgres", "docker.io/library/redis": "redis",
		"quay.io/prometheuscommunity/postgres-exporter:v0.15.0": "prometheuscommunity/postgres-exporter",
		"localhost:5000/qcat:1":                                 "localhost:5000/qcat", "prom/prometheus@sha256:00": "prom/prometheus",
	} {
		if got := repository(ref); got != want {
			t.Errorf("repository(%q) = %q, not %q", ref, got, want)
		}
	}
}
