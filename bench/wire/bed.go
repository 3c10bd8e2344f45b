package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
)

// bed lets a command use what tests use to start servers of their own: it is a
// testing.TB whose failure is an error. Its methods belong to the goroutine of
// withBed.
type bed struct {
	testing.TB // nil: what is not below is not used by those helpers

	ctx      context.Context
	cleanups []func()
	failed   error
}

// withBed calls f, cleans up in reverse order, and returns what failed.
func withBed(ctx context.Context, f func(tb testing.TB) error) (err error) {
	b := &bed{ctx: ctx}
	defer func() {
		if r := recover(); r != nil && r != any(b) {
			defer panic(r)
		}
		for _, c := range slices.Backward(b.cleanups) {
			c()
		}
		err = errors.Join(err, b.failed)
	}()
	return f(b)
}

func (b *bed) Helper()                         {}
func (b *bed) Name() string                    { return "bench" }
func (b *bed) Context() context.Context        { return b.ctx }
func (b *bed) Failed() bool                    { return b.failed != nil }
func (b *bed) Cleanup(f func())                { b.cleanups = append(b.cleanups, f) }
func (b *bed) Log(args ...any)                 { fmt.Fprintln(os.Stderr, args...) }
func (b *bed) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
func (b *bed) Error(args ...any)               { b.failed = errors.Join(b.failed, errors.New(fmt.Sprint(args...))) }
func (b *bed) Errorf(format string, args ...any) {
	b.failed = errors.Join(b.failed, fmt.Errorf(format, args...))
}
func (b *bed) FailNow() { panic(b) }

func (b *bed) Fatal(args ...any) {
	b.Error(args...)
	b.FailNow()
}

func (b *bed) Fatalf(format string, args ...any) {
	b.Errorf(format, args...)
	b.FailNow()
}

// Skip is for what a test would do without: here it was asked for.
func (b *bed) Skip(args ...any) { b.Fatal(args...) }

// TempDir is removed at the end.
func (b *bed) TempDir() string {
	dir, err := os.MkdirTemp("", "qcat-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
