package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProfileOfTheDemo builds the server, loads it for a second and wants the file, its
// top, and the load told.
func TestProfileOfTheDemo(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "qcat")
	build := exec.Command("go", "build", "-o", binary, "./cmd/qcat")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	temp, out := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	var stdout, stderr strings.Builder
	if code := command(t.Context(), []string{"-binary", binary, "-seconds", "1", "-out", out, "-clients", "2", "-orders", "100"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	files, err := filepath.Glob(filepath.Join(out, "cpu-*.pb.gz"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, want := range []string{"Type: cpu", "profile: " + files[0], "frames to 2 clients", " 0 of them refused"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is not told:\n%s", want, stdout.String())
		}
	}
	for _, none := range []string{"load: 0 frames", ", 0 orders answered"} {
		if strings.Contains(stdout.String(), none) {
			t.Errorf("nothing was done:\n%s", stdout.String())
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("%v is left (%v)", left, err)
	}
}

// TestProfileOfAnother takes it from a server that runs, and leaves no file where there
// is no profile.
func TestProfileOfAnother(t *testing.T) {
	asked := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		http.Error(w, "not now", http.StatusServiceUnavailable)
	}))
	defer s.Close()
	out := t.TempDir()
	var stdout, stderr strings.Builder
	code := command(t.Context(), []string{"-debug", strings.TrimPrefix(s.URL, "http://"), "-kind", "heap", "-seconds", "1", "-out", out}, &stdout, &stderr)
	if code != 1 || asked != "/debug/pprof/heap?gc=1" || !strings.Contains(stderr.String(), "503 Service Unavailable: not now") {
		t.Errorf("exit code %d, %q, %q", code, asked, stderr.String())
	}
	if files, err := os.ReadDir(out); err != nil || len(files) > 0 {
		t.Errorf("%v is left (%v)", files, err)
	}
}

func TestBadArguments(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-help"}, 0, "-seconds"},
		{[]string{"-nosuch"}, 2, "nosuch"},
		{[]string{"-kind", "luck"}, 1, `there is no profile "luck"`},
		{[]string{"-seconds", "0"}, 1, "must be positive"},
		{[]string{"-clients", "-1"}, 1, "must not be negative"},
		{[]string{"-binary", "/no/such/file"}, 1, "/no/such/file"},
		{[]string{"-binary", "/bin/false"}, 1, "/bin/false ended"},
	} {
		var stdout, stderr strings.Builder
		if code := command(t.Context(), append(tt.args, "-out", t.TempDir()), &stdout, &stderr); code != tt.code || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%v: exit code %d, %q", tt.args, code, stderr.String())
		}
	}
}
