package main

import (
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestKernelsExist runs each kernel for one iteration, as the gate would: one that has
// gone would be listed by every comparison and hold nothing.
func TestKernelsExist(t *testing.T) {
	var pkgs []string
	seen, bases := map[string]bool{}, map[string]string{}
	for _, k := range kernels {
		if seen[k.name()] || k.why == "" {
			t.Errorf("%s stands twice, or without a reason", k.name())
		}
		seen[k.name()] = true
		if other, ok := bases[path.Base(k.pkg)]; !ok {
			bases[path.Base(k.pkg)] = k.pkg
			pkgs = append(pkgs, "./"+k.pkg)
		} else if other != k.pkg {
			t.Errorf("the binaries of %s and %s would have one name", other, k.pkg)
		}
	}
	bin := t.TempDir()
	build := exec.Command("go", append([]string{"test", "-c", "-ldflags=-s -w", "-o", bin + "/"}, pkgs...)...)
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, k := range kernels {
		b := &testBinary{path: filepath.Join(bin, path.Base(k.pkg)+".test"), dir: filepath.Join("../..", k.pkg)}
		if runs, err := b.runs(t.Context(), k.bench, "1x", 1); err != nil || len(runs) != 1 {
			t.Errorf("%s: %d runs, %v", k.name(), len(runs), err)
		}
	}
}

// TestCommandLine: what is wrong with the arguments is told, and the lists are printed.
func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args      []string
		code      int
		out, errs string
	}{
		{[]string{"-list"}, 0, "risk.TestNoAllocations\n    Tree.CheckNew\n", ""},
		{[]string{"-help"}, 0, "", "-budget"},
		{[]string{"-nosuch"}, 2, "", "nosuch"},
		{[]string{"-budget", "0s"}, 2, "", "-budget must be positive"},
		{[]string{"-only", "NoSuchKernel"}, 2, "", "no kernel is called like"},
		{[]string{"-only", "("}, 2, "", "-only"},
		{[]string{"-base", "nosuch"}, 2, "", `there is no revision "nosuch"`},
	} {
		var out, errs strings.Builder
		if code := gateCommand(t.Context(), tt.args, &out, &errs); code != tt.code || !strings.Contains(out.String(), tt.out) || !strings.Contains(errs.String(), tt.errs) {
			t.Errorf("%v: exit code %d, %q, %q", tt.args, code, out.String(), errs.String())
		}
	}
}
