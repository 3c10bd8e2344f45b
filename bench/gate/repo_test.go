package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// TestBaseIsFound in clones as they come: on main, ahead of it, parted from it, behind
// it, without a parent, and shallow.
func TestBaseIsFound(t *testing.T) {
	c := newClone(t)
	first := c.git("rev-parse", "HEAD")
	found := func(what, want string) {
		t.Helper()
		if got, err := repo(c.dir).base(t.Context(), ""); err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", what, got, want, err)
		}
	}
	if got, err := repo(c.dir).base(t.Context(), ""); !errors.Is(err, errNoBase) {
		t.Errorf("the first commit: %q, %v", got, err)
	}
	c.commit("second")
	second := c.git("rev-parse", "HEAD")
	found("without a remote", first)
	c.git("update-ref", "refs/remotes/origin/main", second)
	found("on origin/main", first)
	c.commit("third")
	c.commit("fourth")
	found("two ahead", second)
	c.git("update-ref", "refs/remotes/origin/main", "HEAD")
	c.git("checkout", "--quiet", "HEAD~1")
	found("behind", second)
	c.commit("aside")
	found("parted", c.git("rev-parse", "HEAD~1"))

	shallow := &clone{t: t, dir: t.TempDir()}
	if out, err := exec.Command("git", "clone", "--quiet", "--depth=1", "--branch=main", "file://"+c.dir, shallow.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, err := repo(shallow.dir).base(t.Context(), ""); !errors.Is(err, errNoBase) {
		t.Errorf("shallow: %q, %v", got, err)
	}
}

// TestUnknownBase says what is wrong with it.
func TestUnknownBase(t *testing.T) {
	c := newClone(t)
	for revision, want := range map[string]string{
		"nosuch":  `there is no revision "nosuch"`,
		"--all":   `there is no revision "--all"`,
		"HEAD~9":  `there is no revision "HEAD~9"`,
		c.empty(): "is a tree, not a commit",
	} {
		if _, err := repo(c.dir).base(t.Context(), revision); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", revision, err)
		}
	}
	if _, err := repo(t.TempDir()).base(t.Context(), ""); err == nil || errors.Is(err, errNoBase) {
		t.Errorf("no repository: %v", err)
	}
}

// empty is the empty tree.
func (c *clone) empty() string {
	return c.git("hash-object", "-t", "tree", "-w", "/dev/null")
}

// TestTrailers: each names a benchmark and a reason, and counts from base on.
func TestTrailers(t *testing.T) {
	c := newClone(t)
	c.commit("older\n\nSlower: BenchmarkOld it was so before")
	base := c.git("rev-parse", "HEAD")
	c.commit("one\n\nText.\n\nSlower: BenchmarkMix more rounds,\n  for safety\nSigned-off-by: a")
	c.commit("two\n\nSlower: kernel\\.Benchmark(A|B)/x=.* other\nSlower: BenchmarkC c")
	list, err := repo(c.dir).acceptances(t.Context(), base)
	if err != nil || len(list) != 3 {
		t.Fatalf("%v, %v", list, err)
	}
	for _, tt := range []struct {
		pkg, bench, reason string
	}{
		{"kernel", "BenchmarkMix", "more rounds, for safety"}, {"kernel", "BenchmarkB/x=7", "other"}, {"any", "BenchmarkC", "c"},
		{"kernel", "BenchmarkMixed", ""}, {"kernel", "BenchmarkOld", ""}, {"other", "BenchmarkA/x=1", ""},
	} {
		a := accepts(list, kernel{tt.pkg, tt.bench, ""})
		if a == nil != (tt.reason == "") || a != nil && a.reason != tt.reason {
			t.Errorf("%s.%s: %+v, want %q", tt.pkg, tt.bench, a, tt.reason)
		}
	}
	for _, bad := range []string{"BenchmarkMix", "Benchmark( unclosed"} {
		c.commit("bad\n\nSlower: " + bad)
		if _, err := repo(c.dir).acceptances(t.Context(), base); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
		c.git("reset", "--quiet", "--hard", "HEAD~1")
	}
}
