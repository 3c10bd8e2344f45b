package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// quick is time enough for two kernels of microseconds, which are measured briefly.
const quick = time.Minute

// TestGateOnRealBinaries builds, checks out and measures for real, on a module of its
// own: the same code passes, much more work fails, and so does one allocation more.
//
// QCAT_GATE_RUNS=20 (`make bench-gate-test`) is the long form: the same code passes so
// many times, measured as a change is, and a tenth more work fails.
func TestGateOnRealBinaries(t *testing.T) {
	runs, budget, work, as := 1, quick, "3000", brief
	if text := os.Getenv("QCAT_GATE_RUNS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("QCAT_GATE_RUNS=%s", text)
		}
		runs, budget, work, as = n, 15*time.Second, "100", usual
	}
	c := newClone(t)
	c.precision = as
	for i := range runs {
		g, out, err := c.gate("HEAD", budget, mix, box)
		if err != nil || g.count()[passed] != 2 {
			t.Errorf("A against A: %v\n%s", err, out)
		}
		t.Logf("A against A, %d of %d:\n%s", i+1, runs, out)
	}
	c.slow(work)
	c.allocate()
	g, out, err := c.gate("HEAD", quick, mix, box)
	if !errors.Is(err, errFailed) || g.count()[failedSlower] != 1 || g.count()[failedAllocs] != 1 {
		t.Errorf("%s rounds of a thousand and an allocation more: %v", work, err)
	}
	t.Logf("slower:\n%s", out)
	for _, want := range []string{
		"head: the working tree on", "FAILED: kernel.BenchmarkMix is slower in each of 3 rounds (what becomes slower)",
		"FAILED: kernel.BenchmarkBox allocates more: 0 → 32 B/op, 0 → 1 allocs/op", "2 kernels: 0 passed, 0 accepted, 2 failed",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not told", want)
		}
	}
}

// TestUnchangedIsNotMeasured: the same code gives the same bytes, whatever its folder,
// and a comment changes none.
func TestUnchangedIsNotMeasured(t *testing.T) {
	c := newClone(t)
	if err := os.WriteFile(filepath.Join(c.dir, "README"), []byte("text\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.commit("text")
	g := &gate{repo: repo(c.dir), budget: quick, precision: brief, kernels: []kernel{mix}, out: &strings.Builder{}}
	if err := g.run(t.Context()); err != nil || g.result() != nil || g.subjects[0].note != "unchanged (the same test binary)" {
		t.Errorf("%v, %+v", err, g.subjects)
	}
}

// TestOneSided: what only one side has, or the base cannot build, is listed, not failed;
// a head that does not build is an error.
func TestOneSided(t *testing.T) {
	c := newClone(t)
	older := c.git("rev-parse", "HEAD")
	c.replace("kernel/kernel_test.go", "BenchmarkBox", "BenchmarkCrate")
	c.replace("kernel/kernel.go", "return x\n", "return undefined\n")
	c.commit("broken")
	if _, out, err := c.gate("HEAD~1", quick, mix); err == nil || !strings.Contains(err.Error(), "head: kernel does not build") || !strings.Contains(err.Error(), "undefined") {
		t.Errorf("a broken head: %v\n%s", err, out)
	}
	c.replace("kernel/kernel.go", "return undefined\n", "return x\n")
	crate := kernel{"kernel", "BenchmarkCrate", "new"}
	if g, out, err := c.gate("HEAD", quick, mix, crate); err != nil || g.count()[unmeasured] != 2 || !strings.Contains(out, "not measured, base: kernel does not build: exit status 1: kernel.BenchmarkMix, kernel.BenchmarkCrate") {
		t.Errorf("a broken base: %v\n%s", err, out)
	}
	other := kernel{"kernel", "BenchmarkOther", "nowhere"}
	_, out, err := c.gate(older, quick, crate, box, other)
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{"new (the base does not run it): kernel.BenchmarkCrate", "gone (the head does not run it): kernel.BenchmarkBox", "run by neither side: kernel.BenchmarkOther"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not told:\n%s", want, out)
		}
	}
	c.commit("whole again")
	c.git("rm", "-r", "--quiet", "kernel")
	c.commit("without")
	c.git("tag", "bare")
	c.git("checkout", "--quiet", older, "kernel")
	if _, out, err := c.gate("bare", quick, mix); err != nil || !strings.Contains(out, "not measured, base: there is no package kernel: kernel.BenchmarkMix") {
		t.Errorf("a base without the package: %v\n%s", err, out)
	}
}

// TestFailingBenchmarks: one that fails on the base cannot be compared, one that fails
// on the head is an error.
func TestFailingBenchmarks(t *testing.T) {
	c := newClone(t)
	c.replace("kernel/kernel_test.go", "x == 0", "x != 0")
	if _, _, err := c.gate("HEAD", quick, mix); err == nil || !strings.Contains(err.Error(), "the head fails") {
		t.Errorf("head: %v", err)
	}
	c.commit("fails")
	c.replace("kernel/kernel_test.go", "x != 0", "x == 0")
	if g, out, err := c.gate("HEAD", quick, mix); err != nil || g.count()[unmeasured] != 1 || !strings.Contains(out, "the base fails") {
		t.Errorf("base: %v\n%s", err, out)
	}
}

// TestUndecided: without time nothing passes.
func TestUndecided(t *testing.T) {
	c := newClone(t)
	if _, out, err := c.gate("HEAD", time.Millisecond, mix); !errors.Is(err, errUndecided) || !strings.Contains(out, "**not decided**") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestInterruptLeavesNothing: the worktree and its folder go when the context ends, at
// whatever point.
func TestInterruptLeavesNothing(t *testing.T) {
	c := newClone(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	for _, after := range []string{"base: ", "built "} {
		ctx, cancel := context.WithCancel(t.Context())
		g := &gate{repo: repo(c.dir), base: "HEAD", budget: time.Hour, precision: usual, all: true, kernels: []kernel{mix}, out: &tripwire{text: after, trip: cancel}}
		if err := g.run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("after %q: %v", after, err)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("after %q: %v is left (%v)", after, left, err)
		}
		if trees := c.git("worktree", "list", "--porcelain"); strings.Count(trees, "worktree ") != 1 {
			t.Errorf("after %q: a worktree is left:\n%s", after, trees)
		}
	}
}

// tripwire calls trip when a text is written.
type tripwire struct {
	text string
	trip func()
}

func (w *tripwire) Write(b []byte) (int, error) {
	if strings.Contains(string(b), w.text) {
		w.trip()
	}
	return len(b), nil
}
