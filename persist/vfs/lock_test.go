package vfs

import (
	"errors"
	"path/filepath"
	"testing"
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
