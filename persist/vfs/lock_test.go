package vfs

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// TestOneHoldsALock wants a second one refused at once, and served after Unlock.
func TestOneHoldsALock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "LOCK")
	l, err := TryLock(name, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TryLock(name, 0o600); !errors.Is(err, ErrHeld) {
		t.Errorf("a second lock: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := TryLock(name, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := TryLock(filepath.Join(name, "none"), 0o600); err == nil || errors.Is(err, ErrHeld) {
		t.Errorf("a file that cannot be made: %v", err)
	}
}

// TestWaitForALock: who waits has it once it is given back; who gave up does not keep it
// from the next.
func TestWaitForALock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "LOCK")
	first, err := Lock(t.Context(), name, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := Lock(impatient, name, 0o600); !errors.Is(err, ErrHeld) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one who gives up: %v", err)
	}
	got := make(chan error, 2)
	for range 2 {
		go func() {
			l, err := Lock(t.Context(), name, 0o600)
			if err == nil {
				err = l.Unlock()
			}
			got <- err
		}()
	}
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
	if _, err := Lock(t.Context(), filepath.Join(name, "none"), 0o600); err == nil || errors.Is(err, ErrHeld) {
		t.Errorf("a file that cannot be made: %v", err)
	}
}
