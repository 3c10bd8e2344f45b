package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

// builder makes test binaries of one tree.
type builder struct {
	tree string // the checked-out files
	out  string // where binaries go
}

// buildAll builds what it can of the packages, at once. What does not build is told by
// built.
func (b builder) buildAll(ctx context.Context, pkgs []string) error {
	if err := os.Mkdir(b.out, 0o700); err != nil {
		return err
	}
	var there []string
	for _, pkg := range pkgs {
		if _, err := os.Stat(filepath.Join(b.tree, pkg)); err == nil {
			there = append(there, pkg)
		}
	}
	if len(there) > 0 {
		_, _ = b.goTest(ctx, there...) // one that fails does not keep the others from being built
	}
	return ctx.Err()
}

// goTest builds test binaries. Paths are left out of them, so that the same code gives
// the same bytes wherever it is checked out.
func (b builder) goTest(ctx context.Context, pkgs ...string) ([]byte, error) {
	args := []string{"test", "-c", "-trimpath", "-buildvcs=false", "-o", b.out + string(filepath.Separator)}
	for _, pkg := range pkgs {
		args = append(args, "./"+pkg)
	}
	return command(ctx, b.tree, "go", args...).CombinedOutput()
}

// built is the test binary of a package. If there is none, the package is built once
// more, alone, to hear why.
func (b builder) built(ctx context.Context, pkg string) (*testBinary, error) {
	dir := filepath.Join(b.tree, pkg)
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("there is no package %s", pkg)
	}
	t := &testBinary{path: filepath.Join(b.out, path.Base(pkg)+".test"), dir: dir}
	raw, err := os.ReadFile(t.path)
	if err != nil {
		out, failed := b.goTest(ctx, pkg)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if failed != nil {
			return nil, fmt.Errorf("%s does not build: %w\n%s", pkg, failed, out)
		}
		if raw, err = os.ReadFile(t.path); err != nil {
			return nil, fmt.Errorf("%s has no tests", pkg)
		}
	}
	t.sum = sha256.Sum256(raw)
	return t, nil
}
