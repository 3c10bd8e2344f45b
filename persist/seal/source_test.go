package seal

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const keyText = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func TestSources(t *testing.T) {
	t.Parallel()
	want, err := ParseMaster([]byte(keyText))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "k")
	if err := os.WriteFile(file, []byte(keyText+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Source{
		"text": {Key: keyText, Dir: dir}, "file": {File: file, Dir: dir}, "command": {Command: "echo oops >&2; cat " + file},
	} {
		for _, load := range []func(context.Context) (*Master, error){s.Load, s.LoadOrMake} {
			if m, err := load(t.Context()); err != nil || m.ID() != want.ID() {
				t.Errorf("%s: %v, %v", name, m, err)
			}
		}
	}
	for _, tt := range []struct {
		name string
		from Source
		want error
	}{
		{"nothing", Source{}, ErrNoMaster},
		{"an empty folder", Source{Dir: dir}, ErrNoMaster},
		{"two", Source{Key: keyText, File: file}, ErrSources},
		{"no file", Source{File: file + "x", Dir: dir}, fs.ErrNotExist},
		{"a short text", Source{Key: keyText[:20]}, ErrMasterKey},
		{"a command that fails", Source{Command: "cat " + file + "; exit 3"}, ErrCommand},
		{"a command that says something else", Source{Command: "echo hunter2"}, ErrMasterKey},
		{"a command that does not end", Source{Command: "yes " + keyText + " | head -c 100000"}, ErrMasterKey},
	} {
		_, err := tt.from.Load(t.Context())
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		} else if strings.Contains(err.Error(), keyText[:8]) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells a secret: %v", tt.name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, FileName)); err == nil {
		t.Error("a key was made where one is given")
	}
}

func TestCommandEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := Source{Command: "sleep 600"}
	if _, err := s.Load(ctx); !errors.Is(err, ErrCommand) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestExposedFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "k")
	if err := os.WriteFile(file, []byte(keyText), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, good := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o601: false} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(file); (err == nil) != good || (!good && !errors.Is(err, ErrExposed)) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

// TestMadeOnce: of many processes that need a key at once, one makes it and all have it.
func TestMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s := Source{Dir: dir}
			m, err := s.LoadOrMake(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[m.ID()] = true
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Errorf("there are %d keys", len(seen))
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != FileName {
		t.Errorf("%v (%v)", entries, err)
	}
	if st, err := os.Stat(filepath.Join(dir, FileName)); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v (%v)", st, err)
	}
	if err := MakeFile(filepath.Join(dir, FileName)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key was replaced: %v", err)
	}
}
