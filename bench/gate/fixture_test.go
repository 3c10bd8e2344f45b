package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clone is a repository of its own that holds the module in testdata.
type clone struct {
	t         *testing.T
	dir       string
	precision precision
}

// newClone commits the module as it is.
func newClone(t *testing.T) *clone {
	t.Helper()
	c := &clone{t, t.TempDir(), brief}
	if err := os.CopyFS(c.dir, os.DirFS("testdata/module")); err != nil {
		t.Fatal(err)
	}
	c.git("init", "--quiet", "--initial-branch=main")
	c.commit("the base")
	return c
}

func (c *clone) git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=gate", "-c", "user.email=gate@example.org", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = c.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits everything, if it is only the message.
func (c *clone) commit(message string) {
	c.t.Helper()
	c.git("add", "--all")
	c.git("commit", "--quiet", "--allow-empty", "--message", message)
}

// replace changes a file: old, which it must hold, to text.
func (c *clone) replace(file, old, text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, file)
	raw, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	if !strings.Contains(string(raw), old) {
		c.t.Fatalf("%s does not hold %q", file, old)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(raw), old, text)), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// slow makes Mix slower, by so many rounds of a thousand.
func (c *clone) slow(more string) {
	c.replace("kernel/kernel.go", "rounds = 1000", "rounds = 1000 + "+more)
}

// allocate makes Box keep its box on the heap.
func (c *clone) allocate() {
	c.replace("kernel/kernel.go", "	b := [4]uint64{x, x + 1, x + 2, x + 3}\n", "	b := &[4]uint64{x, x + 1, x + 2, x + 3}\n	kept = b\n")
	c.replace("kernel/kernel.go", "// Box returns", "var kept *[4]uint64\n\n// Box returns")
}

// brief is enough to see that something is four times slower.
var brief = precision{window: time.Millisecond, least: 3, most: 3, patience: time.Second}

// Kernels of the module.
var (
	mix = kernel{"kernel", "BenchmarkMix", "what becomes slower"}
	box = kernel{"kernel", "BenchmarkBox", "what allocates"}
)

// gate compares the working tree with base, of the kernels given.
func (c *clone) gate(base string, budget time.Duration, kernels ...kernel) (*gate, string, error) {
	c.t.Helper()
	var out strings.Builder
	g := &gate{repo: repo(c.dir), base: base, budget: budget, precision: c.precision, all: true, kernels: kernels, out: &out}
	err := g.run(c.t.Context())
	if err == nil {
		err = g.result()
	}
	if trees := c.git("worktree", "list", "--porcelain"); strings.Count(trees, "worktree ") != 1 {
		c.t.Errorf("a worktree is left:\n%s", trees)
	}
	return g, out.String(), err
}
