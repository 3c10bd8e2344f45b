package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait of these tests: on a machine that does other things
// as well, nothing of what they wait for takes longer.
const patience = 30 * time.Second

// forTests are the variables that speak to the tests: where recorded market data and
// the programs of servers are, and whether a test may go without its server.
var forTests = []string{capturesEnv, "QCAT_POSTGRES_BIN", "QCAT_REDIS_BIN", "QCAT_REQUIRE_SERVICES"}

func TestMain(m *testing.M) {
	for _, kv := range os.Environ() {
		// A setting of whoever runs the tests must not change what they test.
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "QCAT_") && !slices.Contains(forTests, name) {
			_ = os.Unsetenv(name)
		}
	}
	environment = func(string) string { return "" }
	code := m.Run()
	for _, dir := range builtIn {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// concurrent are the commands that several goroutines carry out: under the race detector
// their processes have it, too, but for the servers of a site (see site.detect). The others
// read or write a store, or ask a server, say what came of it and end: with the detector they
// take ten times as long, and the packages below are raced for what they share with a server.
var concurrent = []string{"serve", "watch", "replay", "backup"}

func isConcurrent(args []string) bool { return len(args) > 0 && slices.Contains(concurrent, args[0]) }

// binary returns the path of qcat, with the race detector where that is wanted and the tests
// themselves have it.
func binary(detect bool) (string, error) {
	if raceEnabled && detect {
		return detecting()
	}
	return undetecting()
}

// detecting and undetecting build qcat once, with the race detector and without, and
// return its path.
var (
	detecting   = sync.OnceValues(func() (string, error) { return built("-race") })
	undetecting = sync.OnceValues(func() (string, error) { return built() })
)

// builtIn are the directories of the binaries that were built.
var (
	building sync.Mutex
	builtIn  []string
)

func built(flags ...string) (string, error) {
	dir, err := os.MkdirTemp("", "qcat-test-")
	if err != nil {
		return "", err
	}
	building.Lock()
	builtIn = append(builtIn, dir)
	building.Unlock()
	path := filepath.Join(dir, "qcat")
	out, err := exec.Command("go", slices.Concat([]string{"build", "-o", path}, flags, []string{"."})...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// command returns the binary with arguments, not started.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return commandOf(t, isConcurrent(args), args...)
}

// commandOf is command with or without the race detector.
func commandOf(t *testing.T, detect bool, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary(detect)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	// The servers that tests may use are not what a process of its own should find.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "DATABASE_URL=") || strings.HasPrefix(v, "REDIS_URL=")
	})
	return cmd
}

// qcat runs the binary to its end.
func qcat(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := command(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait() // the exit code tells
	if strings.Contains(errs.String(), "DATA RACE") {
		t.Errorf("qcat %s:\n%s", strings.Join(args, " "), errs.String())
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// inProcess runs a command in the test's own process.
func inProcess(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	code = run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

// output collects what a process writes, for others to look at meanwhile.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// eventually polls until cond is true.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	eventuallyOr(t, func() string { return what }, cond)
}

// eventuallyOr polls until cond is true, and says what was last seen otherwise.
func eventuallyOr(t *testing.T, what func() string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what())
		}
	}
}

// tail is the end of a long text.
func tail(s string) string { return s[max(0, len(s)-2000):] }
